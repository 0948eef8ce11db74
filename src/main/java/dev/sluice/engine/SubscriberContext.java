package dev.sluice.engine;

import java.util.concurrent.Executor;
import java.util.function.Supplier;

import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/** Completes a {@code Uni} on the Vert.x context that subscribed to it. */
final class SubscriberContext {

    /** Runs tasks on the thread that completes the source. */
    static final Executor CALLING_THREAD = Runnable::run;

    private SubscriberContext() {
    }

    /**
     * Returns a {@code Uni} that completes on the event-loop context of its subscriber, duplicated contexts included. Without
     * such a context it completes on the thread of the source. So it does on a worker context: its tasks run one after the
     * other, and one that blocks until the {@code Uni} completes would wait for a task behind it.
     *
     * @param source creates the {@code Uni}, once per subscription
     */
    static <T> Uni<T> completeOn(Supplier<Uni<T>> source) {
        return Uni.createFrom().deferred(() -> {
            var executor = executor();
            return executor == CALLING_THREAD ? source.get() : source.get().emitOn(executor);
        });
    }

    /** Returns the executor of the current event-loop context; {@link #CALLING_THREAD} without such a context. */
    static Executor executor() {
        var context = Vertx.currentContext();
        return context == null || !context.isEventLoopContext() ? CALLING_THREAD : task -> {
            if (Vertx.currentContext() == context) {
                task.run();
            } else {
                context.runOnContext(ignored -> task.run());
            }
        };
    }
}
