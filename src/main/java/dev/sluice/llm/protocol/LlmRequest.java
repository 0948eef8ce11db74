package dev.sluice.llm.protocol;

import io.vertx.core.buffer.Buffer;

/**
 * What a call asks for.
 *
 * @param model empty where none is named
 * @param streaming whether the answer is to come in events
 * @param inputEstimate tokens that the body may come to, by its size
 * @param outputCap the most tokens of one answer that the caller allows; -1 where it sets no limit
 * @param choices how many answers it asks for, from 1 to 128
 * @param usageAsked of a chat stream: whether the caller asked for its usage
 * @param body as it came
 */
public record LlmRequest(String model, boolean streaming, long inputEstimate, long outputCap, int choices,
        boolean usageAsked, Buffer body) {
}
