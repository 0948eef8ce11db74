package dev.sluice.llm.ledger;

import org.jboss.logging.Logger;

import dev.sluice.store.ThrottledLog;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** Counts and logs the ledger's entries that could not be booked, or not completely. */
final class BatchOutcomes {

    /** Outcomes of an entry, as returned by book.lua. */
    private static final char ALREADY_BOOKED = '0';
    private static final char BOOKED = '1';
    private static final char CAPPED = '2';
    private static final char UNBOOKABLE = '3';
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Counter dropped;
    private final ThrottledLog capped = new ThrottledLog();
    private final ThrottledLog unbookable = new ThrottledLog();

    BatchOutcomes(MeterRegistry meters) {
        dropped = Counter.builder("llm_ledger_dropped")
                .description(
                        "Calls that are missing from the ledger, in whole or in part: the buffer was full while Redis was"
                                + " unavailable, or a sum was at its maximum")
                .register(meters);
    }

    void countDropped() {
        dropped.increment();
    }

    /**
     * Records the outcomes of a batch, and completes its entries.
     *
     * @param outcomes as returned by book.lua; shorter if the outcome is not known any more
     */
    void record(WriteBuffer.Batch batch, String outcomes) {
        for (int i = 0; i < batch.entries().size(); i++) {
            var entry = batch.entries().get(i);
            char outcome = i < outcomes.length() ? outcomes.charAt(i) : BOOKED;
            if (outcome == CAPPED) {
                dropped.increment();
                capped.log(
                        times -> LOG.warnf("Ledger sum is at its maximum and cannot grow: provider=%s model=%s entries=%d",
                                entry.key().provider(), entry.key().model(), times));
            } else if (outcome == UNBOOKABLE) {
                dropped.increment();
                unbookable.log(
                        times -> LOG.errorf("Ledger entry cannot be booked and is dropped: provider=%s model=%s entries=%d",
                                entry.key().provider(), entry.key().model(), times));
            }
            if (entry.result() != null) {
                entry.result().tryComplete(outcome != ALREADY_BOOKED);
            }
        }
    }
}
