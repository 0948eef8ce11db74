package dev.sluice.window;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;

import org.jboss.logging.Logger;

import dev.sluice.limit.Mode;
import dev.sluice.limit.StoreUnavailableException;
import io.smallrye.mutiny.Uni;

/** The windows in Redis while it answers, and the fallback in force while it does not. */
final class Windows {

    private static final Logger LOG = Logger.getLogger(Windows.class);

    /** @param outcome null where nothing was decided: {@link Mode#OPEN} */
    record Answer(Mode mode, Outcome outcome) {
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

    Uni<Answer> take(String identifier, List<Claim> claims, boolean consume) {
        if (redis == null) {
            return memory.take(identifier, claims, consume).map(outcome -> new Answer(Mode.MEMORY, outcome));
        }
        if (!redis.available()) {
            return instead(new StoreUnavailableException("Redis is out of reach", null), identifier, claims, consume);
        }
        return redis.take(identifier, claims, consume).map(outcome -> new Answer(Mode.REDIS, outcome))
                .onFailure().recoverWithUni(failure -> instead(failure, identifier, claims, consume));
    }

    private Uni<Answer> instead(Throwable failure, String identifier, List<Claim> claims, boolean consume) {
        if (failure.getCause() != null) {
            LOG.debug("Redis failed a decision", failure);
        }
        return switch (fallback) {
            case LOCAL -> memory.take(identifier, claims, consume).map(outcome -> new Answer(Mode.LOCAL, outcome));
            case OPEN -> Uni.createFrom().item(new Answer(Mode.OPEN, null));
            default -> Uni.createFrom().failure(failure);
        };
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
