package dev.sluice.redis;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.RequestImpl;
import io.vertx.redis.client.impl.ZModem;

/**
 * Connection to all masters of a Redis Cluster, and to no replicas, so that the loss of a replica has no effect. Follows MOVED and
 * ASK redirects. The loss of a master that owns slots ends the connection; the next one reads the slot map again.
 */
final class ClusterConnection implements RedisConnection {

    private static final int SLOTS = 16384;
    private static final int MAX_REDIRECTS = 5;

    private final Function<String, Future<RedisConnection>> connector;
    private final Map<String, RedisConnection> masters = new ConcurrentHashMap<>();
    /** Connection attempts in flight, shared by all requests that need the same master. */
    private final Map<String, Future<RedisConnection>> attempts = new ConcurrentHashMap<>();
    private final AtomicReferenceArray<String> owners = new AtomicReferenceArray<>(SLOTS);
    private volatile Handler<Throwable> exceptionHandler = failure -> {
    };
    private volatile Handler<Void> endHandler = end -> {
    };
    private final Map<String, ReplySilence> silences = new ConcurrentHashMap<>();
    private volatile ListenedClock clock;
    private volatile boolean closed;

    /** @param connector connects to one node, by host and port */
    ClusterConnection(Function<String, Future<RedisConnection>> connector) {
        this.connector = connector;
    }

    /**
     * Connects to all masters.
     *
     * @param slots reply to CLUSTER SLOTS
     * @param queriedHost host of the node that replied, used where the reply has no host
     */
    Future<Void> open(Response slots, String queriedHost) {
        for (var range : slots) {
            var owner = address(range.get(2), queriedHost);
            for (int slot = range.get(0).toInteger(); slot <= range.get(1).toInteger(); slot++) {
                owners.set(slot, owner);
            }
        }
        var addresses = slots.stream().map(range -> address(range.get(2), queriedHost)).distinct().toList();
        return Future.all(addresses.stream().map(this::master).toList()).mapEmpty();
    }

    private static String address(Response node, String queriedHost) {
        var host = node.get(0) == null ? "" : node.get(0).toString();
        return RedisEndpoint.address(host.isEmpty() ? queriedHost : host, node.get(1).toString());
    }

    private Future<RedisConnection> master(String address) {
        var known = masters.get(address);
        if (known != null) {
            return Future.succeededFuture(known);
        }
        Promise<RedisConnection> promise = Promise.promise();
        var attempt = attempts.putIfAbsent(address, promise.future());
        if (attempt != null) {
            return attempt;
        }
        connector.apply(address).map(opened -> register(address, opened)).onComplete(done -> {
            attempts.remove(address);
            promise.handle(done);
        });
        return promise.future();
    }

    private RedisConnection register(String address, RedisConnection opened) {
        var other = masters.putIfAbsent(address, opened);
        if (other != null || closed) {
            opened.close();
            return other == null ? opened : other;
        }
        opened.exceptionHandler(failure -> {
            if (removeMaster(address)) {
                exceptionHandler.handle(failure);
            }
        });
        opened.endHandler(end -> {
            if (removeMaster(address)) {
                endHandler.handle(end);
            }
        });
        return opened;
    }

    /**
     * Removes and closes a lost connection.
     *
     * @return whether the master owned slots
     */
    private boolean removeMaster(String address) {
        var removed = masters.remove(address);
        silences.remove(address);
        if (removed != null) {
            removed.close();
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            if (address.equals(owners.get(slot))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Future<Response> send(Request request) {
        var keys = ((RequestImpl) request).keys();
        var owner = owners.get(keys.isEmpty() ? 0 : ZModem.generate(keys.get(0)));
        if (owner == null) {
            return Future.failedFuture("No node of the cluster serves this slot");
        }
        return send(owner, request, MAX_REDIRECTS);
    }

    private Future<Response> send(String address, Request request, int redirects) {
        return master(address).compose(node -> sendMeasured(address, node, request))
                .recover(failure -> followRedirect(failure, address, request, redirects));
    }

    private Future<Response> sendMeasured(String address, RedisConnection node, Request request) {
        var currentClock = clock;
        if (currentClock == null) {
            return node.send(request);
        }
        var silence = silences.computeIfAbsent(address, master -> new ReplySilence(currentClock));
        silence.sent();
        return node.send(request).onComplete(done -> silence.received());
    }

    /** Starts to measure how long each master is silent. */
    void startMeasuring(ListenedClock newClock) {
        clock = newClock;
    }

    /** Returns the listened nanoseconds since the last reply of the most silent master with requests in flight. */
    long silence() {
        long most = 0;
        for (var silence : silences.values()) {
            most = Math.max(most, silence.nanos());
        }
        return most;
    }

    /** Follows a MOVED or ASK redirect; the node that redirects has not executed the request. */
    private Future<Response> followRedirect(Throwable failure, String address, Request request, int redirects) {
        var words = String.valueOf(failure.getMessage()).split(" ");
        if (redirects == 0 || words.length < 3) {
            return Future.failedFuture(failure);
        }
        var target = words[2].startsWith(":") ? address.substring(0, address.lastIndexOf(':')) + words[2] : words[2];
        return switch (words[0]) {
            case "MOVED" -> {
                owners.set(Integer.parseInt(words[1]), target);
                yield send(target, request, redirects - 1);
            }
            case "ASK" -> master(target).compose(node -> node.batch(List.of(Request.cmd(Command.ASKING), request)))
                    .map(replies -> replies.get(1));
            default -> Future.failedFuture(failure);
        };
    }

    /** Returns the connections to the masters. */
    List<RedisConnection> masters() {
        return List.copyOf(masters.values());
    }

    @Override
    public Future<List<Response>> batch(List<Request> commands) {
        return Future.failedFuture(new UnsupportedOperationException());
    }

    @Override
    public Future<Void> close() {
        closed = true;
        masters.values().forEach(RedisConnection::close);
        return Future.succeededFuture();
    }

    @Override
    public RedisConnection exceptionHandler(Handler<Throwable> newHandler) {
        exceptionHandler = newHandler;
        return this;
    }

    @Override
    public RedisConnection endHandler(Handler<Void> newHandler) {
        endHandler = newHandler;
        return this;
    }

    /** Has no effect: there are no push messages. */
    @Override
    public RedisConnection handler(Handler<Response> handler) {
        return this;
    }

    @Override
    public RedisConnection pause() {
        masters.values().forEach(RedisConnection::pause);
        return this;
    }

    @Override
    public RedisConnection resume() {
        masters.values().forEach(RedisConnection::resume);
        return this;
    }

    @Override
    public RedisConnection fetch(long amount) {
        masters.values().forEach(node -> node.fetch(amount));
        return this;
    }

    @Override
    public boolean pendingQueueFull() {
        return masters.values().stream().anyMatch(RedisConnection::pendingQueueFull);
    }
}
