package dev.sluice.store;

import java.time.Instant;

/** Clock of the in-memory store; tests replace it. */
@FunctionalInterface
public interface MicrosClock {

    MicrosClock SYSTEM = () -> {
        var now = Instant.now();
        return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
    };

    /** Returns microseconds since 1970. */
    long micros();

    /** Converts microseconds since 1970. */
    static Instant instant(long micros) {
        return Instant.ofEpochSecond(Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1000);
    }
}
