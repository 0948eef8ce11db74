package dev.sluice.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.concurrency.LeaseToken;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.LeaseState;
import dev.sluice.store.redis.RedisWindowStore;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/**
 * Leases of slots of requests in flight, for programs that tell the end of a request over HTTP. A lease counts until its own end,
 * whichever instance has granted it. Fails with {@link StoreUnavailableException} while Redis is unavailable, because another instance
 * could not free it. Thread-safe.
 */
public final class ConcurrencyLeases {

    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final long MICROS = 1_000_000;

    /**
     * Result of a request for a lease.
     *
     * @param decision whether it was granted, with the state of the slots
     * @param lease the lease; null if it was denied
     * @param expiresAt its end
     */
    public record Result(Decision decision, String lease, Instant expiresAt) {
    }

    /** A lease in memory, guarded by this. */
    private static final class Held {

        private final ConcurrencySlot slot;
        private long expiresAt;
        /** Cancels the timer of its end. */
        private Runnable cancelTimer = () -> {
        };

        Held(ConcurrencySlot slot, long expiresAt) {
            this.slot = slot;
            this.expiresAt = expiresAt;
        }
    }

    /** Null if slots are kept in memory only. */
    private final RedisWindowStore redis;
    private final InMemoryWindowStore memory;
    private final MicrosClock clock;
    private final AcquireQueues.Timers timers;
    private final boolean enforced;
    private final Map<LeaseToken, Held> held = new ConcurrentHashMap<>();

    /** @param enforced whether leases may be denied: limits are neither off nor in a dry run */
    ConcurrencyLeases(RedisWindowStore redis, InMemoryWindowStore memory, MicrosClock clock,
            AcquireQueues.Timers timers, boolean enforced) {
        this.redis = redis;
        this.memory = memory;
        this.clock = clock;
        this.timers = timers;
        this.enforced = enforced;
    }

    /**
     * Takes a slot.
     *
     * @param limit maximum number of slots, from 1 to 1,000,000
     * @param seconds time until it ends by itself, from 1 to {@value LeaseToken#MAX_SECONDS}
     */
    public Uni<Result> take(String identifier, String resource, long limit, long seconds) {
        var lease = LeaseToken.create(identifier, resource, seconds);
        long effective = enforced ? limit : QuotaUnit.CONCURRENT_REQUESTS.maxLimit();
        return SubscriberContext.completeOn(() -> redis == null
                ? Uni.createFrom().item(() -> takeInMemory(lease, effective))
                : redis.takeLease(lease, effective)).map(state -> result(lease, limit, state));
    }

    private Result result(LeaseToken lease, long limit, LeaseState state) {
        var now = MicrosClock.instant(state.now());
        var retryAt = state.done() ? Optional.<Instant>empty() : Optional.of(now.plus(RETRY));
        var quota = new QuotaStatus(lease.identifier(), lease.resource(), QuotaUnit.CONCURRENT_REQUESTS, limit, Duration.ZERO,
                Math.max(0, limit - state.held()), retryAt, !state.done(), retryAt);
        var mode = redis == null ? DecisionMode.MEMORY : DecisionMode.REDIS;
        return new Result(new Decision(state.done(), !state.done(), mode, now, List.of(quota)),
                state.done() ? lease.toString() : null, now.plusSeconds(lease.seconds()));
    }

    private LeaseState takeInMemory(LeaseToken lease, long limit) {
        var claim = new WindowClaim(lease.resource(), 0, limit, QuotaUnit.CONCURRENT_REQUESTS, 1, false, limit,
                FallbackPolicy.LOCAL);
        var taken = memory.takeNow(lease.identifier(), List.of(claim), true, null);
        if (taken.admitted()) {
            var found = new Held(taken.slot(), taken.now() + lease.seconds() * MICROS);
            held.put(lease, found);
            synchronized (found) {
                startTimer(lease, found, lease.seconds() * MICROS);
            }
        }
        return new LeaseState(taken.admitted(), taken.now(), taken.windows()[0].used());
    }

