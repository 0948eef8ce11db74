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
import dev.sluice.store.ReservationToken.Place;
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

/** The windows in Redis while it answers, and the fallback in force while it does not. */
public final class FailoverWindowStore {

    private static final Logger LOG = Logger.getLogger(FailoverWindowStore.class);

    /**
     * @param claims what was decided, each under the share that held
     * @param outcome null where nothing was decided: {@link DecisionMode#OPEN}
     * @param reservation a {@link ReservationToken}; null where nothing was reserved
     */
    public record Answer(DecisionMode mode, List<WindowClaim> claims, StoreResult outcome, String reservation) {
    }

    private final RedisWindowStore redis;
    private final InMemoryWindowStore memory;
    private final InstanceRegistry fleet;
    private final DecisionMode fallback;
    private final DenialCache refusals;
    private final ResetPoller hearing;

    /** @param redis null: memory only */
    public FailoverWindowStore(RedisWindowStore redis, InMemoryWindowStore memory, InstanceRegistry fleet,
            FallbackPolicy fallback) {
        this.redis = redis;
        this.memory = memory;
        this.fleet = fleet;
        this.fallback = DecisionMode.valueOf(fallback.name());
        this.refusals = redis == null ? null : new DenialCache(redis.time(), System::nanoTime);
        this.hearing = redis == null ? null : redis.hearing(refusals);
        if (redis != null) {
            memory.onResetAll(refusals::forgetAll);
        }
    }

    public DecisionMode mode() {
        return redis == null ? DecisionMode.MEMORY : redis.available() ? DecisionMode.REDIS : fallback;
    }

    /** @param reservation 32 hexadecimal digits; null where nothing is reserved */
    public Uni<Answer> take(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
        var plan = ClaimPlan.of(claims);
        return ResultCallback.uni(receiver -> take(identifier, plan, consume, reservation, receiver));
    }

    /** The same for who waits in another way: hears it on the event loop that asks, where one does. */
    void take(String identifier, ClaimPlan plan, boolean consume, String reservation, ResultCallback<Answer> receiver) {
        if (redis == null) {
            var outcome = memory.takeNow(identifier, plan, consume, reservation);
            receiver.received(answer(DecisionMode.MEMORY, plan, outcome, name(Place.MEMORY, reservation, plan)));
            return;
        }
        var refused = redis.oneClock() ? refusals.find(identifier, plan) : null;
        if (refused != null && redis.available()) {
            receiver.received(new Answer(DecisionMode.REDIS, plan, refused, null));
            return;
        }
        if (!redis.available()) {
            insteadOf(new StoreUnavailableException("Redis is out of reach", null), Place.MEMORY, identifier, plan, consume,
                    reservation, receiver);
            return;
        }
        long version = refusals.version();
        redis.take(identifier, plan, consume, reservation, new ResultCallback<StoreResult>() {
            @Override
            public void received(StoreResult outcome) {
                if (!outcome.admitted() && redis.oneClock()) {
                    refusals.remember(identifier, plan, outcome, version);
                }
                receiver.received(answer(DecisionMode.REDIS, plan, outcome, name(Place.REDIS, reservation, plan)));
            }

            @Override
            public void failed(Throwable cause) {
                insteadOf(cause, Place.BOTH, identifier, plan, consume, reservation, receiver);
            }
        });
    }

    private void insteadOf(Throwable failure, Place place, String identifier, ClaimPlan plan, boolean consume,
            String reservation,
            ResultCallback<Answer> receiver) {
        Answer answer;
        try {
            answer = instead(failure, identifier, plan, consume, name(place, reservation, plan));
        } catch (RuntimeException e) {
            receiver.failed(e);
            return;
        }
        receiver.received(answer);
    }

