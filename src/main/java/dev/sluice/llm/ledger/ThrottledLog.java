package dev.sluice.llm.ledger;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** Writes at most one line a minute about something that may happen with every request. */
final class ThrottledLog {

    private static final long PAUSE_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final AtomicLong times = new AtomicLong();
    private final AtomicLong nextLine = new AtomicLong(System.nanoTime());

    /** @param line is given how often it happened since the line before */
    void warn(LongConsumer line) {
        times.incrementAndGet();
        long now = System.nanoTime();
        long next = nextLine.get();
        if (now - next >= 0 && nextLine.compareAndSet(next, now + PAUSE_NANOS)) {
            line.accept(times.getAndSet(0));
        }
    }
}
