package dev.sluice.redis;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

import dev.sluice.limit.StoreUnavailableException;
import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.ErrorType;

/**
 * One connection to Redis: requests go one behind the other, and so do the answers. What waits for an answer is bounded;
 * beyond that, requests fail at once.
 */
public final class RedisChannel {

    private final RedisConnection connection;
    private final int mostWaiting;
    private final AtomicInteger waiting = new AtomicInteger();

    RedisChannel(RedisConnection connection, int mostWaiting) {
        this.connection = connection;
        this.mostWaiting = mostWaiting;
    }

    /** The answer may never come: who waits for it bounds the wait. */
    public Future<Response> send(Request request) {
        if (waiting.incrementAndGet() > mostWaiting) {
            waiting.decrementAndGet();
            return Future.failedFuture(new OverloadedException(mostWaiting));
        }
        return connection.send(request).onComplete(answered -> waiting.decrementAndGet());
    }

    /** Sends to each server that holds a part of the keys: to every master of a cluster, or to the one there is. */
    public List<Function<Request, Future<Response>>> servers() {
        return connection instanceof ClusterConnection cluster
                ? cluster.masters().stream().<Function<Request, Future<Response>>>map(master -> master::send).toList()
                : List.of(this::send);
    }

    /** Runs a script; sends it whole where Redis has forgotten it. */
    public Future<Response> eval(RedisScript script, List<String> keys, List<String> arguments) {
        return send(request(Command.EVALSHA, script.sha1(), keys, arguments)).recover(failure -> {
            var message = failure.getMessage();
            return message != null && message.startsWith("NOSCRIPT")
                    ? send(request(Command.EVAL, script.source(), keys, arguments))
                    : Future.failedFuture(failure);
        });
    }

    static Request request(Command command, String script, List<String> keys, List<String> arguments) {
        var request = Request.cmd(command).arg(script).arg(keys.size());
        keys.forEach(request::arg);
        arguments.forEach(request::arg);
        return request;
    }

    /** Whether Redis answered, and did nothing. */
    public static boolean refused(Throwable failure) {
        return failure instanceof ErrorType || failure instanceof OverloadedException;
    }

    /** Whether other keys may fare better: somebody else's data is in its place, or its slot is just moving. */
    public static boolean concernsItsKeysOnly(Throwable failure) {
        return failure instanceof ErrorType && (failure.getMessage().contains("WRONGTYPE")
                || failure.getMessage().contains("TRYAGAIN"));
    }

    void close() {
        connection.close();
    }

    /** More requests wait for Redis than it could answer in time. */
    static final class OverloadedException extends StoreUnavailableException {

        private static final long serialVersionUID = 1;

        OverloadedException(int mostWaiting) {
            super(mostWaiting + " requests wait for Redis already", null);
        }
    }
}
