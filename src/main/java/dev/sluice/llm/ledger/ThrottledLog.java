package dev.sluice.llm.ledger;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** Logs an event that may occur with every request at most once a minute. */
final class ThrottledLog {

    private static final long INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final AtomicLong occurrences = new AtomicLong();
    private final AtomicLong nextLogNanos = new AtomicLong(System.nanoTime());

    /** @param line receives the number of occurrences since the last line */
    void log(LongConsumer line) {
        occurrences.incrementAndGet();
        long now = System.nanoTime();
        long next = nextLogNanos.get();
        if (now - next >= 0 && nextLogNanos.compareAndSet(next, now + INTERVAL_NANOS)) {
            line.accept(occurrences.getAndSet(0));
        }
    }
}
