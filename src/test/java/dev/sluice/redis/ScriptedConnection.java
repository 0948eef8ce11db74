package dev.sluice.redis;

import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.impl.VertxInternal;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.BulkType;
import io.vertx.redis.client.impl.types.MultiType;
import io.vertx.redis.client.impl.types.NumberType;

/** Connection without a Redis: its replies are set by the test, and its requests are recorded. */
public final class ScriptedConnection implements AutoCloseable {

    private static final int MAX_IN_FLIGHT = 100;

    private final Vertx vertx = Vertx.vertx();
    private final Deque<Future<Response>> replies = new ArrayDeque<>();
    private final List<List<String>> requests = new ArrayList<>();
    private final RedisScriptConnection connection;

    public ScriptedConnection() {
        var context = ((VertxInternal) vertx).createEventLoopContext();
        var client = (RedisConnection) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[]{RedisConnection.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("send") && arguments.length == 1) {
                        return reply((Request) arguments[0]);
                    }
                    throw new UnsupportedOperationException(method.toString());
                });
        connection = new RedisScriptConnection(client, context, new ListenedClock(context.nettyEventLoop()), MAX_IN_FLIGHT,
                busy -> {
                }, (keys, first) -> {
                });
    }

    public RedisScriptConnection connection() {
        return connection;
    }

    private synchronized Future<Response> reply(Request request) {
        requests.add(arguments(request));
        return replies.remove();
    }

    /** Parses the encoded request, each argument after a line with its length; the arguments must have no line breaks. */
    private static List<String> arguments(Request request) {
        var lines = request.toString().split("\r\n", -1);
        var arguments = new ArrayList<String>();
        for (int i = 4; i < lines.length - 1; i += 2) {
            arguments.add(lines[i]);
        }
        return arguments;
    }

    /** Adds the reply to the next request without one. */
    public synchronized ScriptedConnection replyWith(Response reply) {
        replies.add(Future.succeededFuture(reply));
        return this;
    }

    /** Adds the failure of the next request without a reply. */
    public synchronized ScriptedConnection failWith(Throwable failure) {
        replies.add(Future.failedFuture(failure));
        return this;
    }

    /** Returns the arguments of the last request, without the command. */
    public synchronized List<String> lastRequest() {
        return requests.get(requests.size() - 1);
    }

    public static <T> T await(Future<T> future) {
        return future.toCompletionStage().toCompletableFuture().join();
    }

    /** Creates a reply of numbers, strings and lists of these. */
    public static Response response(Object value) {
        if (value instanceof Number number) {
            return NumberType.create(number);
        }
        if (value instanceof List<?> list) {
            var array = MultiType.create(list.size(), false);
            list.forEach(element -> array.add(response(element)));
            return array;
        }
        return BulkType.create(Buffer.buffer((String) value), false);
    }

    @Override
    public void close() {
        await(vertx.close());
    }
}
