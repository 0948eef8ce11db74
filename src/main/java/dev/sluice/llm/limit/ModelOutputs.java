package dev.sluice.llm.limit;

import java.util.concurrent.TimeUnit;

import dev.sluice.llm.ledger.OutputHistogram;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * Outputs of one identifier's calls of one model that set no maximum. Thread-safe.
 * <p>
 * The histogram of all instances is read from the ledger from time to time; calls of this instance count at once.
 */
final class ModelOutputs {

    /** Share of the calls whose output does not exceed the estimate. */
    static final int PERCENT = 95;
    /** Number of calls from which the estimate may be lower than the one without a history. */
    static final int MIN_CALLS = 20;
    /** The estimate is never lower than the largest output of so many last calls: a burst of long outputs raises it at once. */
    static final int LAST_CALLS = 20;
    private static final long READ_INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final long NEVER = -1;

    /** Call in flight that sets no maximum of its output. Ended once. */
    static final class Call {

        private final ModelOutputs outputs;
        private final CallsInFlight inFlight;
        private final int slot;
        private final long startedAt;
        private final long estimate;
        private final int choices;

        /**
         * @param slot of the call among those in flight; {@link CallsInFlight#NONE} if it reserves as much as without a history
         * @param estimate estimated output tokens of one choice
         */
        private Call(ModelOutputs outputs, CallsInFlight inFlight, int slot, long startedAt, long estimate, int choices) {
            this.outputs = outputs;
            this.inFlight = inFlight;
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
            inFlight.end(slot, startedAt);
            long tokens = (usage.output() + choices - 1) / choices;
            if (estimated && tokens <= estimate) {
                return -1;
            }
            outputs.add(tokens);
            return tokens;
        }

        /** Ends the call without usage: it was denied or has failed. */
        void cancel() {
            inFlight.end(slot, startedAt);
        }
    }

    /** Of the ledger. */
    private OutputHistogram older = new OutputHistogram();
    private OutputHistogram recent = new OutputHistogram();
    /** Of this instance, from before and since the read in flight. Those from before are in what it returns. */
    private final OutputHistogram beforeRead = new OutputHistogram();
    private final OutputHistogram sinceRead = new OutputHistogram();
    /** Sum of the others, computed with the estimate. */
    private final OutputHistogram all = new OutputHistogram();
    private final long[] last = new long[LAST_CALLS];
    private int lastIndex;
    private long olderHour = NEVER;
    private boolean reading;
    private boolean read;
    private long readAt;
    /** Estimate, computed whenever an output is added. */
    private long typical;
    private boolean known;

    /**
     * Begins a call.
     *
     * @param inFlight calls in flight of the identifier, for all models
     * @param minimum lower bound of the estimate
     * @param unknown the estimate of a model without a history
     */
    synchronized Call begin(CallsInFlight inFlight, long minimum, long unknown, int choices, long nanos) {
        int slot = known ? inFlight.begin(nanos) : CallsInFlight.NONE;
        long estimate = Math.max(typical, slot == CallsInFlight.NONE ? Math.max(minimum, unknown) : minimum);
        return new Call(this, inFlight, slot, nanos, estimate, choices);
    }

    /** Adds the output of a call. */
    synchronized void add(long tokens) {
        sinceRead.add(tokens);
        last[lastIndex] = tokens;
        lastIndex = (lastIndex + 1) % LAST_CALLS;
        estimate();
    }

    private void estimate() {
        all.clear();
        all.add(older);
        all.add(recent);
        all.add(beforeRead);
        all.add(sinceRead);
        long estimate = all.quantile(PERCENT, TokenUsage.MAX);
        for (long tokens : last) {
            estimate = Math.max(estimate, tokens);
        }
        typical = estimate;
        known = all.calls() >= MIN_CALLS;
    }

    /** Returns whether the ledger is to be read now; if so, {@link #endRead} or {@link #failRead} must follow. */
    synchronized boolean beginRead(long nanos) {
        if (reading || read && nanos - readAt < READ_INTERVAL_NANOS) {
            return false;
        }
        reading = true;
        read = true;
        readAt = nanos;
        beforeRead.add(sinceRead);
        sinceRead.clear();
        return true;
    }

    /** Returns whether the hours before the last two have to be read again. */
    synchronized boolean needsOlder(long hour) {
        return olderHour != hour;
    }

    /** @param olderOutputs outputs of the hours before the last two; null if they were not read again */
    synchronized void endRead(long hour, OutputHistogram olderOutputs, OutputHistogram recentOutputs) {
        if (olderOutputs != null) {
            older = olderOutputs;
            olderHour = hour;
        }
        recent = recentOutputs;
        beforeRead.clear();
        reading = false;
        estimate();
    }

    synchronized void failRead() {
        reading = false;
    }
}
