package dev.sluice.window;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;

import dev.sluice.limit.Usage;
import io.smallrye.mutiny.Uni;

/**
 * Windows in this instance's memory, with the guarantees of those in Redis, for this instance alone. Their memory is bounded:
 * beyond it, identifiers not seen for long are forgotten, and with them what they had used.
 */
final class MemoryStore implements WindowStore {

    private final Clock clock;
    private final Cache<String, Account> accounts;
    private final Function<String, Account> opener;

    MemoryStore(Clock clock, long exactUpTo, long maxBytes) {
        this.clock = clock;
        this.opener = identifier -> new Account(exactUpTo);
        this.accounts = Caffeine.newBuilder()
                .ticker(() -> TimeUnit.MICROSECONDS.toNanos(clock.micros()))
                .executor(Runnable::run)
                .maximumWeight(maxBytes)
                .<String, Account>weigher(MemoryStore::bytes)
                .expireAfter(Expiry.accessing(MemoryStore::lifetime))
                .evictionListener((identifier, account, cause) -> {
                    synchronized (account) {
                        account.forget();
                    }
                })
                .build();
    }

    private static int bytes(String identifier, Account account) {
        synchronized (account) {
            return identifier.length() + account.bytes();
        }
    }

    private static Duration lifetime(String identifier, Account account) {
        synchronized (account) {
            // An account that is just being opened has no window yet; it gets its lifetime when it has.
            return account.longestSpan() == 0 ? Duration.ofMinutes(1) : Duration.ofNanos(2000 * account.longestSpan());
        }
    }

    @Override
    public Uni<Outcome> take(String identifier, List<Claim> claims, boolean consume, String reservation) {
        return Uni.createFrom().item(() -> takeNow(identifier, claims, consume, reservation));
    }

    Outcome takeNow(String identifier, List<Claim> claims, boolean consume, String reservation) {
        while (true) {
            var account = accounts.get(identifier, opener);
            int before;
            int after;
            Outcome outcome;
            synchronized (account) {
                if (account.forgotten()) {
                    continue;
                }
                before = account.bytes();
                outcome = account.take(claims, clock.micros(), consume, reservation);
                after = account.bytes();
            }
            if (before != after) {
                accounts.asMap().replace(identifier, account, account); // weighs it and times it anew
            }
            return outcome;
        }
    }

    @Override
    public Uni<Void> settle(String identifier, Reservation reservation, Map<String, Long> used) {
        return Uni.createFrom().<Void>item(() -> {
            var account = accounts.getIfPresent(identifier);
            if (account != null) {
                synchronized (account) {
                    account.settle(reservation.name(), used, clock.micros());
                }
            }
            return null;
        });
    }

    @Override
    public Uni<Usage> usage(String identifier, String resource, Duration window) {
        return Uni.createFrom().item(() -> {
            long now = clock.micros();
            var account = accounts.getIfPresent(identifier);
            long used = 0;
            if (account != null) {
                synchronized (account) {
                    used = account.used(resource, window.toSeconds() * 1_000_000, now);
                }
            }
            return new Usage(identifier, resource, used, window, Clock.instant(now));
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
            reset(accounts.getIfPresent(identifier), resource);
            return null;
        });
    }

    @Override
    public Uni<Void> resetAll() {
        return Uni.createFrom().<Void>item(() -> {
            accounts.asMap().values().forEach(account -> reset(account, null));
            return null;
        });
    }

    private static void reset(Account account, String resource) {
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
