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
    public static final long LEAST_BYTES = 1 << 20;

    private static final int MOST_TRIES = 100;

    private final MicrosClock clock;
    private final Cache<String, IdentifierWindows> accounts;
    private final Function<String, IdentifierWindows> opener;
    /** Who has a backlog, or had one. */
    private final Set<String> owing = ConcurrentHashMap.newKeySet();
    private volatile Runnable whenAllReset = () -> {
    };

    public InMemoryWindowStore(MicrosClock clock, long exactUpTo, long maxBytes) {
        this.clock = clock;
        this.opener = identifier -> new IdentifierWindows(exactUpTo);
        this.accounts = Caffeine.newBuilder()
                .ticker(() -> TimeUnit.MICROSECONDS.toNanos(clock.micros()))
                .executor(Runnable::run)
                .maximumWeight(maxBytes)
                .<String, IdentifierWindows>weigher(InMemoryWindowStore::bytes)
                .expireAfter(new IdentifierExpiry())
                .evictionListener((identifier, account, cause) -> {
                    synchronized (account) {
                        account.forget();
                    }
                    owing.remove(identifier);
                })
                .build();
    }

    private static int bytes(String identifier, IdentifierWindows account) {
        synchronized (account) {
            return identifier.length() + account.bytes();
        }
    }

    @Override
    public Uni<StoreResult> take(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        return Uni.createFrom().item(() -> takeNow(identifier, claims, consume, reservation));
    }

    public StoreResult takeNow(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        return in(identifier, account -> account.take(claims, clock.micros(), consume, reservation));
    }

    /** Takes what Redis has not counted, and is to count when it returns. */
    public StoreResult takeOwing(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        var outcome = takeNow(identifier, claims, consume, reservation);
        if (outcome.admitted() && consume) {
            owe(identifier, claims, outcome.now(), reservation);
        }
        return outcome;
    }

    /** Redis has not counted what was granted here at that time. */
    public void owe(String identifier, List<WindowClaim> claims, long time, String reservation) {
        in(identifier, account -> {
            account.owe(claims, time, reservation);
            return null;
        });
        owing.add(identifier);
    }

    /** See {@link IdentifierWindows#oweSince}, for all accounts. */
    public void oweSince(long logs, long rings) {
        accounts.asMap().forEach((identifier, account) -> {
            synchronized (account) {
                account.oweSince(logs, rings, clock.micros());
                if (account.owes()) {
                    owing.add(identifier);
                }
            }
        });
    }

    /** What was granted here at one time has been granted by Redis too, at another. */
    public void move(String identifier, List<WindowClaim> claims, long from, long to) {
        in(identifier, account -> {
            account.move(claims, from, to);
            return null;
        });
    }

    /**
     * Counts what Redis granted.
     *
     * @param times how many requests were granted the same
     */
    public void record(String identifier, List<WindowClaim> claims, StoreResult granted, String reservation, int times) {
        in(identifier, account -> {
            account.record(claims, granted, reservation, times);
            return null;
        });
    }

    /** Who has been granted something that Redis has not counted. */
    public List<String> owing() {
        return List.copyOf(owing);
    }

    /** Hands over what Redis has not counted of an identifier; null where there is nothing. */
    public UnsyncedUsage drain(String identifier) {
        owing.remove(identifier);
        var account = accounts.getIfPresent(identifier);
        if (account == null) {
            return null;
        }
        synchronized (account) {
            return account.drain();
        }
    }

    /** What was handed over did not arrive, for certain or perhaps. */
    public void takeBack(String identifier, UnsyncedUsage backlog, boolean certain) {
        in(identifier, account -> {
            account.takeBack(backlog, certain, clock.micros());
            return null;
        });
        owing.add(identifier);
    }

    private <T> T in(String identifier, Function<IdentifierWindows, T> task) {
        for (int tries = 1;; tries++) {
            var account = accounts.get(identifier, opener);
            int before;
            int after;
            T result;
            synchronized (account) {
                if (account.forgotten() && tries < MOST_TRIES) {
                    continue; // evicted since it was found
                }
                before = account.bytes();
                result = task.apply(account);
                after = account.bytes();
            }
            if (before != after) {
                accounts.asMap().replace(identifier, account, account); // weighs it and times it anew
            }
            return result;
        }
    }

    @Override
    public Uni<Void> settle(String identifier, ReservationToken reservation, Map<String, Long> used) {
        return Uni.createFrom().<Void>item(() -> {
            settleNow(identifier, reservation.name(), used);
            return null;
        });
    }

    /** Whether Redis has nothing of it to correct. */
    public boolean settleNow(String identifier, String reservation, Map<String, Long> used) {
        var account = accounts.getIfPresent(identifier);
        if (account == null) {
            return false;
        }
        synchronized (account) {
            return account.settle(reservation, used, clock.micros());
        }
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        return Uni.createFrom().item(() -> {
            long now = clock.micros();
            var account = accounts.getIfPresent(identifier);
            long used = 0;
            if (account != null) {
                synchronized (account) {
                    used = account.used(resource, window.toSeconds() * 1_000_000, now);
                }
            }
            return new WindowUsage(identifier, resource, used, window, MicrosClock.instant(now));
        });
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
        return Uni.createFrom().item(() -> {
            var account = accounts.getIfPresent(identifier);
            if (account == null) {
                return Map.of();
            }
            synchronized (account) {
                return account.used(clock.micros());
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
        reset(accounts.getIfPresent(identifier), resource);
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
        whenAllReset = listener;
    }

    public void resetAllNow() {
        whenAllReset.run();
        accounts.asMap().values().forEach(account -> reset(account, null));
    }

    private static void reset(IdentifierWindows account, String resource) {
        if (account != null) {
            synchronized (account) {
                account.reset(resource);
            }
        }
    }

    /** About how many bytes are in use. */
    long bytes() {
        accounts.cleanUp();
        return accounts.policy().eviction().orElseThrow().weightedSize().orElse(0);
    }
}
