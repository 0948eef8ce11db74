package dev.sluice.testing.soak;

import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** A client of a soak, which makes attempts until the end. */
abstract class SoakClient implements Runnable {

    final int port;
    final long seed;
    final SoakRecord results;
    private final AtomicLong numbers;
    private final long deadlineNanos;

    /**
     * @param numbers of the attempts of all clients
     * @param deadlineNanos time of {@link System#nanoTime()} at which the last attempt begins
     */
    SoakClient(int port, long seed, AtomicLong numbers, long deadlineNanos, SoakRecord results) {
        this.port = port;
        this.seed = seed;
        this.numbers = numbers;
        this.deadlineNanos = deadlineNanos;
        this.results = results;
    }

    @Override
    public final void run() {
        while (System.nanoTime() < deadlineNanos) {
            long number = numbers.getAndIncrement();
            attempt(number, HostileBehavior.random(seed, -number));
        }
    }

    abstract void attempt(long number, Random random);
}
