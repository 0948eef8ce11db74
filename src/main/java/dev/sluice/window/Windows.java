package dev.sluice.window;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import org.jboss.logging.Logger;

import dev.sluice.limit.Mode;
import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.window.Reservation.Place;
import io.smallrye.mutiny.Uni;

/** The windows in Redis while it answers, and the fallback in force while it does not. */
final class Windows {

    private static final Logger LOG = Logger.getLogger(Windows.class);

    /**
     * @param outcome null where nothing was decided: {@link Mode#OPEN}
     * @param reservation a {@link Reservation}; null where nothing was reserved
     */
    record Answer(Mode mode, Outcome outcome, String reservation) {
    }

    private final RedisStore redis;
    private final MemoryStore memory;
    private final Mode fallback;

    /** @param redis null: memory only */
    Windows(RedisStore redis, MemoryStore memory, WindowSettings.Fallback fallback) {
        this.redis = redis;
        this.memory = memory;
        this.fallback = Mode.valueOf(fallback.name());
    }

    Mode mode() {
        return redis == null ? Mode.MEMORY : redis.available() ? Mode.REDIS : fallback;
    }

    /** @param reservation 32 hexadecimal digits; null where nothing is reserved */
    Uni<Answer> take(String identifier, List<Claim> claims, boolean consume, String reservation) {
        if (redis == null) {
            return inMemory(Mode.MEMORY, identifier, claims, consume, name(Place.MEMORY, reservation, claims));
        }
        if (!redis.available()) {
            return instead(new StoreUnavailableException("Redis is out of reach", null), identifier, claims, consume,
                    name(Place.MEMORY, reservation, claims));
        }
        return redis.take(identifier, claims, consume, reservation)
                .map(outcome -> answer(Mode.REDIS, outcome, name(Place.REDIS, reservation, claims)))
                .onFailure().recoverWithUni(failure -> instead(failure, identifier, claims, consume,
                        name(Place.BOTH, reservation, claims)));
    }

    private Uni<Answer> instead(Throwable failure, String identifier, List<Claim> claims, boolean consume,
            Reservation reservation) {
        if (failure.getCause() != null) {
            LOG.debug("Redis failed a decision", failure);
        }
        return switch (fallback) {
            case LOCAL -> inMemory(Mode.LOCAL, identifier, claims, consume, reservation);
            case OPEN ->
                Uni.createFrom().item(new Answer(Mode.OPEN, null, reservation == null ? null : reservation.toString()));
            default -> Uni.createFrom().failure(failure);
        };
    }

    private Uni<Answer> inMemory(Mode mode, String identifier, List<Claim> claims, boolean consume, Reservation reservation) {
        return memory.take(identifier, claims, consume, reservation == null ? null : reservation.name())
                .map(outcome -> answer(mode, outcome, reservation));
    }

    private static Reservation name(Place place, String reservation, List<Claim> claims) {
        return reservation == null ? null : Reservation.of(place, reservation, claims);
    }

    private static Answer answer(Mode mode, Outcome outcome, Reservation reservation) {
        return new Answer(mode, outcome, reservation == null || !outcome.admitted() ? null : reservation.toString());
    }

    /** Settles where it was reserved, or may have been; fails where that is out of reach. */
    Uni<Void> settle(String identifier, String text, Map<String, Long> used) {
        var reservation = Reservation.parse(text);
        if (reservation == null) {
            return Uni.createFrom().voidItem();
        }
        var local = reservation.place() == Place.REDIS
                ? Uni.createFrom().voidItem()
                : memory.settle(identifier, reservation, used);
        return reservation.place() == Place.MEMORY || redis == null
                ? local
                : local.chain(() -> redis.settle(identifier, reservation, used));
    }

    /** Asks the store in force; where the fallback keeps no windows, it fails. */
    <T> Uni<T> read(Function<WindowStore, Uni<T>> question) {
        return switch (mode()) {
            case REDIS -> question.apply(redis);
            case OPEN, CLOSED -> Uni.createFrom().failure(new StoreUnavailableException("Redis is out of reach", null));
            default -> question.apply(memory);
        };
    }

    /** Changes every store there is; fails where Redis should be changed too and is out of reach. */
    Uni<Void> write(Function<WindowStore, Uni<Void>> change) {
        var local = change.apply(memory);
        return redis == null ? local : local.chain(() -> change.apply(redis));
    }

    static Duration seconds(long span) {
        return Duration.ofSeconds(span / 1_000_000);
    }
}
