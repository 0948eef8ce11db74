package dev.sluice.engine;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import org.jboss.logging.Logger;

import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.cluster.InstanceRegistry;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.ReservationToken;
import dev.sluice.store.ReservationToken.Location;
import dev.sluice.store.ResetScope;
import dev.sluice.store.ResponseTimeoutException;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowStore;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.DenialCache;
import dev.sluice.store.redis.RedisWindowStore;
import dev.sluice.store.redis.ResetPoller;
import io.smallrye.mutiny.Uni;
import io.vertx.core.AsyncResult;

/** Delegates to the Redis store while the circuit is closed, and applies the fallback policy while it is open. */
public final class FailoverWindowStore {

    private static final Logger LOG = Logger.getLogger(FailoverWindowStore.class);

    /**
     * Outcome of a decision.
     *
     * @param claims the claims decided, each with the share that applied
     * @param result null if nothing was decided: {@link DecisionMode#OPEN}
     * @param reservation a {@link ReservationToken}; null if nothing was reserved
     */
    public record Outcome(DecisionMode mode, List<WindowClaim> claims, StoreResult result, String reservation) {
    }

    private final RedisWindowStore redis;
    private final InMemoryWindowStore memory;
    private final InstanceRegistry registry;
    private final DecisionMode fallback;
    private final DenialCache denials;
    private final ResetPoller resetPoller;

    /** @param redis null if windows are kept in memory only */
    public FailoverWindowStore(RedisWindowStore redis, InMemoryWindowStore memory, InstanceRegistry registry,
            FallbackPolicy fallback) {
        this.redis = redis;
        this.memory = memory;
        this.registry = registry;
        this.fallback = DecisionMode.valueOf(fallback.name());
        this.denials = redis == null ? null : new DenialCache(redis.clock(), System::nanoTime);
        this.resetPoller = redis == null ? null : redis.resetPoller(denials);
        if (redis != null) {
            memory.onResetAll(denials::evictAll);
        }
    }

    /** Returns how decisions are made at the moment. */
    public DecisionMode mode() {
        return redis == null ? DecisionMode.MEMORY : redis.available() ? DecisionMode.REDIS : fallback;
    }

    /**
     * Grants all claims or none, in Redis or by the fallback policy.
     *
     * @param consume false: queries only and changes nothing
     * @param reservation 32 hexadecimal digits; null if nothing is reserved
     */
    public Uni<Outcome> take(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        var plan = ClaimPlan.of(claims);
        return ResultCallback.toUni(callback -> take(identifier, plan, consume, reservation, callback));
    }

    /** Callback variant of {@link #take}; the callback runs on the calling event loop, if the caller is on one. */
    void take(String identifier, ClaimPlan plan, boolean consume, String reservation, ResultCallback<Outcome> callback) {
        if (redis == null) {
            var result = memory.takeNow(identifier, plan, consume, reservation);
            callback.onResult(outcome(DecisionMode.MEMORY, identifier, plan, result, Location.MEMORY, reservation));
            return;
        }
        var usable = denials();
        var cached = usable == null ? null : usable.get(identifier, plan);
        if (cached != null && redis.available()) {
            callback.onResult(new Outcome(DecisionMode.REDIS, plan, cached, null));
            return;
        }
        if (!redis.available()) {
            deliverFallback(new StoreUnavailableException("Redis is unavailable", null), Location.MEMORY, identifier, plan,
                    consume,
                    reservation, callback);
            return;
        }
        long version = denials.version();
        redis.take(identifier, plan, consume, reservation, new ResultCallback<StoreResult>() {
            @Override
            public void onResult(StoreResult result) {
                if (!result.admitted() && usable != null) {
                    denials.put(identifier, plan.at(result.now()), result, version);
                }
                callback.onResult(outcome(DecisionMode.REDIS, identifier, plan, result, Location.REDIS, reservation));
            }

            @Override
            public void onFailure(Throwable cause) {
                deliverFallback(cause, Location.BOTH, identifier, plan, consume, reservation, callback);
            }
        });
    }

    private void deliverFallback(Throwable failure, Location location, String identifier, ClaimPlan plan, boolean consume,
            String reservation,
            ResultCallback<Outcome> callback) {
        Outcome outcome;
        try {
            outcome = decideByFallback(failure, identifier, plan, consume, location, reservation);
        } catch (RuntimeException e) {
            callback.onFailure(e);
            return;
        }
        callback.onResult(outcome);
    }

