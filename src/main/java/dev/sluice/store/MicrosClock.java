package dev.sluice.store;

import java.time.Clock;
import java.time.Instant;

/** Clock of the in-memory store; tests replace it. */
@FunctionalInterface
public interface MicrosClock {

    MicrosClock SYSTEM = () -> micros(Instant.now());

    /** Returns microseconds since 1970. */
    long micros();

    /** Returns a clock that tells the time of another one. */
    static MicrosClock of(Clock clock) {
        return () -> micros(clock.instant());
    }

    private static long micros(Instant time) {
        return time.getEpochSecond() * 1_000_000 + time.getNano() / 1000;
    }

    /** Converts microseconds since 1970. */
    static Instant instant(long micros) {
        return Instant.ofEpochSecond(Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1000);
    }
}
