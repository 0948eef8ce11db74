package dev.sluice.store.memory;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import dev.sluice.api.WindowUsage;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.ReservationToken;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKey;
import dev.sluice.store.WindowStore;
import dev.sluice.store.concurrency.HeldSlots;
import io.smallrye.mutiny.Uni;

/**
 * Window store in this instance's memory, with the same guarantees as in Redis, but for this instance only. Its size is bounded:
 * beyond it, the identifiers that have used the smallest share of their limits are evicted together with their usage (see
 * {@link IdentifierCache}). Thread-safe.
 */
public final class InMemoryWindowStore implements WindowStore {

    /** Minimum size in bytes: with much less, each window would be evicted when it is created. */
    public static final long MIN_BYTES = 1 << 20;

    private final MicrosClock clock;
    private final IdentifierCache identifiers;
    private final HeldSlots held = new HeldSlots();
    /** Identifiers that have, or had, usage which Redis has not counted. */
    private final Set<String> unsyncedIdentifiers = ConcurrentHashMap.newKeySet();
    private volatile Runnable resetAllListener = () -> {
    };

    /**
     * @param exactUpTo largest limit that is counted exactly
     * @param maxBytes approximate maximum memory
     * @param maxWindows maximum number of windows per identifier
     */
    public InMemoryWindowStore(MicrosClock clock, long exactUpTo, long maxBytes, int maxWindows) {
        this.clock = clock;
        this.identifiers = new IdentifierCache(clock, exactUpTo, maxBytes, maxWindows, unsyncedIdentifiers::remove);
    }

    /** Returns the slots of requests in flight that this instance holds. */
    public HeldSlots slots() {
        return held;
    }

    @Override
    public Uni<StoreResult> take(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        return Uni.createFrom().item(() -> takeNow(identifier, claims, consume, reservation));
    }

    /** Makes a decision synchronously; otherwise as {@link #take}. */
    public StoreResult takeNow(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        return identifiers.update(identifier, windows -> {
            long now = clock.micros();
            var current = ClaimPlan.at(claims, now);
            return WindowClaim.ofWindows(claims) == claims
                    ? windows.take(current, now, consume, reservation)
                    : new SlotDecision(held, identifier, current).decide(windows, now, consume, reservation);
        });
    }

    /**
     * Decides on windows of several identifiers, synchronously.
     *
     * @param reservation id of the reservation for the reserved claims; null if there are none
     */
    public StoreResult takeNow(JointRequest request, boolean consume, String reservation) {
        return identifiers.updateAll(request.identifiers(), windows -> {
            long now = clock.micros();
            return new JointDecision(request.at(now), windows, held, reservation).decide(now, consume);
        });
    }

    /** Grants claims as {@link #takeNow} does, and records the grant as not counted by Redis. */
    public StoreResult takeUnsynced(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        var result = takeNow(identifier, claims, consume, reservation);
        if (result.admitted() && consume) {
            addUnsynced(identifier, ClaimPlan.at(claims, result.now()), result.now(), reservation);
        }
        return result;
    }

    /** Records a local grant at this time as not counted by Redis. */
    public void addUnsynced(String identifier, List<WindowClaim> granted, long time, String reservation) {
        var claims = WindowClaim.ofWindows(granted);
        if (claims.isEmpty()) {
            return;
        }
        identifiers.update(identifier, windows -> {
            windows.addUnsynced(claims, time, reservation);
            return null;
        });
        unsyncedIdentifiers.add(identifier);
    }

    /** Applies {@link IdentifierWindows#markUnsyncedSince}, to all identifiers. */
    public void markUnsyncedSince(long logsSince, long countersSince) {
        identifiers.forEach((identifier, windows) -> {
            windows.markUnsyncedSince(logsSince, countersSince, clock.micros());
            if (windows.hasUnsynced()) {
                unsyncedIdentifiers.add(identifier);
            }
        });
    }

