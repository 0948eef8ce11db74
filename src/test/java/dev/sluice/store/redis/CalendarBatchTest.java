package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.QuotaUnit;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.JointPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import io.vertx.core.Vertx;

/** Batches with decisions on calendar periods that are not the current ones by Redis's clock. */
class CalendarBatchTest {

    private static final long SECOND = 1_000_000;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();
    private final StoreUnderTest.InRedis redis = new StoreUnderTest.InRedis();
    private final CalendarWindow today = CalendarWindow.at(CalendarPeriod.DAY, ZoneOffset.UTC,
            Instant.parse("2026-11-30T12:00:00Z").getEpochSecond() * SECOND);
    private final CalendarWindow tomorrow = today.at(today.endMicros());
    private final CalendarWindow yesterday = today.at(today.startMicros() - 1);

    @AfterEach
    void close() {
        redis.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    /** Adds a request to the batch. */
    private interface Call {

        void make(ResultCallback<StoreResult> callback);
    }

    private List<StoreResult> decideTogether(List<Call> calls) {
        var results = new ArrayList<CompletableFuture<StoreResult>>();
        calls.forEach(call -> results.add(new CompletableFuture<>()));
        vertx.getOrCreateContext().runOnContext(now -> {
            for (int i = 0; i < calls.size(); i++) {
                var result = results.get(i);
                ResultCallback.<StoreResult>toUni(calls.get(i)::make).subscribe().with(result::complete,
                        result::completeExceptionally);
            }
        });
        return results.stream().map(CompletableFuture::join).toList();
    }

    private Call take(String identifier, ClaimPlan plan, String reservation) {
        return callback -> redis.store().take(identifier, plan, true, reservation, callback);
    }

    private long used(String identifier, CalendarWindow period) {
        redis.at(period.startMicros() + SECOND);
        return redis.store().usage(identifier, "r", period).await().atMost(TIMEOUT).used();
    }

    /** Groups, reservations and joint requests for three periods: all are counted in Redis's, and in their order. */
    @Test
    void wrongPeriodsAreCorrectedAndDisturbNoOthers() {
        redis.at(today.endMicros() - SECOND);
        redis.take("other", claim("r", 60, 10, 1)); // loads the script
        var requests = claim("r", 60, 100, 1);
        var sliding = ClaimPlan.of(List.of(requests));
        var reserved = new WindowClaim("r", 60 * SECOND, 1000, QuotaUnit.TOKENS, 30, true);
        var calls = new ArrayList<Call>();
        for (var period : List.of(today, tomorrow, yesterday, today, tomorrow)) {
            var plan = ClaimPlan.of(List.of(requests.in(period)));
            for (int i = 0; i < 30; i++) {
                calls.add(take("alice", plan, null));
                calls.add(take("sliding", sliding, null));
            }
            calls.add(take("tokens", ClaimPlan.of(List.of(reserved.in(period))), "reservation-" + calls.size()));
            var joint = new JointRequest(List.of("rls:a", "rls:b"),
                    new JointPlan(List.of(List.of(requests.in(period)), List.of(requests))));
            calls.add(callback -> redis.store().take(joint, true, null, callback));
        }
        var results = decideTogether(calls);
        assertThat(results).allSatisfy(result -> assertThat(today.contains(result.now())).isTrue());
        assertThat(results.stream().filter(StoreResult::admitted).count()).isEqualTo(100 + 100 + 5 + 5);
        assertThat(used("alice", today)).isEqualTo(100);
        assertThat(used("tokens", today)).isEqualTo(150);
        assertThat(used("rls:a", today)).isEqualTo(5);
        for (var wrong : List.of(yesterday, tomorrow)) {
            for (var identifier : List.of("alice", "tokens", "rls:a")) {
                assertThat(used(identifier, wrong)).as(identifier).isZero();
            }
        }
    }

    @Test
    void planOfAnotherPeriodIsCreatedOnce() {
        var plan = ClaimPlan.of(List.of(claim("r", 60, 100, 1).in(today)));
        var next = plan.at(tomorrow.startMicros());
        assertThat(next.get(0).calendar()).isEqualTo(tomorrow);
        assertThat(plan.at(tomorrow.endMicros() - 1)).isSameAs(next);
        assertThat(next.at(today.endMicros() - 1)).isSameAs(plan);
        assertThat(plan.at(today.startMicros())).isSameAs(plan);
        assertThat(ClaimPlan.of(List.of(claim("r", 60, 100, 1))).at(0)).as("without a calendar").isNotSameAs(next);
    }
}
