package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

/**
 * Calls in flight that reserve less of a budget than they may cost. Each budget of an identifier has at most one of them on this
 * instance: together with the other reservations, which are complete, a budget is exceeded by one call at most. Bounded,
 * thread-safe and non-blocking.
 */
final class UnderReservedCalls {

    private static final int MAX_BUDGETS = 10_000;
    /** Time after which a call is no longer taken for in flight. Longer than a stream of 128,000 tokens. */
    static final long MAX_CALL_NANOS = TimeUnit.HOURS.toNanos(1);

    /**
     * Budget of an identifier.
     *
     * @param resource name of the resource
     */
    record Budget(String identifier, String resource) {
    }

    private final Cache<Budget, CallsInFlight> calls = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_BUDGETS)
            .build();
    private final LongSupplier nanoTime;

    UnderReservedCalls(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * Begins a call that reserves less than it may cost, of several budgets.
     *
     * @return ends the call; null if there is one already of any of the budgets, so that this one must reserve what it may cost
     */
    Runnable begin(List<Budget> budgets) {
        if (budgets.size() == 1) {
            return begin(budgets.get(0));
        }
        var begun = new ArrayList<Runnable>(budgets.size());
        for (var budget : budgets) {
            var end = begin(budget);
            if (end == null) {
                begun.forEach(Runnable::run);
                return null;
            }
            begun.add(end);
        }
        return () -> begun.forEach(Runnable::run);
    }

    private Runnable begin(Budget budget) {
        var inFlight = calls.get(budget, created -> new CallsInFlight(1, MAX_CALL_NANOS));
        long now = nanoTime.getAsLong();
        int slot = inFlight.begin(now);
        return slot == CallsInFlight.NONE ? null : () -> inFlight.end(slot, now);
    }
}
