package dev.sluice.window;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import dev.sluice.limit.Demand;
import dev.sluice.limit.Rate;
import dev.sluice.limit.RateLimitRequest;
import dev.sluice.limit.RateLimiter;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;

/**
 * Makes some thousands of decisions before an instance is ready, so that its first burst does not meet classes that are not
 * loaded and code that is not compiled. The windows are scratch windows of one second; no listener receives the decisions.
 */
public final class WarmUp {

    /** How identifiers of scratch windows begin: no caller can guess it. Listeners do not receive decisions on them. */
    public static final String SCRATCH = "warm-up:" + UUID.randomUUID() + ':';

    private static final Duration LONGEST = Duration.ofSeconds(1);
    private static final int ROUNDS = 60;
    /** Decisions of one event loop at a time: as many as a burst has. */
    private static final int TOGETHER = 100;

    private final Vertx vertx;
    private final RateLimiter limiter;
    private final List<List<Demand>> kinds = List.of(
            List.of(new Demand("warm-up", Rate.parse("5/second"), 1)),
            List.of(new Demand("warm-up", Rate.parse("1000000/second"), 1)),
            List.of(new Demand("burst", Rate.parse("20/second"), 1), new Demand("warm-up", Rate.parse("50/second"), 1)),
            List.of(new Demand("asked", Rate.parse("10/second"), 0)));

    WarmUp(Vertx vertx, RateLimiter limiter) {
        this.vertx = vertx;
        this.limiter = limiter;
    }

    /** Blocks the calling thread for about {@link #LONGEST} at most. */
    void run() throws InterruptedException {
        long end = System.nanoTime() + LONGEST.toNanos();
        var loops = loops(vertx);
        var done = new CountDownLatch(loops.size());
        loops.forEach(loop -> loop.runOnContext(now -> round(0, end, done)));
        done.await(2 * LONGEST.toNanos(), TimeUnit.NANOSECONDS);
    }

    private static List<Context> loops(Vertx vertx) {
        EventLoopGroup group = ((VertxInternal) vertx).getEventLoopGroup();
        var loops = new ArrayList<Context>();
        for (EventExecutor ignored : group) { // contexts are spread over the loops in turn
            loops.add(((VertxInternal) vertx).createEventLoopContext());
        }
        return loops;
    }

    private void round(int number, long end, CountDownLatch done) {
        if (number == ROUNDS || System.nanoTime() - end >= 0) {
            done.countDown();
            return;
        }
        var context = (ContextInternal) Vertx.currentContext();
        int[] left = {TOGETHER};
        Runnable one = () -> {
            if (--left[0] == 0) {
                context.runOnContext(now -> round(number + 1, end, done));
            }
        };
        for (int i = 0; i < TOGETHER; i++) {
            var request = new RateLimitRequest(SCRATCH + i % 10, null, RateLimitRequest.CUSTOM, kinds.get(i % kinds.size()));
            limiter.check(request, decision -> one.run(), failure -> one.run());
        }
    }
}