    private Answer instead(Throwable failure, String identifier, List<WindowClaim> claims, boolean consume,
            ReservationToken reservation) {
        if (failure.getCause() != null) {
            LOG.debug("Redis failed a decision", failure);
        }
        if (claims.stream().anyMatch(claim -> claim.fallback() == FallbackPolicy.CLOSED)) {
            if (consume && failure instanceof ResponseTimeoutException unanswered) {
                unanswered.answer().onSuccess(late -> giveBack(identifier, claims, late, reservation));
            }
            throw new StoreUnavailableException("Redis is out of reach", failure);
        }
        var local = claims.stream().filter(claim -> claim.fallback() == FallbackPolicy.LOCAL)
                .map(claim -> claim.sharing(fleet.share(claim.limit()))).toList();
        if (local.isEmpty()) {
            return new Answer(DecisionMode.OPEN, List.of(), null, reservation == null ? null : reservation.toString());
        }
        var name = reservation == null ? null : reservation.name();
        if (!(failure instanceof ResponseTimeoutException unanswered)) {
            return answer(DecisionMode.LOCAL, local, memory.takeOwing(identifier, local, consume, name), reservation);
        }
        var outcome = memory.takeNow(identifier, local, consume, name);
        if (consume && outcome.admitted()) {
            unanswered.answer().onComplete(late -> reconcile(identifier, local, outcome, late, name));
        } else if (consume) {
            unanswered.answer().onSuccess(late -> giveBack(identifier, claims, late, reservation));
        }
        return answer(DecisionMode.LOCAL, local, outcome, reservation);
    }

    /** Counts a local grant in Redis exactly once, given what Redis has answered too late. */
    private void reconcile(String identifier, List<WindowClaim> claims, StoreResult here, AsyncResult<StoreResult> late,
            String reservation) {
        if (late.failed() || !late.result().admitted()) {
            memory.owe(identifier, claims, here.now(), reservation);
        } else {
            memory.move(identifier, claims, here.now(), late.result().now());
        }
    }

    /** Gives back what Redis has granted too late for a request that was denied here. */
    private void giveBack(String identifier, List<WindowClaim> claims, StoreResult late, ReservationToken reservation) {
        if (!late.admitted()) {
            return;
        }
        var freed = new ResetScope(identifier, null);
        redis.refund(identifier, claims, late.now(), reservation == null ? null : reservation.name())
                .invoke(() -> makeRoom(freed)).chain(() -> redis.tell(channel -> hearing.tell(channel, freed)))
                .subscribe().with(done -> {
                }, failure -> LOG.debug("A decision that came too late could not be given back: it leaves with its windows",
                        failure));
    }

    private static ReservationToken name(Place place, String reservation, List<WindowClaim> claims) {
        return reservation == null ? null : ReservationToken.of(place, reservation, claims);
    }

    private static Answer answer(DecisionMode mode, List<WindowClaim> claims, StoreResult outcome,
            ReservationToken reservation) {
        return new Answer(mode, claims, outcome,
                reservation == null || !outcome.admitted() ? null : reservation.toString());
    }

    /** Settles here and in Redis, wherever it is counted; fails where that is out of reach. */
    public Uni<Void> settle(String identifier, String text, Map<String, Long> used) {
        var reservation = ReservationToken.parse(text);
        if (reservation == null) {
            return Uni.createFrom().voidItem();
        }
        return Uni.createFrom().item(() -> memory.settleNow(identifier, reservation.name(), used))
                .chain(here -> redis == null || here && !redis.available()
                        ? Uni.createFrom().voidItem()
                        : redis.settle(identifier, reservation, used));
    }

    /** How many refusals were answered from memory. */
    long refusedFromMemory() {
        return refusals == null ? 0 : refusals.answered();
    }

    /** Asks the store in force; where the fallback keeps no windows, it fails. */
    public <T> Uni<T> read(Function<WindowStore, Uni<T>> question) {
        return switch (mode()) {
            case REDIS -> question.apply(redis);
            case OPEN, CLOSED -> Uni.createFrom().failure(new StoreUnavailableException("Redis is out of reach", null));
            default -> question.apply(memory);
        };
    }

    /** Resets here, in all other instances and in Redis; fails where Redis is out of reach. */
    public Uni<Void> reset(ResetScope reset) {
        var local = reset(memory, reset);
        if (redis == null) {
            return local;
        }
        return local.chain(() -> redis.tell(channel -> fleet.tell(channel, reset))).chain(() -> reset(redis, reset))
                .invoke(() -> makeRoom(reset)).chain(() -> redis.tell(channel -> hearing.tell(channel, reset)))
                .chain(() -> redis.pause(DenialCache.FRESH_NANOS)); // then nobody refuses from memory who has not heard of it
    }

    private void makeRoom(ResetScope reset) {
        if (reset.identifier().isEmpty()) {
            refusals.forgetAll();
        } else {
            refusals.forget(reset.identifier());
        }
    }

    private static Uni<Void> reset(WindowStore store, ResetScope reset) {
        return reset.identifier().isEmpty() ? store.resetAll() : store.reset(reset.identifier(), reset.resource());
    }

    static Duration seconds(long span) {
        return Duration.ofSeconds(span / 1_000_000);
    }
}
