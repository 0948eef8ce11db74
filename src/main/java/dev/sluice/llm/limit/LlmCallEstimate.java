package dev.sluice.llm.limit;

import java.util.List;

import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.protocol.LlmRequest;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.UsageDetails;

/**
 * Size of an LLM call before it is made, for which tokens and budget are reserved.
 *
 * @param provider the provider that is called
 * @param identifier the caller's identifier, as stored
 * @param tier the caller's tier; null or an unknown tier is treated as the first configured one
 * @param model the model's name; empty if it is not known
 * @param inputTokens estimated input tokens, 0 or more
 * @param maxOutputTokens the largest number of output tokens that the request allows, of all choices; negative if it sets no
 * maximum
 * @param choices number of choices requested, 1 or more
 * @param details what makes the tokens dearer than usual, as requested
 * @param whole whether {@code maxOutputTokens} is reserved as a whole: it is what the call is expected to use
 * @param background whether the usage is known much later, so that all that the call may use is reserved
 * @param inputElsewhere whether a part of the input is not in the request, so that its size is not known: files, earlier responses,
 * results of tools that the provider runs
 * @param furtherModels further models, of which one may answer; an empty name for one that is not known
 * @param chain the levels of the caller: key, user, team and organisation
 */
public record LlmCallEstimate(Provider provider, String identifier, String tier, String model, long inputTokens,
        long maxOutputTokens, int choices, UsageDetails details, boolean whole, boolean background,
        boolean inputElsewhere, List<String> furtherModels, IdentityChain chain) {

    /** Creates an estimate of a call of a caller without a chain. */
    LlmCallEstimate(Provider provider, String identifier, String tier, String model, long inputTokens, long maxOutputTokens,
            int choices, UsageDetails details, boolean whole, boolean background, boolean inputElsewhere,
            List<String> furtherModels) {
        this(provider, identifier, tier, model, inputTokens, maxOutputTokens, choices, details, whole, background,
                inputElsewhere, furtherModels, IdentityChain.NONE);
    }

    /** Creates an estimate of a call whose tokens have their usual price. */
    LlmCallEstimate(Provider provider, String identifier, String tier, String model, long inputTokens, long maxOutputTokens,
            int choices) {
        this(provider, identifier, tier, model, inputTokens, maxOutputTokens, choices, UsageDetails.NONE, false, false, false,
                List.of());
    }

    /**
     * Creates an estimate of a call with one choice. Without input tokens, the output is what the call is expected to use in all.
     *
     * @param provider the provider that is called
     * @param identifier the caller's identifier, as stored
     * @param tier the caller's tier; null or an unknown tier is treated as the first configured one
     * @param model the model's name; empty if it is not known
     * @param inputTokens estimated input tokens, 0 or more
     * @param maxOutputTokens the largest number of output tokens that the request allows; negative if it sets no maximum
     */
    public LlmCallEstimate(Provider provider, String identifier, String tier, String model, long inputTokens,
            long maxOutputTokens) {
        this(provider, identifier, tier, model, inputTokens, maxOutputTokens, 1, UsageDetails.NONE, inputTokens == 0, false,
                false,
                List.of());
    }

    /**
     * Estimates a call from its parsed request.
     *
     * @param provider the provider that is called
     * @param identifier the caller's identifier, as stored
     * @param tier the caller's tier
     * @param request the request; null if it is not known
     * @return the estimate
     */
    public static LlmCallEstimate of(Provider provider, String identifier, String tier, LlmRequest request) {
        return request == null
                ? new LlmCallEstimate(provider, identifier, tier, "", 0, 0)
                : new LlmCallEstimate(provider, identifier, tier, request.model(), request.estimatedInputTokens(),
                        request.maxTotalOutputTokens(), request.choices(), request.details(),
                        !request.details().quantities().isEmpty(), request.background(), request.inputElsewhere(),
                        request.furtherModels());
    }

    /** Returns whether the tokens are estimated as output because their split into input and output is not known. */
    boolean isTotal() {
        return whole && inputTokens == 0 && maxOutputTokens > 0 && details.quantities().isEmpty();
    }

    /**
     * Returns this estimate for a caller with a chain.
     *
     * @param callerChain the levels of the caller
     * @return the estimate
     */
    public LlmCallEstimate withChain(IdentityChain callerChain) {
        return callerChain.equals(chain)
                ? this
                : new LlmCallEstimate(provider, identifier, tier, model, inputTokens, maxOutputTokens, choices, details, whole,
                        background, inputElsewhere, furtherModels, callerChain);
    }

    /**
     * Estimates the tokens of a text: English text and JSON have about four bytes per token.
     *
     * @param bytes the text's size in bytes
     * @return the number of tokens, rounded up
     */
    public static long estimateTokens(long bytes) {
        return (bytes + 3) / 4;
    }
}
