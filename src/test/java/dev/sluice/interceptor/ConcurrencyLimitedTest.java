package dev.sluice.interceptor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

import jakarta.inject.Inject;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.RateLimitExceededException;
import dev.sluice.api.RateLimiter;
import dev.sluice.engine.WindowReset;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.app.LimitedBean;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.smallrye.mutiny.Uni;

@QuarkusTest
@WithTestResource(RedisTestResource.class)
class ConcurrencyLimitedTest {

    private static final String APP = "app:sluice";

    @Inject
    LimitedBean bean;
    @Inject
    RateLimiter limiter;
    @Inject
    RateLimitAdmin admin;

    private CompletableFuture<String> work;

    @BeforeEach
    void begin() {
        WindowReset.resetAll(admin);
        work = new CompletableFuture<>();
        bean.setWork(work);
    }

    private long held(String identifier, String resource) {
        return 100 - limiter.check(identifier, resource, Rate.concurrency(100), 0).await().indefinitely().quotas().get(0)
                .remaining();
    }

    private void awaitHeld(String method, long expected) {
        Polling.await()
                .untilAsserted(() -> assertThat(held(APP, LimitedBean.class.getName() + '.' + method)).isEqualTo(expected));
    }

    private static void assertDenied(Runnable call) {
        assertThatThrownBy(call::run).satisfiesAnyOf(
                failure -> assertThat(failure).isInstanceOf(RateLimitExceededException.class),
                failure -> assertThat(failure).hasCauseInstanceOf(RateLimitExceededException.class));
    }

    @Test
    void plainMethodHoldsTheSlotUntilItReturns() {
        assertThat(bean.heldPlain(() -> {
            assertDenied(() -> bean.heldPlain(() -> "second"));
            return "first";
        })).isEqualTo("first");
        awaitHeld("heldPlain", 0);
        assertThatThrownBy(() -> bean.heldPlain(() -> {
            throw new IllegalArgumentException("on purpose");
        })).isInstanceOf(IllegalArgumentException.class);
        awaitHeld("heldPlain", 0);
        assertThat(bean.heldPlain(() -> "next")).isEqualTo("next");
    }

    @Test
    void denialTellsTheLimit() {
        bean.heldPlain(() -> {
            assertThatThrownBy(() -> bean.heldPlain(() -> "second"))
                    .isInstanceOfSatisfying(RateLimitExceededException.class, denied -> {
                        var quota = denied.decision().mostRestrictive().orElseThrow();
                        assertThat(quota.unit()).isEqualTo(QuotaUnit.CONCURRENT_REQUESTS);
                        assertThat(quota.limit()).isEqualTo(1);
                        assertThat(denied.decision().retryAfter()).hasValueSatisfying(wait -> assertThat(wait).hasSeconds(1));
                    });
            return null;
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"complete", "fail", "cancel"})
    void uniHoldsTheSlotUntilItEnds(String end) {
        var running = bean.heldUni().subscribe().with(item -> {
        }, failure -> {
        });
        awaitHeld("heldUni", 1);
        assertDenied(() -> bean.heldUni().await().indefinitely());
        switch (end) {
            case "complete" -> work.complete("done");
            case "fail" -> work.completeExceptionally(new IllegalStateException("on purpose"));
            default -> running.cancel();
        }
        awaitHeld("heldUni", 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void multiHoldsTheSlotUntilItEnds(boolean cancel) {
        var running = bean.heldMulti().subscribe().with(item -> {
        }, failure -> {
        });
        awaitHeld("heldMulti", 1);
        assertDenied(() -> bean.heldMulti().collect().asList().await().indefinitely());
        if (cancel) {
            running.cancel();
        } else {
            work.complete("last");
        }
        awaitHeld("heldMulti", 0);
    }

    @Test
    void stageHoldsTheSlotUntilItEnds() {
        CompletionStage<String> running = bean.heldStage();
        awaitHeld("heldStage", 1);
        assertThat(bean.heldStage()).failsWithin(60, TimeUnit.SECONDS).withThrowableThat()
                .withCauseInstanceOf(RateLimitExceededException.class);
        work.complete("done");
        assertThat(running).succeedsWithin(60, TimeUnit.SECONDS).isEqualTo("done");
        awaitHeld("heldStage", 0);
    }

    @Test
    void slotsBelongToTheKeyAndAreTakenTogetherWithTheRate() {
        bean.heldByTenant("a").subscribe().with(item -> {
        });
        Polling.await().until(() -> held("key:a", "held-by-tenant") == 1);
        assertDenied(() -> bean.heldByTenant("a").await().indefinitely());
        bean.heldByTenant("b").subscribe().with(item -> {
        });
        Polling.await().until(() -> held("key:b", "held-by-tenant") == 1);
        assertThat(admin.limits(APP).await().indefinitely()).as("the denied invocation is not counted")
                .containsEntry(LimitedBean.class.getName() + ".heldByTenant", 2L);
        work.complete("done");
        Polling.await().until(() -> held("key:a", "held-by-tenant") + held("key:b", "held-by-tenant") == 0);
    }

    /** The slot of a decision that nobody receives is free. */
    @Test
    void cancelledCheckHoldsNoSlot() {
        for (int i = 0; i < 300; i++) {
            var check = limiter.check("cancelled", "r", Rate.concurrency(10), 1);
            var subscription = check.onItem().invoke(decision -> decision.slot().release()).subscribe().with(item -> {
            });
            if (i % 3 == 0) {
                Thread.yield();
            }
            subscription.cancel();
        }
        Polling.await().untilAsserted(() -> assertThat(held("cancelled", "r")).isZero());
        assertThat(Uni.join().all(limiter.check("cancelled", "r", Rate.concurrency(10), 1)).andFailFast().await().indefinitely()
                .get(0).allowed()).isTrue();
    }
}
