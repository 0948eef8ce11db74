package dev.sluice.interceptor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import jakarta.inject.Inject;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.RateLimitExceededException;
import dev.sluice.engine.WindowReset;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.app.LimitedBean;
import dev.sluice.testing.app.LimitedClass;
import dev.sluice.testing.app.SharedLimitClass;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.vertx.core.Vertx;

@QuarkusTest
@WithTestResource(RedisTestResource.class)
class RateLimitedTest {

    private static final String APP = "app:sluice";

    @Inject
    LimitedBean bean;
    @Inject
    LimitedClass limitedClass;
    @Inject
    SharedLimitClass sharingClass;
    @Inject
    RateLimitAdmin admin;
    @Inject
    Vertx vertx;

    @BeforeEach
    void reset() {
        WindowReset.resetAll(admin);
        bean.calls().set(0);
    }

    private long used(String resource) {
        return admin.limits(APP).await().indefinitely().getOrDefault(resource, 0L);
    }

    @Test
    void blockingMethodIsCountedAndThrowsWhenDenied() {
        bean.plain();
        bean.plain();
        assertThatThrownBy(bean::plain).isInstanceOfSatisfying(RateLimitExceededException.class, denied -> {
            assertThat(denied.decision().allowed()).isFalse();
            assertThat(denied.decision().mostRestrictive().orElseThrow().limit()).isEqualTo(2);
            assertThat(denied.decision().retryAfter()).isPresent();
        });
        assertThat(bean.calls()).hasValue(2);
        assertThat(used(LimitedBean.class.getName() + ".plain")).isEqualTo(2);
    }

