package dev.sluice.engine;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.redis.EventLoops;
import io.vertx.core.Vertx;

/**
 * Makes some thousands of decisions before an instance is ready, so that its first burst does not wait for class
 * loading and JIT compilation. The windows are scratch windows of one second; no listener receives the decisions.
 */
public final class DecisionWarmUp {

    /** Prefix of the scratch identifiers, which no caller can guess. Listeners do not receive decisions on them. */
    public static final String SCRATCH_PREFIX = "warm-up:" + UUID.randomUUID() + ':';

    private static final Duration MAX_DURATION = Duration.ofSeconds(1);
    private static final int ROUNDS = 60;
    /** Concurrent decisions per event loop: the size of a burst. */
    private static final int DECISIONS_PER_ROUND = 100;

    private final Vertx vertx;
    private final CallbackRateLimiter limiter;
    private final List<List<ResourceCheck>> workloads = List.of(
            List.of(new ResourceCheck("warm-up", Rate.parse("5/second"), 1)),
            List.of(new ResourceCheck("warm-up", Rate.parse("1000000/second"), 1)),
            List.of(new ResourceCheck("burst", Rate.parse("20/second"), 1),
                    new ResourceCheck("warm-up", Rate.parse("50/second"), 1)),
            List.of(new ResourceCheck("query", Rate.parse("10/second"), 0)));

    DecisionWarmUp(Vertx vertx, CallbackRateLimiter limiter) {
        this.vertx = vertx;
        this.limiter = limiter;
    }

    /** Blocks the calling thread for about {@link #MAX_DURATION} at most. */
    void run() throws InterruptedException {
        long end = System.nanoTime() + MAX_DURATION.toNanos();
        var loops = EventLoops.contexts(vertx);
        var done = new CountDownLatch(loops.size());
        loops.forEach(loop -> loop.runOnContext(now -> round(0, end, done)));
        done.await(2 * MAX_DURATION.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void round(int number, long end, CountDownLatch done) {
        if (number == ROUNDS || System.nanoTime() - end >= 0) {
            done.countDown();
            return;
        }
        var context = Vertx.currentContext();
        int[] remaining = {DECISIONS_PER_ROUND};
        Runnable onDone = () -> {
            if (--remaining[0] == 0) {
                context.runOnContext(now -> round(number + 1, end, done));
            }
        };
        for (int i = 0; i < DECISIONS_PER_ROUND; i++) {
            var request = new RateLimitRequest(SCRATCH_PREFIX + i % 10, null, RateLimitRequest.CUSTOM_LABEL,
                    workloads.get(i % workloads.size()));
            limiter.check(request, decision -> onDone.run(), failure -> onDone.run());
        }
    }
}
