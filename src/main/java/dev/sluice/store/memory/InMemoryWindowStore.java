package dev.sluice.store.memory;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.api.WindowUsage;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.ReservationToken;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowStore;
import io.smallrye.mutiny.Uni;

/**
 * Window store in this instance's memory, with the same guarantees as in Redis, but for this instance only. Its size is bounded:
 * beyond it, the least recently used identifiers are evicted together with their usage. Thread-safe.
 */
public final class InMemoryWindowStore implements WindowStore {

    /** Minimum size in bytes: with much less, each window would be evicted when it is created. */
    public static final long MIN_BYTES = 1 << 20;

    private static final int MAX_TRIES = 100;

    private final MicrosClock clock;
    private final Cache<String, IdentifierWindows> entries;
    private final Function<String, IdentifierWindows> entryFactory;
    /** Identifiers that have, or had, usage which Redis has not counted. */
    private final Set<String> unsyncedIdentifiers = ConcurrentHashMap.newKeySet();
    private volatile Runnable resetAllListener = () -> {
    };

    public InMemoryWindowStore(MicrosClock clock, long exactUpTo, long maxBytes) {
        this.clock = clock;
        this.entryFactory = identifier -> new IdentifierWindows(exactUpTo);
        this.entries = Caffeine.newBuilder()
                .ticker(() -> TimeUnit.MICROSECONDS.toNanos(clock.micros()))
                .executor(Runnable::run)
                .maximumWeight(maxBytes)
                .<String, IdentifierWindows>weigher(InMemoryWindowStore::bytes)
                .expireAfter(new IdentifierExpiry())
                .evictionListener((identifier, entry, cause) -> {
                    synchronized (entry) {
                        entry.markEvicted();
                    }
                    unsyncedIdentifiers.remove(identifier);
                })
                .build();
    }

    private static int bytes(String identifier, IdentifierWindows entry) {
        synchronized (entry) {
            return identifier.length() + entry.estimatedBytes();
        }
    }

    @Override
    public Uni<StoreResult> take(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        return Uni.createFrom().item(() -> takeNow(identifier, claims, consume, reservation));
    }

    /** Makes a decision synchronously; otherwise as {@link #take}. */
    public StoreResult takeNow(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        return update(identifier, entry -> entry.take(claims, clock.micros(), consume, reservation));
    }

    /** Grants claims as {@link #takeNow} does, and records the grant as not counted by Redis. */
    public StoreResult takeUnsynced(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        var result = takeNow(identifier, claims, consume, reservation);
        if (result.admitted() && consume) {
            addUnsynced(identifier, claims, result.now(), reservation);
        }
        return result;
    }

    /** Records a local grant at this time as not counted by Redis. */
    public void addUnsynced(String identifier, List<WindowClaim> claims, long time, String reservation) {
        update(identifier, entry -> {
            entry.addUnsynced(claims, time, reservation);
            return null;
        });
        unsyncedIdentifiers.add(identifier);
    }

    /** Applies {@link IdentifierWindows#markUnsyncedSince}, to all identifiers. */
    public void markUnsyncedSince(long logsSince, long countersSince) {
        entries.asMap().forEach((identifier, entry) -> {
            synchronized (entry) {
                entry.markUnsyncedSince(logsSince, countersSince, clock.micros());
                if (entry.hasUnsynced()) {
                    unsyncedIdentifiers.add(identifier);
                }
            }
        });
    }

    /** Moves a local grant to the time at which Redis granted it too. */
    public void moveGrant(String identifier, List<WindowClaim> claims, long from, long to) {
        update(identifier, entry -> {
            entry.moveGrant(claims, from, to);
            return null;
        });
    }

    /**
     * Counts a grant by Redis.
     *
     * @param count number of requests with this grant
     */
    public void record(String identifier, List<WindowClaim> claims, StoreResult granted, String reservation, int count) {
        update(identifier, entry -> {
            entry.record(claims, granted, reservation, count);
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
        var entry = entries.getIfPresent(identifier);
        if (entry == null) {
            return null;
        }
        synchronized (entry) {
            return entry.drainUnsynced();
        }
    }

    /**
     * Restores usage whose merge into Redis failed.
     *
     * @param certain whether Redis has certainly not counted it
     */
    public void restoreUnsynced(String identifier, UnsyncedUsage usage, boolean certain) {
        update(identifier, entry -> {
            entry.restoreUnsynced(usage, certain, clock.micros());
            return null;
        });
        unsyncedIdentifiers.add(identifier);
    }

    private <T> T update(String identifier, Function<IdentifierWindows, T> task) {
        for (int tries = 1;; tries++) {
            var entry = entries.get(identifier, entryFactory);
            int before;
            int after;
            T result;
            synchronized (entry) {
                if (entry.evicted() && tries < MAX_TRIES) {
                    continue; // evicted after the lookup
                }
                before = entry.estimatedBytes();
                result = task.apply(entry);
                after = entry.estimatedBytes();
            }
            if (before != after) {
                entries.asMap().replace(identifier, entry, entry); // updates its weight and expiry
            }
            return result;
        }
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
        var entry = entries.getIfPresent(identifier);
        if (entry == null) {
            return false;
        }
        synchronized (entry) {
            return entry.settle(reservation, used, clock.micros());
        }
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        return Uni.createFrom().item(() -> {
            long now = clock.micros();
            var entry = entries.getIfPresent(identifier);
            long used = 0;
            if (entry != null) {
                synchronized (entry) {
                    used = entry.used(resource, window.toSeconds() * 1_000_000, now);
                }
            }
            return new WindowUsage(identifier, resource, used, window, MicrosClock.instant(now));
        });
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
        return Uni.createFrom().item(() -> {
            var entry = entries.getIfPresent(identifier);
            if (entry == null) {
                return Map.of();
            }
            synchronized (entry) {
                return entry.used(clock.micros());
            }
        });
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
        reset(entries.getIfPresent(identifier), resource);
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
        entries.asMap().values().forEach(entry -> reset(entry, null));
    }

    private static void reset(IdentifierWindows entry, String resource) {
        if (entry != null) {
            synchronized (entry) {
                entry.reset(resource);
            }
        }
    }

    /** Returns the approximate number of bytes in use. */
    long bytes() {
        entries.cleanUp();
        return entries.policy().eviction().orElseThrow().weightedSize().orElse(0);
    }
}
