package dev.sluice.window;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import org.jboss.logging.Logger;

import dev.sluice.limit.Fallback;
import dev.sluice.limit.Mode;
import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.window.Reservation.Place;
import io.smallrye.mutiny.Uni;
import io.vertx.core.AsyncResult;

/** The windows in Redis while it answers, and the fallback in force while it does not. */
final class Windows {

    private static final Logger LOG = Logger.getLogger(Windows.class);

    /**
     * @param claims what was decided, each under the share that held
     * @param outcome null where nothing was decided: {@link Mode#OPEN}
     * @param reservation a {@link Reservation}; null where nothing was reserved
     */
    record Answer(Mode mode, List<Claim> claims, Outcome outcome, String reservation) {
    }

    private final RedisStore redis;
    private final MemoryStore memory;
    private final Fleet fleet;
    private final Mode fallback;
    private final Refusals refusals;
    private final Hearing hearing;

    /** @param redis null: memory only */
    Windows(RedisStore redis, MemoryStore memory, Fleet fleet, Fallback fallback) {
        this.redis = redis;
        this.memory = memory;
        this.fleet = fleet;
        this.fallback = Mode.valueOf(fallback.name());
        this.refusals = redis == null ? null : new Refusals(redis.time(), System::nanoTime);
        this.hearing = redis == null ? null : redis.hearing(refusals);
        if (redis != null) {
            memory.onResetAll(refusals::forgetAll);
        }
    }

    Mode mode() {
        return redis == null ? Mode.MEMORY : redis.available() ? Mode.REDIS : fallback;
    }

    /** @param reservation 32 hexadecimal digits; null where nothing is reserved */
    Uni<Answer> take(String identifier, List<Claim> claims, boolean consume, String reservation) {
        var plan = Plan.of(claims);
        return Receiver.uni(receiver -> take(identifier, plan, consume, reservation, receiver));
    }

    /** The same for who waits in another way: hears it on the event loop that asks, where one does. */
    void take(String identifier, Plan plan, boolean consume, String reservation, Receiver<Answer> receiver) {
        if (redis == null) {
            var outcome = memory.takeNow(identifier, plan, consume, reservation);
            receiver.received(answer(Mode.MEMORY, plan, outcome, name(Place.MEMORY, reservation, plan)));
            return;
        }
        var refused = redis.oneClock() ? refusals.find(identifier, plan) : null;
        if (refused != null && redis.available()) {
            receiver.received(new Answer(Mode.REDIS, plan, refused, null));
            return;
        }
        if (!redis.available()) {
            insteadOf(new StoreUnavailableException("Redis is out of reach", null), Place.MEMORY, identifier, plan, consume,
                    reservation, receiver);
            return;
        }
        long version = refusals.version();
        redis.take(identifier, plan, consume, reservation, new Receiver<Outcome>() {
            @Override
            public void received(Outcome outcome) {
                if (!outcome.admitted() && redis.oneClock()) {
                    refusals.remember(identifier, plan, outcome, version);
                }
                receiver.received(answer(Mode.REDIS, plan, outcome, name(Place.REDIS, reservation, plan)));
            }

            @Override
            public void failed(Throwable cause) {
                insteadOf(cause, Place.BOTH, identifier, plan, consume, reservation, receiver);
            }
        });
    }

    private void insteadOf(Throwable failure, Place place, String identifier, Plan plan, boolean consume, String reservation,
            Receiver<Answer> receiver) {
        Answer answer;
        try {
            answer = instead(failure, identifier, plan, consume, name(place, reservation, plan));
        } catch (RuntimeException e) {
            receiver.failed(e);
            return;
        }
        receiver.received(answer);
    }

    private Answer instead(Throwable failure, String identifier, List<Claim> claims, boolean consume,
            Reservation reservation) {
        if (failure.getCause() != null) {
            LOG.debug("Redis failed a decision", failure);
        }
        if (claims.stream().anyMatch(claim -> claim.fallback() == Fallback.CLOSED)) {
            if (consume && failure instanceof UnansweredException unanswered) {
                unanswered.answer().onSuccess(late -> giveBack(identifier, claims, late, reservation));
            }
            throw new StoreUnavailableException("Redis is out of reach", failure);
        }
        var local = claims.stream().filter(claim -> claim.fallback() == Fallback.LOCAL)
                .map(claim -> claim.sharing(fleet.share(claim.limit()))).toList();
        if (local.isEmpty()) {
            return new Answer(Mode.OPEN, List.of(), null, reservation == null ? null : reservation.toString());
        }
        var name = reservation == null ? null : reservation.name();
        if (!(failure instanceof UnansweredException unanswered)) {
            return answer(Mode.LOCAL, local, memory.takeOwing(identifier, local, consume, name), reservation);
        }
        var outcome = memory.takeNow(identifier, local, consume, name);
        if (consume && outcome.admitted()) {
            unanswered.answer().onComplete(late -> reconcile(identifier, local, outcome, late, name));
        } else if (consume) {
            unanswered.answer().onSuccess(late -> giveBack(identifier, claims, late, reservation));
        }
        return answer(Mode.LOCAL, local, outcome, reservation);
    }

    /** Counts a local grant in Redis exactly once, given what Redis has answered too late. */
    private void reconcile(String identifier, List<Claim> claims, Outcome here, AsyncResult<Outcome> late, String reservation) {
        if (late.failed() || !late.result().admitted()) {
            memory.owe(identifier, claims, here.now(), reservation);
        } else {
            memory.move(identifier, claims, here.now(), late.result().now());
        }
    }

    /** Gives back what Redis has granted too late for a request that was denied here. */
    private void giveBack(String identifier, List<Claim> claims, Outcome late, Reservation reservation) {
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

    private static Reservation name(Place place, String reservation, List<Claim> claims) {
        return reservation == null ? null : Reservation.of(place, reservation, claims);
    }

    private static Answer answer(Mode mode, List<Claim> claims, Outcome outcome, Reservation reservation) {
        return new Answer(mode, claims, outcome,
                reservation == null || !outcome.admitted() ? null : reservation.toString());
    }

    /** Settles here and in Redis, wherever it is counted; fails where that is out of reach. */
    Uni<Void> settle(String identifier, String text, Map<String, Long> used) {
        var reservation = Reservation.parse(text);
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
    <T> Uni<T> read(Function<WindowStore, Uni<T>> question) {
        return switch (mode()) {
            case REDIS -> question.apply(redis);
            case OPEN, CLOSED -> Uni.createFrom().failure(new StoreUnavailableException("Redis is out of reach", null));
            default -> question.apply(memory);
        };
    }

    /** Resets here, in all other instances and in Redis; fails where Redis is out of reach. */
    Uni<Void> reset(ResetScope reset) {
        var local = reset(memory, reset);
        if (redis == null) {
            return local;
        }
        return local.chain(() -> redis.tell(channel -> fleet.tell(channel, reset))).chain(() -> reset(redis, reset))
                .invoke(() -> makeRoom(reset)).chain(() -> redis.tell(channel -> hearing.tell(channel, reset)))
                .chain(() -> redis.pause(Refusals.FRESH_NANOS)); // then nobody refuses from memory who has not heard of it
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
