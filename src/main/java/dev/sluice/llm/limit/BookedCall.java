package dev.sluice.llm.limit;

import dev.sluice.llm.protocol.TokenUsage;

/**
 * End of a call that was booked.
 *
 * @param usage the tokens that are booked
 * @param responseModel the model named in the response; null if it is not known
 * @param picodollars the cost in 10⁻¹² US dollars; negative if the model has no price
 */
public record BookedCall(TokenUsage usage, String responseModel, long picodollars) {
}
