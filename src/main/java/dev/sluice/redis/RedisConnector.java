package dev.sluice.redis;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * Opens each connection with its own Vert.x Redis client, which is closed with the connection. A shared client's pool keeps and
 * reuses dead connections, loses capacity to attempts that never complete, and caches the addresses of former masters
 * (<a href="https://github.com/quarkusio/quarkus/issues/40151">quarkus#40151</a>,
 * <a href="https://github.com/vert-x3/vertx-redis-client/issues/307">vertx-redis-client#307</a>).
 */
final class RedisConnector implements Supplier<Future<RedisConnection>> {

    private static final long ATTEMPT_TIMEOUT_MILLIS = 1000;
    /** One hop from a replica to its master, and a second if that has become a replica in the meantime. */
    private static final int MAX_HOPS = 2;
    private static final int PROBE_TTL_MILLIS = 1000;

    private final Vertx vertx;
    private final ContextInternal context;
    private final ListenedClock clock;
    private final RedisOptions options;
    private final HashTags hashTags;
    private final UnaryOperator<String> sentinelEndpoint;
    private final AtomicInteger attempts = new AtomicInteger();

    /**
     * @param context on which connections are opened, rather than that of the request which detects a failure
     * @param sentinelEndpoint maps an endpoint to one with the credentials for Sentinel
     */
    RedisConnector(ContextInternal context, ListenedClock clock, RedisOptions options, HashTags hashTags,
            UnaryOperator<String> sentinelEndpoint) {
        this.sentinelEndpoint = sentinelEndpoint;
        this.vertx = context.owner();
        this.context = context;
        this.clock = clock;
        this.options = withHostnameVerification(options);
        this.hashTags = hashTags;
    }

    /** Enables host name verification unless it is configured. */
    private static RedisOptions withHostnameVerification(RedisOptions options) {
        if (options.getNetClientOptions().getHostnameVerificationAlgorithm() == null) {
            options.getNetClientOptions().setHostnameVerificationAlgorithm("HTTPS");
        }
        return options;
    }

    @Override
    public Future<RedisConnection> get() {
        Promise<RedisConnection> promise = Promise.promise();
        context.runOnContext(now -> attempt().onComplete(promise));
        return promise.future();
    }

    private Future<RedisConnection> attempt() {
        var endpoints = endpoints();
        return switch (options.getType()) {
            case REPLICATION -> master(endpoints.get(0), MAX_HOPS);
            case CLUSTER -> cluster(endpoints.get(0));
            case SENTINEL -> sentinel(endpoints.get(0));
            default -> open(new RedisOptions(options).setEndpoints(endpoints));
        };
    }

    /** Rotates the endpoints with each attempt, so that one that hangs does not block the others. */
    private List<String> endpoints() {
        var endpoints = new ArrayList<>(options.getEndpoints());
        Collections.rotate(endpoints, -(attempts.getAndIncrement() % endpoints.size()));
        return endpoints;
    }

    private Future<RedisConnection> open(RedisOptions clientOptions) {
        var resolving = Future.all(clientOptions.getEndpoints().stream()
                .map(endpoint -> RedisEndpoint.resolve(endpoint, this::address)).toList());
        return clock.within(ATTEMPT_TIMEOUT_MILLIS, resolving, "Redis host not resolved")
                .compose(resolved -> connect(new RedisOptions(clientOptions).setEndpoints(resolved.list())));
    }

    /** Looks a host up on another thread: Quarkus configures Vert.x to do so on the event loop. */
    private Future<InetAddress> address(String host) {
        return context.executeBlocking(() -> InetAddress.getByName(host), false);
    }

    private Future<RedisConnection> connect(RedisOptions clientOptions) {
        var client = Redis.createClient(vertx, clientOptions);
        var closed = new AtomicBoolean();
        Runnable close = () -> {
            if (!closed.getAndSet(true)) { // closing twice is an error
                client.close();
            }
        };
        return clock.within(ATTEMPT_TIMEOUT_MILLIS, client.connect(), "No connection to Redis")
                .<RedisConnection>map(connection -> new DedicatedConnection(connection, close))
                .onFailure(failure -> close.run());
    }

    private Future<RedisConnection> node(String endpoint) {
        return open(new RedisOptions(options).setType(RedisClientType.STANDALONE).setEndpoints(List.of(endpoint)));
    }

    /**
     * Used instead of Vert.x's cluster client, which needs every node, replicas included, and never reconnects to a lost one
     * (<a href="https://github.com/quarkusio/quarkus/issues/37348">quarkus#37348</a>,
     * <a href="https://github.com/quarkusio/quarkus/issues/20963">quarkus#20963</a>).
     */
    private Future<RedisConnection> cluster(String endpoint) {
        var cluster = new ClusterConnection(address -> node(RedisEndpoint.withAddress(endpoint, address)));
        var opening = node(endpoint).compose(connection -> query(connection, Request.cmd(Command.CLUSTER).arg("SLOTS"))
                .eventually(() -> connection.close()))
                .compose(slots -> cluster.open(slots, RedisEndpoint.host(endpoint)))
                .compose(opened -> probeMasters(cluster)).<RedisConnection>map(cluster);
        return clock.within(ATTEMPT_TIMEOUT_MILLIS, opening, "No connection to each master of the cluster")
                .onFailure(failure -> cluster.close());
    }

    /** Writes a key for each hash tag, and so to each master that holds any of Sluice's keys. */
    private Future<Void> probeMasters(ClusterConnection cluster) {
        var written = IntStream.range(0, HashTags.TAGS).mapToObj(tag -> cluster.send(Request.cmd(Command.SET)
                .arg(hashTags.keyPrefix(tag) + "probe").arg(1).arg("PX").arg(PROBE_TTL_MILLIS))).toList();
        return Future.all(written).mapEmpty();
    }

    /**
     * Used instead of Vert.x's Sentinel client, which sends the credentials of the master to Sentinel, too. If that reports an instance
     * that has become a replica, its master is used.
     */
    private Future<RedisConnection> sentinel(String endpoint) {
        var sentinelUrl = sentinelEndpoint.apply(endpoint);
        var sentinelOptions = new RedisOptions(options).setType(RedisClientType.STANDALONE).setEndpoints(List.of(sentinelUrl));
        if (!sentinelUrl.equals(endpoint)) {
            sentinelOptions.setPassword(null);
        }
        var name = options.getMasterName();
        return open(sentinelOptions)
                .compose(sentinel -> query(sentinel, Request.cmd(Command.SENTINEL).arg("GET-MASTER-ADDR-BY-NAME").arg(name))
                        .eventually(() -> sentinel.close()))
                .compose(master -> master == null
                        ? Future.failedFuture("Sentinel knows no master named " + name + " (REDIS_MASTER_NAME)")
                        : master(RedisEndpoint.withAddress(endpoint,
                                RedisEndpoint.address(master.get(0).toString(), master.get(1).toString())), MAX_HOPS));
    }

    /**
     * Used instead of Vert.x's replication client, which waits forever for a master without replicas; connections to replicas are
     * not needed.
     */
    private Future<RedisConnection> master(String endpoint, int hops) {
        return node(endpoint).compose(connection -> query(connection, Request.cmd(Command.INFO).arg("replication"))
                .compose(info -> {
                    var master = master(info);
                    if (master == null) {
                        return Future.succeededFuture(connection);
                    }
                    connection.close();
                    return hops == 0
                            ? Future.failedFuture("No master behind " + endpoint)
                            : master(RedisEndpoint.withAddress(endpoint, master), hops - 1);
                }).onFailure(failure -> connection.close()));
    }

    /** Sends a request; closes the connection if there is no response in time. */
    private Future<Response> query(RedisConnection connection, Request request) {
        return clock.within(ATTEMPT_TIMEOUT_MILLIS, connection.send(request), "Redis did not reply")
                .onFailure(failure -> connection.close());
    }

    /** Returns host and port of a replica's master; null if the node is a master. */
    private static String master(Response info) {
        var text = info.toString();
        return "slave".equals(EvictionPolicyCheck.field(text, "role"))
                ? RedisEndpoint.address(EvictionPolicyCheck.field(text, "master_host"),
                        EvictionPolicyCheck.field(text, "master_port"))
                : null;
    }
}
