package dev.sluice.store.memory;

import java.util.ArrayList;
import java.util.List;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.store.JointPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKey;
import dev.sluice.store.concurrency.HeldSlots;

/** Decision on windows of several identifiers, the same as that of the script in Redis. Must be made with the monitors of all. */
final class JointDecision {

    private final JointPlan plan;
    private final JointRequest request;
    private final HeldSlots held;
    private final List<IdentifierWindows> identifiers;
    private final StoredWindow[] windows;
    private final long[] retries;
    /** True if a part may not have the further windows that it needs. */
    private final boolean[] full;
    private final boolean[] exceeded;
    /** Null if nothing is reserved. */
    private final String reservation;
    private long now;
    /** End of the first calendar period, in microseconds. */
    private long end = Long.MAX_VALUE;

    /**
     * @param identifiers the windows of each part's identifier
     * @param held the slots of requests in flight
     * @param reservation id of the reservation for the reserved claims; null if there are none
     */
    JointDecision(JointRequest request, List<IdentifierWindows> identifiers, HeldSlots held, String reservation) {
        this.plan = request.plan();
        this.request = request;
        this.held = held;
        this.reservation = reservation;
        this.identifiers = identifiers;
        this.windows = new StoredWindow[plan.claims().size()];
        this.retries = new long[plan.claims().size()];
        this.full = new boolean[plan.parts().size()];
        this.exceeded = new boolean[plan.parts().size()];
    }

    StoreResult decide(long clock, boolean consume) {
        now = clock;
        int first = 0;
        for (int part = 0; part < full.length; part++) {
            examine(part, first, clock, consume);
            first += plan.parts().get(part).size();
        }
        boolean admitted = plan.isAdmitted(exceeded);
        var states = new StoreResult.WindowState[windows.length];
        var slots = new ArrayList<ConcurrencySlot>(0);
        first = 0;
        for (int part = 0; part < full.length; part++) {
            var claims = plan.parts().get(part);
            boolean takes = consume && !full[part] && claims.get(0).enforcement().takes(admitted, exceeded[part]);
            if (takes && claims.hasConcurrency()) {
                slots.add(held.take(request.identifiers().get(part), claims));
            }
            for (int i = 0; i < claims.size(); i++) {
                states[first + i] = claims.get(i).isConcurrency()
                        ? SlotDecision.state(held, request.identifiers().get(part), claims.get(i), retries[first + i])
                        : apply(claims.get(i), first + i, identifiers.get(part), takes, full[part], clock);
            }
            first += claims.size();
        }
        return new StoreResult(admitted, Math.min(now, end - 1), states, HeldSlots.combine(slots));
    }

    /** Finds the windows of a part, and which of its claims do not fit. */
    private void examine(int part, int first, long clock, boolean consume) {
        var claims = plan.parts().get(part);
        var table = identifiers.get(part).windows();
        table.prune(claims.size(), clock);
        int missing = 0;
        for (int i = 0; i < claims.size(); i++) {
            var claim = claims.get(i);
            if (claim.isConcurrency()) {
                retries[first + i] = SlotDecision.retryAt(held, request.identifiers().get(part), claim, plan.needed(claim),
                        clock);
                exceeded[part] |= retries[first + i] != 0;
                continue;
            }
            var key = WindowKey.of(claim);
            var window = table.find(key);
            windows[first + i] = window;
            end = Math.min(end, key.end());
            now = window == null ? now : Math.max(now, window.advance(clock));
            long used = window == null ? 0 : window.units().used();
            long needed = plan.needed(claim);
            if (needed > 0 && used + needed > claim.share()) {
                exceeded[part] = true;
                retries[first + i] = StoreResult.NEVER; // until it is known what is taken
            } else if (window == null && consume && claim.cost() > 0) {
                missing++;
            }
        }
        long fullUntil = missing > 0 ? table.fullUntil(missing, clock) : WindowTable.HAS_ROOM;
        if (fullUntil != WindowTable.HAS_ROOM) {
            full[part] = true;
            exceeded[part] = true;
            for (int i = 0; i < claims.size(); i++) {
                if (windows[first + i] == null && claims.get(i).cost() > 0 && !claims.get(i).isConcurrency()) {
                    retries[first + i] = fullUntil;
                }
            }
        }
    }

    private StoreResult.WindowState apply(WindowClaim claim, int i, IdentifierWindows identifier, boolean takes,
            boolean withoutRoom, long clock) {
        boolean denied = retries[i] != 0;
        if (withoutRoom && windows[i] == null && claim.cost() > 0) {
            return new StoreResult.WindowState(claim.share(), Math.max(0, retries[i]), retries[i]);
        }
        if (takes && claim.cost() > 0) {
            windows[i] = identifier.windows().open(claim, windows[i], now);
            long time = windows[i].timeOf(now);
            windows[i].units().add(time, claim.cost());
            identifier.windows().countGrowth(windows[i]);
            identifier.reserve(claim, windows[i], time, reservation, clock);
        }
        long used = windows[i] == null ? 0 : windows[i].units().used();
        long retry = 0;
        if (denied) {
            long needed = plan.needed(claim);
            retry = needed > claim.share() ? StoreResult.NEVER : windows[i].freeAt(used + needed - claim.share());
        }
        return new StoreResult.WindowState(used, used == 0 ? 0 : windows[i].freeAt(1), retry);
    }
}
