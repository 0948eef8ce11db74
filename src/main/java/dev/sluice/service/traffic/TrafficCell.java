package dev.sluice.service.traffic;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.ResourceCheck;

/**
 * Counters of one rule and tier. Counting allocates nothing, except for the first decision of an identifier between two collections.
 * Thread-safe.
 */
final class TrafficCell {

    /** Maximum number of resources of an identifier whose rates are kept between two collections. */
    private static final int MAX_RATES = 20;

    /** Decisions of one identifier since the last collection. */
    static final class Tally {

        final AtomicInteger allowed = new AtomicInteger();
        final AtomicInteger denied = new AtomicInteger();
        /** Checks that were decided together with another one, which alone is counted. */
        final AtomicInteger uncounted = new AtomicInteger();
        /** Rates of its last requests, by resource; null if they are those of a rule. */
        final @Nullable ConcurrentHashMap<String, Rate> rates;

        Tally(boolean keepsRates) {
            rates = keepsRates ? new ConcurrentHashMap<>() : null;
        }

        private void keep(List<ResourceCheck> checks) {
            for (int i = 0; i < checks.size(); i++) { // allocates no iterator
                keep(checks.get(i));
            }
        }

        private void keep(ResourceCheck check) {
            var known = rates.get(check.resource());
            if (check.rate().equals(known)) {
                return;
            }
            if (!isListed(check.rate())) {
                rates.remove(check.resource());
            } else if (known != null || rates.mappingCount() < MAX_RATES) {
                rates.put(check.resource(), check.rate());
            }
        }

        /** Returns whether the windows of a rate are listed by its text: those of requests. */
        private static boolean isListed(Rate rate) {
            return !rate.quotas().isEmpty() && rate.quotas().stream().allMatch(quota -> quota.unit() == QuotaUnit.REQUESTS);
        }
    }

    private final int maxIdentifiers;
    private final boolean keepsRates;
    private final LongAdder allowed = new LongAdder();
    private final LongAdder denied = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private volatile ConcurrentHashMap<String, Tally> tallies = new ConcurrentHashMap<>();
    /** Apart from the others, so that they take no room of identifiers that are counted. */
    private volatile ConcurrentHashMap<String, Tally> uncounted = new ConcurrentHashMap<>();
    /** Counts up to the last collection. Used by the collecting thread only. */
    private RuleCounts collected = RuleCounts.NONE;

    /**
     * @param maxIdentifiers maximum number of identifiers between two collections; others are counted only for the rule
     * @param keepsRates whether the rates of requests are kept, because they come with the requests
     */
    TrafficCell(int maxIdentifiers, boolean keepsRates) {
        this.maxIdentifiers = maxIdentifiers;
        this.keepsRates = keepsRates;
    }

    /** @param checks the checks of the request */
    void count(String identifier, boolean isDenied, List<ResourceCheck> checks) {
        (isDenied ? denied : allowed).increment();
        var tally = tally(tallies, identifier);
        if (tally != null) {
            if (keepsRates) {
                tally.keep(checks);
            }
            (isDenied ? tally.denied : tally.allowed).getAndIncrement();
        }
    }

    /** Keeps the rates of checks, which are not counted. */
    void keepRates(String identifier, List<ResourceCheck> checks) {
        var tally = keepsRates ? tally(uncounted, identifier) : null;
        if (tally != null) {
            tally.keep(checks);
            tally.uncounted.getAndIncrement();
        }
    }

    /** Returns the tally of an identifier; null if there are too many. */
    private @Nullable Tally tally(ConcurrentHashMap<String, Tally> current, String identifier) {
        var tally = current.get(identifier);
        return tally != null || current.mappingCount() >= maxIdentifiers
                ? tally
                : current.computeIfAbsent(identifier, any -> new Tally(keepsRates));
    }

    void countError() {
        errors.increment();
    }

    /**
     * Returns the decisions since the last collection, and begins the next one. For one thread at a time. A decision that is counted
     * meanwhile may be missing in the count of its identifier, but not in that of the rule.
     *
     * @param identifiers receives each identifier, which may be in two tallies: one of counted decisions, and one of others
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
        if (!uncounted.isEmpty()) {
            var before = uncounted;
            uncounted = new ConcurrentHashMap<>();
            before.forEach(identifiers);
        }
        return counts;
    }
}
