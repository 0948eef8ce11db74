package dev.sluice.store;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;

/** Logs an event that may occur with every request at most once a minute, with the number of its occurrences. Thread-safe. */
public final class ThrottledLog {

    private final LongAdder occurrences = new LongAdder();
    private final LogInterval interval = new LogInterval(TimeUnit.MINUTES.toNanos(1), System.nanoTime());

    /** @param line receives the number of occurrences since the last line */
    public void log(LongConsumer line) {
        log(1, line);
    }

    /** @param line receives the number of occurrences since the last line */
    public void log(long times, LongConsumer line) {
        occurrences.add(times);
        if (interval.tryPass(System.nanoTime())) {
            line.accept(occurrences.sumThenReset());
        }
    }
}