    /** Replaces the timer of a lease. Must be called with its lock. */
    private void startTimer(LeaseToken lease, Held found, long micros) {
        found.cancelTimer.run();
        found.cancelTimer = timers.start(TimeUnit.MICROSECONDS.toNanos(micros), () -> expire(lease));
    }

    private void expire(LeaseToken lease) {
        var found = held.get(lease);
        if (found == null) {
            return;
        }
        synchronized (found) {
            long left = found.expiresAt - clock.micros();
            if (left > 0) {
                startTimer(lease, found, left);
                return;
            }
        }
        if (held.remove(lease, found)) {
            found.slot.release();
        }
    }

    /**
     * Renews a lease.
     *
     * @param seconds time until it ends by itself, from now
     * @return its new end; empty if it is not held any more
     */
    public Uni<Optional<Instant>> renew(LeaseToken lease, long seconds) {
        return SubscriberContext.completeOn(() -> redis == null
                ? Uni.createFrom().item(() -> renewInMemory(lease, seconds))
                : redis.renewLease(lease, seconds))
                .map(state -> state.done()
                        ? Optional.of(MicrosClock.instant(state.now()).plusSeconds(seconds))
                        : Optional.empty());
    }

    private LeaseState renewInMemory(LeaseToken lease, long seconds) {
        var found = held.get(lease);
        long now = clock.micros();
        if (found == null) {
            return new LeaseState(false, now, 0);
        }
        synchronized (found) {
            boolean isHeld = found.expiresAt > now;
            if (isHeld) {
                found.expiresAt = now + seconds * MICROS;
                startTimer(lease, found, seconds * MICROS);
            }
            return new LeaseState(isHeld, now, 0);
        }
    }

    /** Frees a lease. Returns whether it was held. */
    public Uni<Boolean> free(LeaseToken lease) {
        return SubscriberContext.completeOn(() -> redis == null
                ? Uni.createFrom().item(() -> freeInMemory(lease))
                : redis.freeLease(lease)).map(LeaseState::done);
    }

    /** Frees a lease that was granted, but of which the client has not been told: as soon as Redis is available. */
    public void abandon(String text) {
        var lease = LeaseToken.parse(text);
        if (redis == null) {
            freeInMemory(lease);
        } else {
            redis.abandonLease(lease);
        }
    }

    /** Returns the resources of an identifier that have leases; none while Redis is unavailable. */
    public Uni<List<String>> resources(String identifier) {
        if (redis == null) {
            return Uni.createFrom().item(() -> held.keySet().stream().filter(lease -> lease.identifier().equals(identifier))
                    .map(LeaseToken::resource).distinct().toList());
        }
        return SubscriberContext.completeOn(
                () -> redis.available() ? redis.leasedResources(identifier) : Uni.createFrom().item(List.of()));
    }

    /**
     * Frees the leases of an identifier.
     *
     * @param resource null for those of all its resources
     */
    Uni<Void> freeAll(String identifier, String resource) {
        if (redis == null) {
            held.keySet().stream()
                    .filter(lease -> lease.identifier().equals(identifier)
                            && (resource == null || lease.resource().equals(resource)))
                    .forEach(this::freeInMemory);
            return Uni.createFrom().voidItem();
        }
        var resources = resource == null ? redis.leasedResources(identifier) : Uni.createFrom().item(List.of(resource));
        return resources.chain(some -> Multi.createFrom().iterable(some).onItem()
                .transformToUniAndConcatenate(each -> redis.freeLeases(identifier, each)).toUni());
    }

    private LeaseState freeInMemory(LeaseToken lease) {
        var found = held.remove(lease);
        if (found != null) {
            synchronized (found) {
                found.cancelTimer.run();
            }
            found.slot.release();
        }
        return new LeaseState(found != null, clock.micros(), 0);
    }
}