    @Test
    @EnabledForJreRange(min = JRE.JAVA_21)
    void blockingMethodRunsOnAVirtualThread() throws Exception {
        var result = new CompletableFuture<String>();
        Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null,
                (Runnable) () -> result.complete(bean.plain()));
        assertThat(result).succeedsWithin(60, TimeUnit.SECONDS).isEqualTo("plain 1");
    }

    @Test
    void uniCountsOncePerSubscription() {
        var uni = bean.uni();
        assertThat(used(LimitedBean.class.getName() + ".uni")).isZero();
        assertThat(uni.await().indefinitely()).isEqualTo("uni 1");
        assertThat(uni.await().indefinitely()).isEqualTo("uni 2");
        assertThatThrownBy(() -> uni.await().indefinitely()).isInstanceOf(RateLimitExceededException.class);
        assertThat(bean.calls()).hasValue(2);
    }

    @Test
    void multiCountsOncePerSubscription() {
        var multi = bean.multi();
        assertThat(multi.collect().asList().await().indefinitely()).containsExactly("a", "b", "c");
        assertThat(multi.collect().asList().await().indefinitely()).containsExactly("a", "b", "c");
        assertThatThrownBy(() -> multi.collect().asList().await().indefinitely())
                .isInstanceOf(RateLimitExceededException.class);
        assertThat(bean.calls()).hasValue(6);
    }

    @Test
    void completionStageAndFutureFail() throws Exception {
        assertThat(bean.stage().toCompletableFuture().get()).isEqualTo("stage 1");
        bean.stage();
        assertThat(bean.stage().toCompletableFuture()).failsWithin(60, TimeUnit.SECONDS).withThrowableThat()
                .withCauseInstanceOf(RateLimitExceededException.class);
        assertThat(bean.future().get()).isEqualTo("future 3");
        bean.future();
        assertThat(bean.future()).failsWithin(60, TimeUnit.SECONDS);
    }

    @Test
    void checkedExceptionOfAReactiveMethodIsItsFailure() throws IOException {
        var failing = bean.failing();
        assertThatThrownBy(() -> failing.await().indefinitely()).hasRootCauseMessage("on purpose");
    }

    @Test
    void reactiveMethodsDoNotBlockAnEventLoop() {
        var result = new CompletableFuture<String>();
        vertx.runOnContext(loop -> bean.uni().subscribe().with(result::complete, result::completeExceptionally));
        assertThat(result).succeedsWithin(60, TimeUnit.SECONDS).isEqualTo("uni 1");
        var stageResult = new CompletableFuture<String>();
        vertx.runOnContext(loop -> bean.stage().whenComplete((value, failure) -> stageResult.complete(value)));
        assertThat(stageResult).succeedsWithin(60, TimeUnit.SECONDS).isEqualTo("stage 2");
    }

    @Test
    void blockingMethodOnAnEventLoopFailsWithAdvice() {
        var result = new CompletableFuture<String>();
        vertx.runOnContext(loop -> {
            try {
                result.complete(bean.plain());
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        assertThat(result).failsWithin(60, TimeUnit.SECONDS).withThrowableThat()
                .withCauseInstanceOf(IllegalStateException.class).withMessageContaining("LimitedBean.plain")
                .withMessageContaining("Uni<String>").withMessageContaining("@Blocking");
        assertThat(used(LimitedBean.class.getName() + ".plain")).isZero();
    }

    @Test
    void repeatedAnnotationsAreDecidedTogether() {
        bean.repeated();
        bean.repeated();
        assertThatThrownBy(bean::repeated).isInstanceOf(RateLimitExceededException.class);
        assertThat(used("repeated-hourly")).isEqualTo(2);
        assertThat(used(LimitedBean.class.getName() + ".repeated")).isEqualTo(2);
    }

    @Test
    void rateIsExpandedFromTheConfiguration() {
        bean.configured();
        bean.configured();
        assertThatThrownBy(bean::configured).isInstanceOfSatisfying(RateLimitExceededException.class,
                denied -> assertThat(denied.decision().mostRestrictive().orElseThrow().limit()).isEqualTo(2));
    }

    @Test
    void costIsConsumed() {
        bean.expensive();
        bean.expensive();
        assertThatThrownBy(bean::expensive).isInstanceOf(RateLimitExceededException.class);
        assertThat(used(LimitedBean.class.getName() + ".expensive")).isEqualTo(8);
    }

    @Test
    void keyPlaceholdersAreResolvedFromParameters() {
        bean.keyed("a");
        bean.keyed("b");
        assertThatThrownBy(() -> bean.keyed("a")).isInstanceOf(RateLimitExceededException.class);
        bean.positioned("x", 1);
        bean.positioned("x", 2);
        assertThatThrownBy(() -> bean.positioned("y", 2)).isInstanceOf(RateLimitExceededException.class);
        assertThat(admin.limits("key:tenant-a").await().indefinitely()).containsEntry("per-tenant", 1L);
    }

    @Test
    void blockedDeniesAndUnlimitedCountsNothing() {
        assertThatThrownBy(bean::blocked).isInstanceOfSatisfying(RateLimitExceededException.class,
                denied -> assertThat(denied.decision().retryAfter()).isEmpty());
        for (int i = 0; i < 20; i++) {
            bean.unlimited();
        }
        assertThat(admin.limits(APP).await().indefinitely()).isEmpty();
    }

    @Test
    void eachMethodOfAClassHasItsOwnWindow() {
        limitedClass.one();
        limitedClass.two();
        assertThatThrownBy(limitedClass::one).isInstanceOf(RateLimitExceededException.class);
        assertThat(used(LimitedClass.class.getName() + ".one")).isEqualTo(1);
        for (int i = 0; i < 3; i++) {
            limitedClass.own();
        }
        assertThatThrownBy(limitedClass::own).isInstanceOf(RateLimitExceededException.class);
    }

    @Test
    void namedResourceOfAClassIsShared() {
        sharingClass.one();
        assertThatThrownBy(sharingClass::two).isInstanceOf(RateLimitExceededException.class);
        assertThat(used("shared-by-class")).isEqualTo(1);
    }
}
