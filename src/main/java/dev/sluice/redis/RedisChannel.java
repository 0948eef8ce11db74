package dev.sluice.redis;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

import dev.sluice.limit.StoreUnavailableException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.impl.ContextInternal;
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
    private final ContextInternal context;
    private final int mostWaiting;
    private final AtomicInteger waiting = new AtomicInteger();

    /** @param context where its answers are handled */
    RedisChannel(RedisConnection connection, Context context, int mostWaiting) {
        this.connection = connection;
        this.context = (ContextInternal) context;
        this.mostWaiting = mostWaiting;
    }

    /** Runs it where answers are handled: at once where that is here, otherwise soon. */
    public void execute(Runnable task) {
        context.execute(task, Runnable::run);
    }

    /** Runs it where answers are handled, after all that is to be done there already. */
    public void executeSoon(Runnable task) {
        context.runOnContext(now -> task.run());
    }

    /** Whether keys of one request must all have one hash tag. */
    public boolean sharded() {
        return connection instanceof ClusterConnection;
    }

    /** How many requests may wait for their answers. */
    public int mostWaiting() {
        return mostWaiting;
    }

    /** The failure of a request that would be one too many. */
    public Throwable overloaded() {
        return new OverloadedException(mostWaiting);
    }

    /** The answer may never come: who waits for it bounds the wait. */
    public Future<Response> send(Request request) {
        if (waiting.incrementAndGet() > mostWaiting) {
            waiting.decrementAndGet();
            return Future.failedFuture(overloaded());
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
        return send(request(Command.EVALSHA, script.sha1(), keys, arguments)).recover(failure -> forgotten(failure)
                ? send(request(Command.EVAL, script.source(), keys, arguments))
                : Future.failedFuture(failure));
    }

    /**
     * The same with what is encoded already.
     *
     * @param keys how many of the parts are keys; the others are arguments
     */
    public Future<Response> eval(RedisScript script, int keys, List<byte[]> parts) {
        return send(request(Command.EVALSHA, script.sha1(), keys, parts)).recover(failure -> forgotten(failure)
                ? send(request(Command.EVAL, script.source(), keys, parts))
                : Future.failedFuture(failure));
    }

    private static boolean forgotten(Throwable failure) {
        var message = failure.getMessage();
        return message != null && message.startsWith("NOSCRIPT");
    }

    private static Request request(Command command, String script, int keys, List<byte[]> parts) {
        var request = Request.cmd(command).arg(script).arg(keys);
        for (var part : parts) {
            request.arg(part);
        }
        return request;
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
