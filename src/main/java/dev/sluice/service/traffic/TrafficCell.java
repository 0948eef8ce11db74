package dev.sluice.service.traffic;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;

/**
 * Counters of one rule and tier. Counting allocates nothing, except for the first decision of an identifier between two collections.
 * Thread-safe.
 */
final class TrafficCell {

    /** Decisions of one identifier since the last collection. */
    static final class Tally {

        final AtomicInteger allowed = new AtomicInteger();
        final AtomicInteger denied = new AtomicInteger();
    }

    private final int maxIdentifiers;
    private final LongAdder allowed = new LongAdder();
    private final LongAdder denied = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private volatile ConcurrentHashMap<String, Tally> tallies = new ConcurrentHashMap<>();
    /** Counts up to the last collection. Used by the collecting thread only. */
    private RuleCounts collected = RuleCounts.NONE;

    /** @param maxIdentifiers maximum number of identifiers between two collections; others are counted only for the rule */
    TrafficCell(int maxIdentifiers) {
        this.maxIdentifiers = maxIdentifiers;
    }

    void count(String identifier, boolean isDenied) {
        (isDenied ? denied : allowed).increment();
        var current = tallies;
        var tally = current.get(identifier);
        if (tally == null) {
            if (current.mappingCount() >= maxIdentifiers) {
                return;
            }
            tally = current.computeIfAbsent(identifier, any -> new Tally());
        }
        (isDenied ? tally.denied : tally.allowed).getAndIncrement();
    }

    void countError() {
        errors.increment();
    }

    /**
     * Returns the decisions since the last collection, and begins the next one. For one thread at a time. A decision that is counted
     * meanwhile may be missing in the count of its identifier, but not in that of the rule.
     *
     * @param identifiers receives each identifier
     */
    RuleCounts collect(BiConsumer<String, Tally> identifiers) {
        var total = new RuleCounts(allowed.sum(), denied.sum(), errors.sum());
        var counts = total.minus(collected);
        collected = total;
        if (counts.total() > 0) {
            var before = tallies;
            tallies = new ConcurrentHashMap<>();
            before.forEach(identifiers);
        }
        return counts;
    }
}