    private Outcome decideByFallback(Throwable failure, String identifier, ClaimPlan claims, boolean consume,
            Location location, String reservation) {
        if (failure.getCause() != null) {
            LOG.debug("Decision in Redis failed", failure);
        }
        if (claims.stream().anyMatch(claim -> claim.fallback() == FallbackPolicy.CLOSED)) {
            if (consume && failure instanceof ResponseTimeoutException timeout) {
                timeout.lateResult().onSuccess(late -> refundLate(identifier, claims, late, reservation));
            }
            throw new StoreUnavailableException("Redis is unavailable", failure);
        }
        var local = claims.stream().filter(claim -> claim.fallback() == FallbackPolicy.LOCAL)
                .map(claim -> claim.withShare(registry.share(claim.limit()))).toList();
        if (local.isEmpty()) {
            return new Outcome(DecisionMode.OPEN, List.of(), null, token(location, reservation, identifier, claims));
        }
        StoreResult result;
        if (failure instanceof ResponseTimeoutException timeout) {
            result = memory.takeNow(identifier, local, consume, reservation);
            if (consume && result.admitted()) {
                timeout.lateResult().onComplete(late -> reconcile(identifier, local, result, late, reservation));
            } else if (consume) {
                timeout.lateResult().onSuccess(late -> refundLate(identifier, claims, late, reservation));
            }
        } else {
            result = memory.takeUnsynced(identifier, local, consume, reservation);
        }
        return new Outcome(DecisionMode.LOCAL, ClaimPlan.at(local, result.now()), result,
                result.admitted() ? token(location, reservation, identifier, claims.at(result.now())) : null);
    }

    /** Counts a local grant in Redis exactly once, given Redis's late reply. */
    private void reconcile(String identifier, List<WindowClaim> requested, StoreResult local, AsyncResult<StoreResult> late,
            String reservation) {
        var claims = ClaimPlan.at(requested, local.now());
        if (late.failed() || !late.result().admitted()) {
            memory.addUnsynced(identifier, claims, local.now(), reservation);
        } else {
            memory.moveGrant(identifier, claims, local.now(), late.result().now());
        }
    }

    /** Refunds a late grant of Redis for a request that was denied locally. */
    private void refundLate(String identifier, ClaimPlan claims, StoreResult late, String reservation) {
        if (late.admitted()) {
            refund(identifier, claims.at(late.now()), late.now(), reservation);
        }
    }

    /** Refunds units that Redis has granted. */
    void refund(String identifier, List<WindowClaim> claims, long decidedAt, String reservation) {
        if (WindowClaim.ofWindows(claims).isEmpty()) {
            return; // slots of requests in flight are released
        }
        var scope = new ResetScope(identifier, null);
        redis.refund(identifier, claims, decidedAt, reservation)
                .invoke(() -> evictDenials(scope))
                .chain(() -> redis.publish(connection -> resetPoller.publish(connection, scope)))
                .subscribe().with(done -> {
                }, failure -> LOG.debug("Late grant could not be refunded; it expires with its windows",
                        failure));
    }

    private static String token(Location location, String reservation, String identifier, List<WindowClaim> claims) {
        return reservation == null
                ? null
                : ReservationToken.of(location, reservation, List.of(identifier), claims).toString();
    }

    private static Outcome outcome(DecisionMode mode, String identifier, ClaimPlan requested, StoreResult result,
            Location location,
            String reservation) {
        var claims = requested.at(result.now());
        return new Outcome(mode, claims, result, result.admitted() ? token(location, reservation, identifier, claims) : null);
    }

    /** Settles in memory and in Redis, wherever the reservation is counted; fails if it is counted in an unavailable Redis. */
    public Uni<Void> settle(String identifier, String text, Map<String, Long> used) {
        var reservation = ReservationToken.parse(text);
        if (reservation == null) {
            return Uni.createFrom().voidItem();
        }
        var stored = reservation.stored(identifier);
        return Uni.createFrom().item(() -> memory.settleNow(stored, reservation.id(), used))
                .chain(here -> redis == null || here && !redis.available()
                        ? Uni.createFrom().voidItem()
                        : redis.settle(stored, reservation, used));
    }

    /** Returns the cache of denials; null if it cannot be used. */
    DenialCache denials() {
        return redis != null && redis.hasSingleClock() ? denials : null;
    }

    /** Returns the number of denials served from the denial cache. */
    public long deniedFromCache() {
        return denials == null ? 0 : denials.hits();
    }

    /** Queries the active store; fails if the fallback policy keeps no windows. */
    public <T> Uni<T> read(Function<WindowStore, Uni<T>> query) {
        return switch (mode()) {
            case REDIS -> query.apply(redis);
            case OPEN, CLOSED -> Uni.createFrom().failure(new StoreUnavailableException("Redis is unavailable", null));
            default -> query.apply(memory);
        };
    }

    /** Resets windows in this instance, in all others and in Redis; fails if Redis is unavailable. */
    public Uni<Void> reset(ResetScope scope) {
        var local = reset(memory, scope);
        if (redis == null) {
            return local;
        }
        return local.chain(() -> redis.publish(connection -> registry.publishReset(connection, scope)))
                .chain(() -> reset(redis, scope))
                .invoke(() -> evictDenials(scope))
                .chain(() -> redis.publish(connection -> resetPoller.publish(connection, scope)))
                .chain(() -> redis.delay(DenialCache.MAX_STALENESS_NANOS)); // after this, no instance serves a denial that precedes the reset
    }

    private void evictDenials(ResetScope scope) {
        if (scope.identifier().isEmpty()) {
            denials.evictAll();
        } else {
            denials.evict(scope.identifier());
        }
    }

    private static Uni<Void> reset(WindowStore store, ResetScope scope) {
        return scope.identifier().isEmpty() ? store.resetAll() : store.reset(scope.identifier(), scope.resource());
    }

    static Duration windowDuration(long span) {
        return Duration.ofSeconds(span / 1_000_000);
    }
}
