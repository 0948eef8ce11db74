package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.store.ClaimPlan;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.testing.Race;

/** Decisions that threads hand over to the connection's event loop are sent once, and each caller is called back once. */
class ConcurrentHandOverTest {

    private static final int DECISIONS = 100;
    private static final int LIMIT = 350;
    private static final int TIMEOUT_SECONDS = 60;
    private static final int COST = 10;

    private final Race race = new Race();
    private final StoreUnderTest.InRedis redis = new StoreUnderTest.InRedis();

    @AfterEach
    void close() {
        race.close();
        redis.close();
    }

    private CompletableFuture<StoreResult> take(String identifier, ClaimPlan plan, AtomicInteger answers) {
        var decision = new CompletableFuture<StoreResult>();
        redis.store().take(identifier, plan, true, null, new ResultCallback<>() {

            @Override
            public void onResult(StoreResult result) {
                answers.incrementAndGet();
                decision.complete(result);
            }

            @Override
            public void onFailure(Throwable cause) {
                answers.incrementAndGet();
                decision.completeExceptionally(cause);
            }
        });
        return decision;
    }

    private static StoreResult await(CompletableFuture<StoreResult> decision) throws Exception {
        return decision.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    /** A decision that is lost fails after the timeout; one that is sent twice is counted twice. */
    @Test
    void everyDecisionIsSentOnceAndAnsweredOnce() throws Exception {
        Race.repeat(COST, round -> {
            var answers = new AtomicInteger();
            var handed = race.run(() -> {
                var decisions = new ArrayList<CompletableFuture<StoreResult>>();
                for (int i = 0; i < DECISIONS; i++) {
                    decisions.add(take("user:" + round, ClaimPlan.of(List.of(claim("r", 60, LIMIT, 1))), answers));
                }
                return decisions;
            });
            var granted = new ArrayList<Long>();
            for (var decision : handed.stream().flatMap(List::stream).toList()) {
                var result = await(decision);
                if (result.admitted()) {
                    granted.add(result.windows()[0].used());
                }
            }
            assertThat(granted).as("units used, as seen by each grant")
                    .containsExactlyInAnyOrderElementsOf(LongStream.rangeClosed(1, LIMIT).boxed().toList());
            assertThat(answers).as("callbacks").hasValue(Race.THREADS * DECISIONS);
        });
    }

    /** With nothing in flight, the first decision wakes the event loop, whichever thread it comes from. */
    @Test
    void decisionsOneByOneAreNeverLeftInTheQueue() throws Exception {
        Race.repeat(COST, round -> {
            var answers = new AtomicInteger();
            var results = race
                    .run(() -> await(take("user:" + round, ClaimPlan.of(List.of(claim("r", 60, 2, 1))), answers)));
            assertThat(results.stream().filter(StoreResult::admitted)).hasSize(2);
        });
    }
}
