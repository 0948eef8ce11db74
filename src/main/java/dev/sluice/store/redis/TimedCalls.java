package dev.sluice.store.redis;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.redis.RedisConnectionManager;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

/**
 * Calls of Redis with a timeout, which no rate-limited request waits for. Each is made per subscription, and completes on the
 * caller's event loop, if the caller is on one. Failures are {@link StoreUnavailableException}s.
 */
final class TimedCalls {

    private final RedisConnectionManager manager;
    private final long timeoutMillis;

    TimedCalls(RedisConnectionManager manager, long timeoutMillis) {
        this.manager = manager;
        this.timeoutMillis = timeoutMillis;
    }

    /** Makes a call. */
    <T> Uni<T> make(Supplier<Future<T>> call) {
        return Uni.createFrom().emitter(emitter -> {
            var context = callerContext();
            manager.within(timeoutMillis, call.get()).onComplete(done -> complete(done, context, emitter));
        });
    }

    /** Completes after a delay. */
    Uni<Void> delay(long nanos) {
        return Uni.createFrom().emitter(emitter -> {
            var context = callerContext();
            manager.vertx().setTimer(TimeUnit.NANOSECONDS.toMillis(nanos) + 1,
                    over -> complete(Future.<Void>succeededFuture(), context, emitter));
        });
    }

    private static Context callerContext() {
        return Context.isOnEventLoopThread() ? Vertx.currentContext() : null;
    }

    private static <T> void complete(AsyncResult<T> done, Context context, UniEmitter<? super T> emitter) {
        if (context == null) {
            complete(done, emitter);
        } else {
            context.runOnContext(now -> complete(done, emitter));
        }
    }

    private static <T> void complete(AsyncResult<T> done, UniEmitter<? super T> emitter) {
        if (done.succeeded()) {
            emitter.complete(done.result());
        } else {
            emitter.fail(done.cause() instanceof StoreUnavailableException
                    ? done.cause()
                    : new StoreUnavailableException("Redis replied with an error", done.cause()));
        }
    }
}
