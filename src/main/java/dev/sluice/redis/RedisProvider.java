package dev.sluice.redis;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

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

/** Provides the connection to Redis: with the client named {@value #CLIENT} if there is one, else with the default client. */
@ApplicationScoped
public class RedisProvider {

    public static final String CLIENT = "rate-limit";

    private static final int MIN_WAITING = 1000;
    private static final int MAX_WAITING = 1_000_000;

    private final RedisConnectionManager connectionManager;
    private final HashTags hashTags;
    private final int maxWaiting;
    private final String keyPrefix;
    private final boolean sentinelUserWithoutPassword;
    /** Null if no Redis is configured. */
    private EvictionPolicyCheck evictionCheck;
    private List<String> addresses = List.of();

    @Inject
    RedisProvider(RedisConnectionConfig settings, Vertx vertx, RedisOptionsCapture options,
            @RedisClientName(CLIENT) InjectableInstance<Redis> namedClient,
            @Default InjectableInstance<Redis> defaultClient) {
        this.hashTags = new HashTags(settings.keyPrefix(), settings.hashKey().orElse(null));
        this.maxWaiting = settings.maxWaiting();
        this.keyPrefix = settings.keyPrefix();
        var context = ((VertxInternal) vertx).createEventLoopContext();
        var clock = new ListenedClock(context.nettyEventLoop());
        sentinelUserWithoutPassword = settings.sentinelUsername().isPresent() && settings.sentinelPassword().isEmpty();
        UnaryOperator<String> sentinelEndpoint = endpoint -> RedisEndpoint.ofSentinel(endpoint,
                settings.sentinelUsername().orElse(null),
                settings.sentinelPassword().orElse(null));
        var connector = settings.enabled()
                ? connector(context, clock, options, sentinelEndpoint, namedClient, defaultClient)
                : null;
        this.connectionManager = connector == null
                ? null
                : new RedisConnectionManager(context, clock, connector, hashTags, maxWaiting);
        if (connectionManager != null) {
            evictionCheck = new EvictionPolicyCheck(connectionManager);
            if (settings.hashKey().isEmpty()) {
                new HashKeyCheck(connectionManager);
            }
        }
    }

    /** @return null if no Redis is configured */
    private Supplier<Future<RedisConnection>> connector(ContextInternal context, ListenedClock clock,
            RedisOptionsCapture options, UnaryOperator<String> sentinelEndpoint,
            InjectableInstance<Redis> namedClient, InjectableInstance<Redis> defaultClient) {
        var named = active(namedClient);
        var redis = named == null ? active(defaultClient) : named;
        var clientOptions = options.of(named == null ? RedisConfig.DEFAULT_CLIENT_NAME : CLIENT);
        if (redis == null) {
            return null;
        }
        if (clientOptions != null) {
            addresses = clientOptions.getEndpoints().stream().map(RedisEndpoint::logAddress).flatMap(Optional::stream).toList();
        }
        return clientOptions == null
                ? redis::connect
                : new RedisConnector(context, clock, new RedisOptions(clientOptions).setMaxWaitingHandlers(2 * maxWaiting),
                        hashTags, sentinelEndpoint);
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
        if (sentinelUserWithoutPassword) {
            problems.add("rate-limit.redis.sentinel-password", "",
                    "missing; rate-limit.redis.sentinel-username has no effect without it");
        }
        if (maxWaiting < MIN_WAITING || maxWaiting > MAX_WAITING) {
            problems.add("rate-limit.redis.max-waiting", Integer.toString(maxWaiting), MIN_WAITING + " to " + MAX_WAITING);
        }
        if (keyPrefix.indexOf('{') >= 0 || keyPrefix.indexOf('}') >= 0) {
            problems.add("rate-limit.redis.key-prefix", keyPrefix,
                    "must not contain braces: they would decide which slot of a Redis Cluster a key is in");
        }
    }

    /** @return null if no Redis is configured, and everything is kept in memory */
    public RedisConnectionManager connectionManager() {
        return connectionManager;
    }

    /** Returns the addresses of the configured servers, {@code host:port}, for the log; empty if they are not known. */
    public List<String> addresses() {
        return addresses;
    }

    /** Returns the policy by which Redis evicts keys when its memory is full; empty if it is not known to evict any. */
    public Optional<String> evictingPolicy() {
        return evictionCheck == null ? Optional.empty() : Optional.ofNullable(evictionCheck.evictingPolicy());
    }

    public HashTags hashTags() {
        return hashTags;
    }

    /** Closes the connection before Quarkus closes its Redis clients, which would look like an outage. */
    void stop(@Observes ShutdownEvent stopping) {
        if (connectionManager != null) {
            connectionManager.close();
        }
    }
}