    /** Moves a local grant to the time at which Redis granted it too. */
    public void moveGrant(String identifier, List<WindowClaim> granted, long from, long to) {
        var claims = WindowClaim.ofWindows(granted);
        identifiers.update(identifier, windows -> {
            windows.moveGrant(claims, from, to);
            return null;
        });
    }

    /**
     * Counts a grant by Redis.
     *
     * @param count number of requests with this grant
     */
    public void record(String identifier, List<WindowClaim> taken, StoreResult granted, String reservation, int count) {
        var claims = WindowClaim.ofWindows(taken);
        if (claims.isEmpty()) {
            return;
        }
        identifiers.update(identifier, windows -> {
            windows.record(claims, granted, reservation, count);
            return null;
        });
    }

    /** Returns the identifiers with usage that Redis has not counted. */
    public List<String> unsyncedIdentifiers() {
        return List.copyOf(unsyncedIdentifiers);
    }

    /** Removes and returns an identifier's usage that Redis has not counted; null if there is none. */
    public UnsyncedUsage drainUnsynced(String identifier) {
        unsyncedIdentifiers.remove(identifier);
        return identifiers.apply(identifier, null, IdentifierWindows::drainUnsynced);
    }

    /**
     * Restores usage whose merge into Redis failed.
     *
     * @param certain whether Redis has certainly not counted it
     */
    public void restoreUnsynced(String identifier, UnsyncedUsage usage, boolean certain) {
        identifiers.update(identifier, windows -> {
            windows.restoreUnsynced(usage, certain, clock.micros());
            return null;
        });
        unsyncedIdentifiers.add(identifier);
    }

    @Override
    public Uni<Void> settle(String identifier, ReservationToken reservation, Map<String, Long> used) {
        return Uni.createFrom().<Void>item(() -> {
            settleNow(identifier, reservation.id(), used);
            return null;
        });
    }

    /** Settles a reservation. Returns whether Redis had not counted it, and so has nothing to settle. */
    public boolean settleNow(String identifier, String reservation, Map<String, Long> used) {
        return identifiers.apply(identifier, false, windows -> windows.settle(reservation, used, clock.micros()));
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        return Uni.createFrom().item(() -> {
            long now = clock.micros();
            long used = identifiers.apply(identifier, 0L,
                    windows -> windows.used(new WindowKey(resource, window.toSeconds() * 1_000_000), now));
            return new WindowUsage(identifier, resource, used, window, MicrosClock.instant(now));
        });
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, CalendarWindow period) {
        return Uni.createFrom().item(() -> {
            long now = clock.micros();
            var current = period.at(now);
            long used = identifiers.apply(identifier, 0L,
                    windows -> windows.used(new WindowKey(resource, current.span(), current.start()), now));
            return current.usage(identifier, resource, used);
        });
    }

    @Override
    public Uni<Map<WindowKey, Long>> windows(String identifier) {
        return Uni.createFrom()
                .item(() -> identifiers.apply(identifier, Map.of(), windows -> windows.used(clock.micros())));
    }

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        return Uni.createFrom().<Void>item(() -> {
            resetNow(identifier, resource);
            return null;
        });
    }

    /**
     * Resets windows synchronously.
     *
     * @param resource null for every resource of the identifier
     */
    public void resetNow(String identifier, String resource) {
        identifiers.apply(identifier, null, windows -> {
            windows.reset(resource);
            return null;
        });
    }

    @Override
    public Uni<Void> resetAll() {
        return Uni.createFrom().<Void>item(() -> {
            resetAllNow();
            return null;
        });
    }

    /** @param listener called before all windows are reset */
    public void onResetAll(Runnable listener) {
        resetAllListener = listener;
    }

    /** Resets all windows synchronously. */
    public void resetAllNow() {
        resetAllListener.run();
        identifiers.forEach((identifier, windows) -> windows.reset(null));
    }

    /** Returns the approximate number of bytes in use. */
    long bytes() {
        return identifiers.bytes();
    }
}
