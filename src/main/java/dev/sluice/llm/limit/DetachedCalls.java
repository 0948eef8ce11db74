package dev.sluice.llm.limit;

import java.util.concurrent.TimeUnit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

/**
 * Calls whose usage is reported later, by their reservation. Each is ended by its own reservation only, once: usage reported with
 * another one must not make room for a further call that reserves less than it may cost. Bounded, thread-safe and non-blocking.
 */
final class DetachedCalls {

    private static final int MAX_CALLS = 10_000;

    private final Cache<String, PlannedCall> calls = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_CALLS)
            .expireAfterWrite(UnderReservedCalls.MAX_CALL_NANOS, TimeUnit.NANOSECONDS).build();

    /**
     * Begins to wait for the usage of a call, if it is one of those in flight of which there may be only a few.
     *
     * @param reservation null if nothing is reserved
     */
    void add(String reservation, PlannedCall call) {
        if (reservation != null && call.isCountedInFlight()) {
            calls.put(reservation, call);
        }
    }

    /**
     * Ends a call among those in flight. Without effect if another instance has admitted it, if it has ended, and after an hour.
     *
     * @param reservation null if nothing is reserved
     */
    void end(String reservation) {
        var call = reservation == null ? null : calls.asMap().remove(reservation);
        if (call != null) {
            call.cancel();
        }
    }
}
