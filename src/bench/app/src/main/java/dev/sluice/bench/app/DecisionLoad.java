package dev.sluice.bench.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;

/** Keeps a number of decisions in flight on two event loops. */
@ApplicationScoped
public class DecisionLoad {

    private static final int LOOPS = 2;
    /** Maximum number of requests before the event loop is released. */
    private static final int BURST = 256;
    private static final int CALLERS_PER_TEAM = 10;
    private static final int CALLERS_PER_ORG = 1000;
    private static final Rate KEY = Rate.parse("5000/second");
    private static final Rate TEAM = Rate.parse("10000000/hour");
    private static final Rate ORG = Rate.parse("100000000/hour");

    private final RateLimiter limiter;
    private final Vertx vertx;

    DecisionLoad(RateLimiter limiter, Vertx vertx) {
        this.limiter = limiter;
        this.vertx = vertx;
    }

    /** @param chain whether a decision concerns a user, the user's key, team and organisation; otherwise a single identifier */
    Uni<String> run(String name, int identities, Rate rate, boolean chain, int outstanding, long millis, long most) {
        var requests = IntStream.range(0, identities)
                .mapToObj(i -> chain ? chain(name, i, rate) : List.of(RateLimitRequest.of(name + i, "bench", rate, 1)))
                .toList();
        long begin = System.nanoTime();
        long end = begin + millis * 1_000_000;
        var loops = new ArrayList<Loop>();
        for (int i = 0; i < LOOPS; i++) {
            var context = ((VertxInternal) vertx).createEventLoopContext();
            loops.add(new Loop(context, requests, identities / LOOPS * i, outstanding / LOOPS, end, most / LOOPS));
        }
        return Uni.createFrom().completionStage(() -> Future.all(loops.stream().map(Loop::start).toList()).map(all -> {
            double seconds = (System.nanoTime() - begin) / 1e9;
            long allowed = loops.stream().mapToLong(loop -> loop.allowed).sum();
            long denied = loops.stream().mapToLong(loop -> loop.denied).sum();
            long notByRedis = loops.stream().mapToLong(loop -> loop.notByRedis).sum();
            return String.format(Locale.ROOT, "%.0f %d %d %d", (allowed + denied) / seconds, allowed, denied, notByRedis);
        }).toCompletionStage());
    }

    private static List<RateLimitRequest> chain(String name, int i, Rate rate) {
        return List.of(RateLimitRequest.of("user:" + name + i, "bench", rate, 1),
                RateLimitRequest.of("key:" + name + i, "bench", KEY, 1),
                RateLimitRequest.of("team:" + name + i / CALLERS_PER_TEAM, "bench", TEAM, 1),
                RateLimitRequest.of("org:" + name + i / CALLERS_PER_ORG, "bench", ORG, 1));
    }

    private final class Loop {

        private final Context context;
        private final List<List<RateLimitRequest>> requests;
        private final int outstanding;
        private final long end;
        private final long most;
        private final Promise<Void> finished = Promise.promise();
        private int next;
        private int available;
        private long requested;
        private boolean requesting;
        private boolean scheduled;
        private long allowed;
        private long denied;
        /** Decisions that Redis did not make, which invalidate the result. */
        private long notByRedis;

        Loop(Context context, List<List<RateLimitRequest>> requests, int first, int outstanding, long end, long most) {
            this.context = context;
            this.requests = requests;
            this.next = first;
            this.outstanding = outstanding;
            this.available = outstanding;
            this.end = end;
            this.most = most;
        }

        Future<Void> start() {
            context.runOnContext(now -> requestDecisions());
            return finished.future();
        }

        private void requestDecisions() {
            if (requesting) {
                return; // completed synchronously: the outer call continues
            }
            requesting = true;
            for (int i = 0; i < BURST && available > 0; i++) {
                if (requested == most || System.nanoTime() >= end) {
                    requesting = false;
                    if (available == outstanding) {
                        finished.tryComplete();
                    }
                    return;
                }
                available--;
                requested++;
                next = next + 1 < requests.size() ? next + 1 : 0;
                decide(requests.get(next)).subscribe().with(this::onDecision, failure -> {
                    notByRedis++;
                    onCompleted();
                });
            }
            requesting = false;
            if (available > 0 && !scheduled) {
                scheduled = true;
                context.runOnContext(now -> {
                    scheduled = false;
                    requestDecisions();
                });
            }
        }

        private Uni<Decision> decide(List<RateLimitRequest> levels) {
            return levels.size() == 1 ? limiter.check(levels.get(0)) : limiter.checkAll(levels);
        }

        private void onDecision(Decision decision) {
            if (decision.mode() != DecisionMode.REDIS) {
                notByRedis++;
            } else if (decision.allowed()) {
                allowed++;
            } else {
                denied++;
            }
            onCompleted();
        }

        private void onCompleted() {
            available++;
            requestDecisions();
        }
    }
}
