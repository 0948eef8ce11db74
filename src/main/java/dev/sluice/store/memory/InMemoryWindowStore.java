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
 * Windows in this instance's memory, with the guarantees of those in Redis, for this instance alone. Their memory is bounded:
 * beyond it, identifiers not seen for long are forgotten, and with them what they had used.
 */
public final class InMemoryWindowStore implements WindowStore {

    /** The least that its windows are given: with much less, each would be evicted as soon as it is opened. */
    public static final long MIN_BYTES = 1 << 20;

    private static final int MAX_TRIES = 100;

    private final MicrosClock clock;
    private final Cache<String, IdentifierWindows> entries;
    private final Function<String, IdentifierWindows> entryFactory;
    /** Who has a backlog, or had one. */
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
                .evictionListener((identifier, account, cause) -> {
                    synchronized (account) {
                        account.markEvicted();
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

    public StoreResult takeNow(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        return update(identifier, entry -> entry.take(claims, clock.micros(), consume, reservation));
    }

    /** Takes what Redis has not counted, and is to count when it returns. */
    public StoreResult takeUnsynced(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        var result = takeNow(identifier, claims, consume, reservation);
        if (result.admitted() && consume) {
            addUnsynced(identifier, claims, result.now(), reservation);
        }
        return result;
    }

    /** Redis has not counted what was granted here at that time. */
    public void addUnsynced(String identifier, List<WindowClaim> claims, long time, String reservation) {
        update(identifier, entry -> {
            entry.addUnsynced(claims, time, reservation);
            return null;
        });
        unsyncedIdentifiers.add(identifier);
    }

    /** See {@link IdentifierWindows#markUnsyncedSince}, for all accounts. */
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

    /** What was granted here at one time has been granted by Redis too, at another. */
    public void moveGrant(String identifier, List<WindowClaim> claims, long from, long to) {
        update(identifier, entry -> {
            entry.moveGrant(claims, from, to);
            return null;
        });
    }

    /**
     * Counts what Redis granted.
     *
     * @param count how many requests were granted the same
     */
    public void record(String identifier, List<WindowClaim> claims, StoreResult granted, String reservation, int count) {
        update(identifier, entry -> {
            entry.record(claims, granted, reservation, count);
            return null;
        });
    }

    /** Who has been granted something that Redis has not counted. */
    public List<String> unsyncedIdentifiers() {
        return List.copyOf(unsyncedIdentifiers);
    }

    /** Hands over what Redis has not counted of an identifier; null where there is nothing. */
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

    /** What was handed over did not arrive, for certain or perhaps. */
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
                    continue; // evicted since it was found
                }
                before = entry.estimatedBytes();
                result = task.apply(entry);
                after = entry.estimatedBytes();
            }
            if (before != after) {
                entries.asMap().replace(identifier, entry, entry); // weighs it and times it anew
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

    /** Whether Redis has nothing of it to correct. */
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

    /** @param listener hears that everything was forgotten */
    public void onResetAll(Runnable listener) {
        resetAllListener = listener;
    }

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

    /** About how many bytes are in use. */
    long bytes() {
        entries.cleanUp();
        return entries.policy().eviction().orElseThrow().weightedSize().orElse(0);
    }
}
