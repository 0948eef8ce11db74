package dev.sluice.directory;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.store.ThrottledLog;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;

/** Calls the scripts of the directory. Thread-safe. */
public final class DirectoryCalls {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final String FOREIGN = "FOREIGN";

    private final RedisConnectionManager manager;
    private final List<String> keys;
    private final long timeoutMillis;
    private final ThrottledLog foreignValues = new ThrottledLog();

    /** @param timeoutMillis maximum time that a call waits for Redis, in milliseconds */
    public DirectoryCalls(RedisConnectionManager manager, DirectoryKeys keys, long timeoutMillis) {
        this.manager = manager;
        this.keys = keys.all();
        this.timeoutMillis = timeoutMillis;
    }

    /**
     * Calls a script.
     *
     * @param mapper receives the reply on the connection's event loop, in the order in which Redis executed the calls
     * @return completes on the connection's event loop; fails with {@link StoreUnavailableException}
     */
    public <T> Future<T> call(LuaScript script, List<String> arguments, Function<Response, T> mapper) {
        var reply = manager.eval(script, keys, arguments).map(response -> {
            checkForeign(response);
            return mapper.apply(response);
        });
        return manager.within(timeoutMillis, reply).recover(failure -> Future.failedFuture(
                failure instanceof StoreUnavailableException
                        ? failure
                        : new StoreUnavailableException("Redis replied with an error", failure)));
    }

    /**
     * Calls a script per subscription.
     *
     * @return completes on the subscriber's Vert.x context, if it has one
     */
    public <T> Uni<T> callUni(LuaScript script, List<String> arguments, Function<Response, T> mapper) {
        return toUni(() -> call(script, arguments, mapper));
    }

    /** Returns a {@code Uni} that makes a call per subscription and completes on the subscriber's Vert.x context, if it has one. */
    public static <T> Uni<T> toUni(Supplier<Future<T>> call) {
        return Uni.createFrom().emitter(emitter -> {
            var context = Vertx.currentContext(); // of the request, also on a worker thread that verifies its token
            call.get().onComplete(done -> {
                Runnable completion = () -> {
                    if (done.succeeded()) {
                        emitter.complete(done.result());
                    } else {
                        emitter.fail(done.cause());
                    }
                };
                if (context == null) {
                    completion.run();
                } else {
                    context.runOnContext(now -> completion.run());
                }
            });
        });
    }

    /**
     * Reports a foreign value, if a reply names one.
     *
     * @throws StoreUnavailableException if it does
     */
    public void checkForeign(Response reply) {
        if (reply != null && reply.type() == ResponseType.MULTI && reply.size() == 3
                && reply.get(0).type() != ResponseType.NUMBER && FOREIGN.equals(reply.get(0).toString())) {
            throw foreignValue(reply.get(1).toString(), reply.get(2).toString());
        }
    }

    /**
     * Logs a value that Sluice cannot have written, and returns the failure of the call. Nothing is deleted: identities are stored
     * nowhere else.
     *
     * @param field field of the hash; empty if the key itself has another type
     */
    public InvalidRecordException foreignValue(String key, String field) {
        foreignValues.log(times -> LOG.errorf("A key of the identities in Redis holds a value that Sluice has not written;"
                + " identities stored there cannot be read or changed until it is restored or deleted: key=%s%s occurrences=%d",
                key, field.isEmpty() ? "" : " field=" + field, times));
        return new InvalidRecordException("The identities in Redis are damaged at " + key);
    }

    /** Reports a record that is not one of Sluice's, as {@link #foreignValue} does. */
    public InvalidRecordException foreignRecord(IdentityKind kind, String name) {
        return foreignValue(keys.get(kind.ordinal()), name);
    }

    /** Returns the key at a position of {@link DirectoryKeys#all}. */
    String key(int index) {
        return keys.get(index);
    }
}
