package dev.sluice.llm.ledger;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** Writes at most one line a minute about something that may happen with every request. */
final class ThrottledLog {

    private static final long INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final AtomicLong occurrences = new AtomicLong();
    private final AtomicLong nextLogNanos = new AtomicLong(System.nanoTime());

    /** @param line is given how often it happened since the line before */
    void log(LongConsumer line) {
        occurrences.incrementAndGet();
        long now = System.nanoTime();
        long next = nextLogNanos.get();
        if (now - next >= 0 && nextLogNanos.compareAndSet(next, now + INTERVAL_NANOS)) {
            line.accept(occurrences.getAndSet(0));
        }
    }
}
