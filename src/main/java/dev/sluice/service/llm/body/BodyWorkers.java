package dev.sluice.service.llm.body;

import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;

/**
 * Threads that inflate and parse large bodies, so that no event loop is blocked by them: one for each processor. Further bodies
 * wait; their number is bounded by the bytes that they hold.
 */
@ApplicationScoped
public class BodyWorkers {

    private static final int KEEP_ALIVE_SECONDS = 60;

    private final Vertx vertx;
    private final ThreadPoolExecutor executor;

    @Inject
    BodyWorkers(Vertx vertx) {
        this(vertx, Runtime.getRuntime().availableProcessors());
    }

    BodyWorkers(Vertx vertx, int threads) {
        this.vertx = vertx;
        var number = new AtomicInteger();
        executor = new ThreadPoolExecutor(threads, threads, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
                task -> {
                    var thread = new Thread(task, "sluice-llm-body-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
    }

    int threads() {
        return executor.getMaximumPoolSize();
    }

    /** Runs a task on a worker thread; the future completes on the current context. */
    <T> Future<T> run(Callable<T> task) {
        var context = vertx.getOrCreateContext();
        var result = Promise.<T>promise();
        try {
            executor.execute(() -> run(task, context, result));
        } catch (RejectedExecutionException e) { // stopping
            result.fail(e);
        }
        return result.future();
    }

    private static <T> void run(Callable<T> task, Context context, Promise<T> result) {
        try {
            T value = task.call();
            context.runOnContext(now -> result.complete(value));
        } catch (Exception | Error e) {
            context.runOnContext(now -> result.fail(e));
        }
    }

    @PreDestroy
    void close() {
        executor.shutdownNow();
    }
}
