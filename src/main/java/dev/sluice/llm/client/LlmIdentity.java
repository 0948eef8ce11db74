package dev.sluice.llm.client;

import dev.sluice.identity.Identity;
import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.protocol.InvalidRequestBodyException;
import dev.sluice.llm.protocol.LlmRequest;
import dev.sluice.llm.protocol.LlmRequestParser;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import io.vertx.core.buffer.Buffer;

/**
 * On whose behalf a model is called.
 *
 * @param identifier as it is stored
 * @param tier null where nobody has said
 */
record LlmIdentity(String identifier, String tier) {

    static LlmIdentity user(String name, String tier) {
        return new LlmIdentity(Identity.user(name, Identity.Source.PRINCIPAL, tier).identifier(), tier);
    }

    /** @throws IllegalArgumentException where it is no user's name */
    static String requireUser(String name) {
        if (name == null || name.isBlank()) {
            throw new IllegalArgumentException("user must not be blank");
        }
        return name;
    }

    /** The same with another tier, where one is said. */
    LlmIdentity withTier(String otherTier) {
        return otherTier == null ? this : new LlmIdentity(identifier, otherTier);
    }

    LlmCallEstimate estimate(Provider provider, LlmRequest request) {
        long maxOutputTokens = request.maxOutputTokens() < 0 ? -1 : request.maxOutputTokens() * request.choices();
        return new LlmCallEstimate(provider, identifier, tier, request.model(), request.estimatedInputTokens(),
                maxOutputTokens);
    }

    /**
     * Of whatever body it is: what cannot be read, the provider will refuse.
     *
     * @param body null where it is not known
     */
    LlmCallEstimate estimate(Provider provider, ProviderOperation operation, Buffer body) {
        if (body == null) {
            return new LlmCallEstimate(provider, identifier, tier, operation.model(), 0, -1);
        }
        try {
            return estimate(provider, LlmRequestParser.parse(provider, operation, body));
        } catch (InvalidRequestBodyException e) {
            return new LlmCallEstimate(provider, identifier, tier, operation.model(),
                    LlmCallEstimate.estimateTokens(body.length()),
                    -1);
        }
    }
}
