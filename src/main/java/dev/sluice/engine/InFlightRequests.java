package dev.sluice.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.api.Decision;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.RateLimitRequest;

/** Numbers of this instance's requests that hold slots of a concurrency limit, by the label of the rule and the tier. Thread-safe. */
public final class InFlightRequests {

    /** Receives numbers. */
    @FunctionalInterface
    public interface Visitor {

        /**
         * Receives the number of a rule and tier.
         *
         * @param tier null if the requests have none
         */
        void visit(String label, @Nullable String tier, long number);
    }

    /** Key of requests without a tier, which is no name of a tier. */
    private static final String NO_TIER = "";

    private final Map<String, Map<String, LongAdder>> byLabel = new ConcurrentHashMap<>();
    private final Set<String> announced = ConcurrentHashMap.newKeySet();
    private volatile BiConsumer<String, LongSupplier> listener = (label, count) -> {
    };

    /**
     * Sets the listener that receives each label once, with its current number.
     *
     * @param listener called on any thread
     */
    public void onLabel(BiConsumer<String, LongSupplier> listener) {
        this.listener = listener;
        byLabel.forEach(this::announce);
    }

    private void announce(String label, Map<String, LongAdder> byTier) {
        if (announced.add(label)) {
            listener.accept(label, () -> byTier.values().stream().mapToLong(LongAdder::sum).sum());
        }
    }

    /** Visits each rule and tier with requests in flight. A number may change meanwhile. */
    public void forEach(Visitor visitor) {
        byLabel.forEach((label, byTier) -> byTier.forEach((tier, count) -> {
            long number = count.sum();
            if (number > 0) {
                visitor.visit(label, tier.equals(NO_TIER) ? null : tier, number);
            }
        }));
    }

    /** Returns a decision with slots that are counted until they are released; the same decision, if it has none. */
    Decision count(List<RateLimitRequest> requests, Decision decision) {
        return decision.slot() == ConcurrencySlot.NONE ? decision : decision.withSlot(counted(requests, decision));
    }

    private ConcurrencySlot counted(List<RateLimitRequest> requests, Decision decision) {
        var counts = new ArrayList<LongAdder>(1);
        for (var request : requests) {
            if (holdsSlot(request, decision)) {
                counts.add(count(request.label(), request.tier()));
            }
        }
        var held = decision.slot();
        var released = new AtomicBoolean();
        counts.forEach(LongAdder::increment);
        return () -> {
            if (released.compareAndSet(false, true)) {
                counts.forEach(LongAdder::decrement);
                held.release();
            }
        };
    }

    private static boolean holdsSlot(RateLimitRequest request, Decision decision) {
        for (var quota : decision.quotas()) {
            if (quota.unit() == QuotaUnit.CONCURRENT_REQUESTS && !quota.denied()
                    && quota.identifier().equals(request.identifier())
                    && request.checks().stream().anyMatch(check -> check.resource().equals(quota.resource()))) {
                return true;
            }
        }
        return false;
    }

    private LongAdder count(String label, @Nullable String tier) {
        var byTier = byLabel.get(label);
        if (byTier == null) {
            byTier = byLabel.computeIfAbsent(label, created -> new ConcurrentHashMap<>());
            announce(label, byTier);
        }
        var key = tier == null ? NO_TIER : tier;
        var count = byTier.get(key);
        return count == null ? byTier.computeIfAbsent(key, created -> new LongAdder()) : count;
    }
}
