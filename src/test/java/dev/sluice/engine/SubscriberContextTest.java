package dev.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.smallrye.mutiny.Uni;
import io.vertx.core.AbstractVerticle;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;

class SubscriberContextTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();
    /** Completes on a thread of its own. */
    private final Uni<String> uni = SubscriberContext.completeOn(() -> Uni.createFrom().emitter(
            emitter -> new Thread(() -> emitter.complete("done"), "source").start()));

    @AfterEach
    void close() {
        vertx.close();
    }

    private CompletableFuture<Context> contextOfCompletion(Context subscriber) {
        var completedOn = new CompletableFuture<Context>();
        subscriber.runOnContext(started -> uni.subscribe().with(item -> completedOn.complete(Vertx.currentContext())));
        return completedOn;
    }

    @Test
    void completesOnTheEventLoopContextOfTheSubscriber() {
        var context = vertx.getOrCreateContext();

        assertThat(contextOfCompletion(context)).succeedsWithin(TIMEOUT).isSameAs(context);
    }

    @Test
    void completesOnTheDuplicatedContextOfTheSubscriber() {
        var context = ((ContextInternal) vertx.getOrCreateContext()).duplicate();

        assertThat(contextOfCompletion(context)).succeedsWithin(TIMEOUT).isSameAs(context);
    }

    @Test
    void failureCompletesOnTheContextToo() {
        var context = vertx.getOrCreateContext();
        var failing = SubscriberContext.completeOn(() -> Uni.createFrom().emitter(
                emitter -> new Thread(() -> emitter.fail(new IllegalStateException("on purpose"))).start()));
        var failedOn = new CompletableFuture<Context>();

        context.runOnContext(started -> failing.subscribe().with(item -> {
        }, failure -> failedOn.complete(Vertx.currentContext())));

        assertThat(failedOn).succeedsWithin(TIMEOUT).isSameAs(context);
    }

    @Test
    void completesOnTheThreadOfTheSourceWithoutAContext() {
        var thread = new CompletableFuture<String>();

        uni.subscribe().with(item -> thread.complete(Thread.currentThread().getName()));

        assertThat(thread).succeedsWithin(TIMEOUT).isEqualTo("source");
    }

    @Test
    void blockingOnAWorkerContextDoesNotDeadlock() {
        var deployed = vertx.deployVerticle(new AbstractVerticle() {
            @Override
            public void start(Promise<Void> started) {
                uni.await().atMost(TIMEOUT);
                started.complete();
            }
        }, new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER)).toCompletionStage().toCompletableFuture();

        assertThat(deployed).succeedsWithin(2 * TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    }
}
