package dev.sluice.store.redis;

import java.util.ArrayList;
import java.util.List;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.JointPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.StoreResult;
import dev.sluice.store.concurrency.HeldSlots;

/** Slots of requests in flight that a decision of Redis may take. Accessed on the connection's event loop only. */
final class PendingSlots {

    private final HeldSlots held;
    private final List<HeldSlots.Key> keys = new ArrayList<>(1);
    /** Positions of the claims in the plan. */
    private final List<Integer> positions = new ArrayList<>(1);
    private final List<Long> costs = new ArrayList<>(1);
    /** Numbers of the parts of a joint request. */
    private final List<Integer> parts = new ArrayList<>(1);

    private PendingSlots(HeldSlots held) {
        this.held = held;
    }

    static PendingSlots of(HeldSlots held, String identifier, ClaimPlan plan) {
        var pending = new PendingSlots(held);
        pending.add(identifier, plan, 0, 0);
        return pending;
    }

    static PendingSlots of(HeldSlots held, JointRequest request) {
        var pending = new PendingSlots(held);
        int first = 0;
        for (int part = 0; part < request.identifiers().size(); part++) {
            var claims = request.plan().parts().get(part);
            pending.add(request.identifiers().get(part), claims, first, part);
            first += claims.size();
        }
        return pending;
    }

    private void add(String identifier, ClaimPlan plan, int first, int part) {
        for (int i = 0; i < plan.size(); i++) {
            var claim = plan.get(i);
            if (claim.isConcurrency()) {
                keys.add(new HeldSlots.Key(identifier, claim.resource()));
                positions.add(first + i);
                costs.add(claim.cost());
                parts.add(part);
            }
        }
    }

    void onSent() {
        keys.forEach(held::onSent);
    }

    void onUnsent() {
        keys.forEach(held::onUnsent);
    }

    /** The reply has not arrived, and will not: Redis may have taken the slots. */
    void onNoReply() {
        keys.forEach(held::onNoReply);
    }

    /**
     * Redis has replied.
     *
     * @param joint the plan; null if it concerns one identifier
     * @return the slots that the request holds
     */
    ConcurrencySlot onReply(StoreResult result, JointPlan joint) {
        var results = joint == null ? List.of(result) : joint.split(result);
        var taken = new ArrayList<HeldSlots.Key>(1);
        var units = new ArrayList<Long>(1);
        for (int i = 0; i < keys.size(); i++) {
            boolean takes = joint == null
                    ? result.admitted()
                    : !JointPlan.taken(joint.parts().get(parts.get(i)), results.get(parts.get(i))).isEmpty();
            long cost = takes ? costs.get(i) : 0;
            held.onReply(keys.get(i), result.windows()[positions.get(i)].freeAt(), cost);
            if (cost > 0) {
                taken.add(keys.get(i));
                units.add(cost);
            }
        }
        return held.slot(taken, units);
    }
}
