package dev.sluice.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.api.Decision;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.RateLimitRequest;

/** Numbers of this instance's requests that hold slots of a concurrency limit, by the label of the rule. Thread-safe. */
public final class InFlightRequests {

    private final Map<String, LongAdder> byLabel = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> announced = new ConcurrentHashMap<>();
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

    private void announce(String label, LongAdder count) {
        if (announced.putIfAbsent(label, count) == null) {
            listener.accept(label, count::sum);
        }
    }

    /** Returns a decision with slots that are counted until they are released; the same decision, if it has none. */
    Decision count(List<RateLimitRequest> requests, Decision decision) {
        return decision.slot() == ConcurrencySlot.NONE ? decision : decision.withSlot(counted(requests, decision));
    }

    private ConcurrencySlot counted(List<RateLimitRequest> requests, Decision decision) {
        var counts = new ArrayList<LongAdder>(1);
        for (var request : requests) {
            if (holdsSlot(request, decision)) {
                counts.add(count(request.label()));
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

    private LongAdder count(String label) {
        var count = byLabel.get(label);
        if (count == null) {
            count = byLabel.computeIfAbsent(label, created -> new LongAdder());
            announce(label, count);
        }
        return count;
    }
}
