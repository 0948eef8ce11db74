package dev.sluice.redis;

import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Default;
import jakarta.inject.Inject;

import dev.sluice.config.ConfigProblems;
import io.quarkus.arc.InjectableInstance;
import io.quarkus.redis.client.RedisClientName;
import io.quarkus.redis.runtime.client.config.RedisConfig;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.RedisOptions;

/** The link to the Redis client named {@value #CLIENT}, else to the application's default one. */
@ApplicationScoped
public class RedisProvider {

    public static final String CLIENT = "rate-limit";

    private static final int LEAST_WAITING = 1000;
    private static final int MOST_WAITING = 1_000_000;

    private final RedisConnectionManager link;
    private final HashTags keys;
    private final int maxWaiting;

    @Inject
    RedisProvider(RedisConnectionConfig settings, Vertx vertx, RedisOptionsCapture options,
            @RedisClientName(CLIENT) InjectableInstance<Redis> own,
            @Default InjectableInstance<Redis> hosts) {
        this.keys = new HashTags(settings.keyPrefix(), settings.hashKey().orElse(null));
        this.maxWaiting = settings.maxWaiting();
        var context = ((VertxInternal) vertx).createEventLoopContext();
        var clock = new ListenedClock(context.nettyEventLoop());
        var connector = settings.enabled() ? connector(context, clock, options, own, hosts) : null;
        this.link = connector == null ? null : new RedisConnectionManager(context, clock, connector, keys, maxWaiting);
        if (link != null) {
            new EvictionPolicyCheck(link);
            if (settings.hashKey().isEmpty()) {
                new HashKeyCheck(link);
            }
        }
    }

    /** Null where no Redis is configured. */
    private Supplier<Future<RedisConnection>> connector(ContextInternal context, ListenedClock clock,
            RedisOptionsCapture options,
            InjectableInstance<Redis> own, InjectableInstance<Redis> hosts) {
        var named = active(own);
        var redis = named == null ? active(hosts) : named;
        var how = options.of(named == null ? RedisConfig.DEFAULT_CLIENT_NAME : CLIENT);
        if (redis == null) {
            return null;
        }
        return how == null
                ? redis::connect
                : new RedisConnector(context, clock, new RedisOptions(how).setMaxWaitingHandlers(2 * maxWaiting), keys);
    }

    private static Redis active(InjectableInstance<Redis> candidates) {
        for (var handle : candidates.handles()) {
            if (handle.getBean().isActive()) {
                return handle.get();
            }
        }
        return null;
    }

    void validate(@Observes ConfigProblems problems) {
        if (maxWaiting < LEAST_WAITING || maxWaiting > MOST_WAITING) {
            problems.add("rate-limit.redis.max-waiting", Integer.toString(maxWaiting), LEAST_WAITING + " to " + MOST_WAITING);
        }
    }

    /** Null where there is no Redis: everything is kept in memory. */
    public RedisConnectionManager link() {
        return link;
    }

    public HashTags keys() {
        return keys;
    }

    /** Before Quarkus closes its Redis clients: that is no outage. */
    void stop(@Observes ShutdownEvent stopping) {
        if (link != null) {
            link.close();
        }
    }
}
