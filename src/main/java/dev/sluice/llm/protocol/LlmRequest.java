package dev.sluice.llm.protocol;

import io.vertx.core.buffer.Buffer;

/**
 * What a call asks for.
 *
 * @param model empty where none is named
 * @param streaming whether the answer is to come in events
 * @param estimatedInputTokens tokens that the body may come to, by its size
 * @param maxOutputTokens the most tokens of one answer that the caller allows; -1 where it sets no limit
 * @param choices how many answers it asks for, from 1 to 128
 * @param usageRequested of a chat stream: whether the caller asked for its usage
 * @param body as it came
 */
public record LlmRequest(String model, boolean streaming, long estimatedInputTokens, long maxOutputTokens, int choices,
        boolean usageRequested, Buffer body) {
}
