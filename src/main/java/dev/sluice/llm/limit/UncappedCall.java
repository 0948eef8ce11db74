package dev.sluice.llm.limit;

import dev.sluice.llm.protocol.TokenUsage;

/** Call in flight that sets no maximum of its output. Ended once. */
final class UncappedCall {

    private final ModelOutputs outputs;
    private final int slot;
    private final long startedAt;
    private final long estimate;
    private final int choices;

    /**
     * @param slot number of the call among those in flight; negative if it is not one of the first
     * @param estimate estimated output tokens of one choice
     */
    UncappedCall(ModelOutputs outputs, int slot, long startedAt, long estimate, int choices) {
        this.outputs = outputs;
        this.slot = slot;
        this.startedAt = startedAt;
        this.estimate = estimate;
        this.choices = choices;
    }

    /** Returns the estimated output tokens of all choices. */
    long estimatedTokens() {
        return estimate * choices;
    }

    /**
     * Ends the call with its usage.
     *
     * @param estimated whether the usage is estimated: it then counts only if it is larger than what was estimated before the
     * call, so that calls that are broken off do not lower the estimate
     * @return output tokens of one choice; negative if they do not count
     */
    long end(TokenUsage usage, boolean estimated) {
        outputs.end(slot, startedAt);
        long tokens = (usage.output() + choices - 1) / choices;
        if (estimated && tokens <= estimate) {
            return -1;
        }
        outputs.add(tokens);
        return tokens;
    }

    /** Ends the call without usage: it was denied or has failed. */
    void cancel() {
        outputs.end(slot, startedAt);
    }
}
