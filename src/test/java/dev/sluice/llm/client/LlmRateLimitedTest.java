package dev.sluice.llm.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;

import dev.sluice.api.RateLimitExceededException;
import dev.sluice.directory.IdentityKind;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;

@QuarkusTest
@TestProfile(LlmTest.TokenRates.class)
class LlmRateLimitedTest extends LlmTest {

    private static final String APP = "app:sluice";

    @Inject
    AnnotatedBean bean;
    @Inject
    Vertx vertx;

    @Test
    void readsUserAndTierFromParameters() {
        for (int i = 0; i < 3; i++) {
            bean.plain("pat", null);
        }
        assertThatThrownBy(() -> bean.plain("pat", "nonsense")).isInstanceOfSatisfying(RateLimitExceededException.class,
                denied -> assertThat(denied.decision().mostRestrictive().orElseThrow().limit()).isEqualTo(3));
        assertThat(bean.plain("pat", "pro")).isEqualTo("plain");
        assertThat(used("user:pat", "llm:openai")).isEqualTo(4);
        awaitTokens("user:pat", "openai", 280);
        assertThat(booked("user:pat", "openai", "gpt-4o").estimated()).isEqualTo(4);
    }

    @Test
    void reportedUsageIsBooked() throws Exception {
        assertThat(bean.uni("qua").await().indefinitely()).isEqualTo("uni");
        awaitTokens("user:qua", "openai", 12);
        assertThat(bean.stage("qua").toCompletableFuture().get()).isEqualTo("stage");
        awaitTokens("user:qua", "openai", 24);
        assertThat(bean.multi("qua").collect().asList().await().indefinitely()).containsExactly("a", "b");
        awaitTokens("user:qua", "openai", 48);
        assertThatThrownBy(() -> bean.uni("qua").await().indefinitely()).isInstanceOf(RateLimitExceededException.class);
        assertThatThrownBy(() -> bean.multi("qua").collect().asList().await().indefinitely())
                .isInstanceOf(RateLimitExceededException.class);
        assertThat(bean.stage("qua").toCompletableFuture()).failsWithin(60, TimeUnit.SECONDS).withThrowableThat()
                .withCauseInstanceOf(RateLimitExceededException.class);
        var totals = booked("user:qua", "openai", "gpt-4o");
        assertThat(totals.calls()).isEqualTo(3);
        assertThat(totals.estimated()).isZero();
        LlmCallScope.reportUsage(1, 1);
    }

    @Test
    void storedLimitsAndTierOfTheUserHold() {
        stored.put(IdentityKind.USER, "tia",
                new JsonObject().put("tier", "pro").put("limits", new JsonObject("{\"llm\":{\"requests\":\"4/hour\"}}")));
        for (int i = 0; i < 4; i++) {
            bean.plain("tia", null);
        }
        assertThatThrownBy(() -> bean.plain("tia", null)).isInstanceOfSatisfying(RateLimitExceededException.class,
                denied -> assertThat(denied.decision().mostRestrictive().orElseThrow().resource()).isEqualTo("llm"));
        assertThat(used("user:tia", "llm")).isEqualTo(4);
    }

    @Test
    void everySubscriptionIsCounted() {
        var uni = bean.uni("ray");
        assertThat(used("user:ray", "llm:openai")).isZero();
        uni.await().indefinitely();
        uni.await().indefinitely();
        assertThat(used("user:ray", "llm:openai")).isEqualTo(2);
    }

    @Test
    void failureReleasesReservation() {
        assertThatThrownBy(() -> bean.failing("sam", () -> new IllegalStateException("on purpose"))).hasMessage("on purpose");
        awaitTokens("user:sam", "openai", 0);
        assertThat(used("user:sam", "llm:openai")).isEqualTo(1);
        assertThat(nothingBooked("user:sam")).isTrue();
        assertThatThrownBy(() -> bean.failing("sam", () -> {
            LlmCallScope.reportUsage(5, 6);
            return new IllegalStateException("after it was answered");
        })).hasMessage("after it was answered");
        awaitTokens("user:sam", "openai", 11);
    }

    @Test
    void cancelledInvocationIsBooked() {
        var endless = bean.endless("tea").subscribe().with(item -> {
        });
        awaitTokens("user:tea", "openai", 70);
        endless.cancel();
        assertThat(booked("user:tea", "openai", "gpt-4o").estimated()).isEqualTo(1);
    }

    @Test
    void fallsBackToBoundUserOrApplication() {
        LlmCallScope.as("uma").call(bean::unnamed);
        assertThat(used("user:uma", "llm:openai")).isEqualTo(1);
        bean.unnamed();
        bean.plain(" ", null);
        assertThat(used(APP, "llm:openai")).isEqualTo(2);
        LlmCallScope.as("uma").call(() -> bean.plain("val", null));
        assertThat(used("user:val", "llm:openai")).isEqualTo(1);
    }

    @Test
    void blockingMethodOnEventLoopFailsWithAdvice() {
        var result = new CompletableFuture<String>();
        vertx.runOnContext(loop -> {
            try {
                result.complete(bean.unnamed());
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        assertThat(result).failsWithin(60, TimeUnit.SECONDS).withThrowableThat()
                .withCauseInstanceOf(IllegalStateException.class).withMessageContaining("@LlmRateLimited")
                .withMessageContaining("AnnotatedBean.unnamed").withMessageContaining("@Blocking");
        var uni = new CompletableFuture<String>();
        vertx.runOnContext(loop -> bean.uni("wim").subscribe().with(uni::complete, uni::completeExceptionally));
        assertThat(uni).succeedsWithin(60, TimeUnit.SECONDS);
    }
}
