package dev.sluice.llm.limit;

import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.api.Quota;
import dev.sluice.directory.DirectoryCalls;
import dev.sluice.engine.StoreConfig;
import dev.sluice.redis.RedisProvider;
import dev.sluice.settlement.Settlement;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * Windows of the reservations whose usage is reported by the token. The levels of a caller may change between the check and the
 * report; what was reserved is settled where it was. Kept in Redis until the reservation has left its windows, and in a cache of this
 * instance. Thread-safe and non-blocking.
 */
@ApplicationScoped
class DetachedReservations {

    private static final int MAX_CACHED = 10_000;
    private static final Logger LOG = Logger.getLogger(DetachedReservations.class);

    private final RedisProvider redis;
    private final long timeoutMillis;
    private final Cache<String, ReservedWindows> cache = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_CACHED)
            .expireAfterWrite(Quota.MAX_WINDOW).build();

    DetachedReservations(RedisProvider redis, StoreConfig settings) {
        this.redis = redis;
        this.timeoutMillis = Math.max(1, settings.timeout().toMillis());
    }

    private String key(String reservation) {
        return redis.hashTags().keyPrefix(reservation) + "v:" + reservation;
    }

    /** Keeps the windows of a reservation; completes when they are written, or cannot be written now. */
    Uni<Void> add(String reservation, ReservedWindows windows) {
        cache.put(reservation, windows);
        if (redis.connectionManager() == null) {
            return Uni.createFrom().voidItem();
        }
        var seconds = Long.toString(Math.max(1, Settlement.longestWindow(reservation)));
        return DirectoryCalls.toUni(() -> send(Request.cmd(Command.SET).arg(key(reservation))
                .arg(windows.writeTo(new JsonObject()).encode()).arg("EX").arg(seconds)).<Void>mapEmpty().otherwise(failure -> {
                    LOG.debug("Windows of a reservation could not be written to Redis", failure);
                    return null;
                }));
    }

    /**
     * Returns the windows of a reservation.
     *
     * @return null if they are not known, or Redis does not reply: the reservation has no level, or is expired or unknown
     */
    Uni<@Nullable ReservedWindows> find(String reservation) {
        var cached = cache.getIfPresent(reservation);
        if (cached != null || redis.connectionManager() == null) {
            return Uni.createFrom().item(cached);
        }
        return DirectoryCalls.toUni(() -> send(Request.cmd(Command.GET).arg(key(reservation)))
                .map(reply -> reply == null ? null : ReservedWindows.read(new JsonObject(reply.toString())))
                .otherwise(failure -> null)); // also of a foreign value
    }

    private Future<Response> send(Request request) {
        var manager = redis.connectionManager();
        return manager.within(timeoutMillis, manager.send(request));
    }
}
