package dev.sluice.llm.protocol;

import java.util.List;

import io.vertx.core.buffer.Buffer;

/**
 * Parsed LLM request.
 *
 * @param model the model's name; empty if none is named
 * @param streaming whether a stream of events is requested
 * @param estimatedInputTokens input tokens, estimated from the texts and media in the body
 * @param maxOutputTokens maximum output tokens of one choice, as set by the caller; -1 if the request sets no maximum
 * @param choices number of choices requested, 1 to 128
 * @param background whether the provider shall respond before it has generated the output (OpenAI's Responses)
 * @param stored whether the provider stores the response, for {@link ProviderOperation.Kind#STORED} requests (OpenAI's Responses)
 * @param usageRequested whether the caller has requested the usage of a chat stream
 * @param details what the request says that changes the price of its tokens: tier of service, fast mode, region
 * @param furtherModels further models that the request names, of which one may answer or work for a tool; an empty name for one
 * that is not known
 * @param toolModels models of tools that name none, which are the provider's choice
 * @param inputElsewhere whether a part of the input is not in the request, so that its size is not known: files, earlier responses,
 * results of tools that the provider runs
 * @param references ids of stored responses and conversations that the call continues (OpenAI's Responses)
 * @param body the body as received
 * @param bodyWithUsage the body of a chat stream with the usage requested; {@code body} itself if nothing has to be changed
 */
public record LlmRequest(String model, boolean streaming, long estimatedInputTokens, long maxOutputTokens, int choices,
        boolean background, boolean stored, boolean usageRequested, UsageDetails details, List<String> furtherModels,
        List<String> toolModels, boolean inputElsewhere,
        List<String> references,
        Buffer body, Buffer bodyWithUsage) {

    /** Creates a request for tokens at their usual price. */
    LlmRequest(String model, boolean streaming, long estimatedInputTokens, long maxOutputTokens, int choices,
            boolean background, boolean usageRequested, Buffer body, Buffer bodyWithUsage) {
        this(model, streaming, estimatedInputTokens, maxOutputTokens, choices, background, false, usageRequested,
                UsageDetails.NONE, List.of(), List.of(), false, List.of(), body, bodyWithUsage);
    }

    /** Returns the request as one to another model: that of a deployment, which the path names. */
    LlmRequest withModel(String other) {
        return new LlmRequest(other, streaming, estimatedInputTokens, maxOutputTokens, choices, background, stored,
                usageRequested, details, furtherModels, toolModels, inputElsewhere, references, body, bodyWithUsage);
    }

    /** Returns the maximum output tokens of all choices; -1 if the request sets no maximum. */
    public long maxTotalOutputTokens() {
        return maxOutputTokens < 0 ? -1 : maxOutputTokens * choices;
    }
}
