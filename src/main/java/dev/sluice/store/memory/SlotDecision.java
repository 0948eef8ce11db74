package dev.sluice.store.memory;

import java.util.List;

import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.concurrency.HeldSlots;

/**
 * Decision on windows and slots of requests in flight of one identifier. Must be made with its monitor: slots are taken by nobody else
 * then, and may only become free.
 */
final class SlotDecision {

    /** When to try again: nobody knows when a request will end. */
    static final long RETRY_MICROS = 1_000_000;

    private final HeldSlots held;
    private final String identifier;
    private final List<WindowClaim> claims;

    SlotDecision(HeldSlots held, String identifier, List<WindowClaim> claims) {
        this.held = held;
        this.identifier = identifier;
        this.claims = claims;
    }

    /** @param reservation null if no claim is reserved */
    StoreResult decide(IdentifierWindows windows, long clock, boolean consume, String reservation) {
        boolean free = true;
        for (var claim : claims) {
            free &= !claim.isConcurrency() || retryAt(held, identifier, claim, claim.cost(), clock) == 0;
        }
        var ofWindows = windows.take(WindowClaim.ofWindows(claims), clock, consume && free, reservation);
        boolean admitted = free && ofWindows.admitted();
        var states = new StoreResult.WindowState[claims.size()];
        var slot = admitted && consume ? held.take(identifier, claims) : null;
        int next = 0;
        for (int i = 0; i < states.length; i++) {
            var claim = claims.get(i);
            states[i] = claim.isConcurrency()
                    ? state(held, identifier, claim, slot == null ? retryAt(held, identifier, claim, claim.cost(), clock) : 0)
                    : ofWindows.windows()[next++];
        }
        var result = new StoreResult(admitted, ofWindows.now(), states);
        return slot == null ? result : result.with(slot);
    }

    /** Returns when to try again if slots are not free; 0 if they are. */
    static long retryAt(HeldSlots held, String identifier, WindowClaim claim, long needed, long clock) {
        if (needed > claim.share()) {
            return StoreResult.NEVER;
        }
        return needed > 0 && held.units(identifier, claim.resource()) + needed > claim.share() ? clock + RETRY_MICROS : 0;
    }

    static StoreResult.WindowState state(HeldSlots held, String identifier, WindowClaim claim, long retryAt) {
        return new StoreResult.WindowState(held.units(identifier, claim.resource()), 0, retryAt);
    }
}
