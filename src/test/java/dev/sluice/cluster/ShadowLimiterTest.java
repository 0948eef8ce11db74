package dev.sluice.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.engine.DefaultRateLimiter;
import dev.sluice.testing.RedisTestServer;

/** Requests that are counted and deny nothing, alone and beside others, in Redis and without it. */
class ShadowLimiterTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final RedisTestServer redis = RedisTestServer.start();
    private final List<String> notified = new ArrayList<>();
    private ClusterMember member;

    @AfterEach
    void stop() {
        member.close();
        redis.close();
    }

    private DefaultRateLimiter limiter(String url) {
        member = new ClusterMember(url);
        return member.limiter((request, decision, nanos) -> notified
                .add(request.label() + (decision.denied() ? " denied" : " allowed")));
    }

    private static RateLimitRequest request(String identifier, String resource, String rate) {
        return new RateLimitRequest(identifier, "free", resource, List.of(new ResourceCheck(resource, Rate.parse(rate), 1)));
    }

    private static RateLimitRequest shadow(String identifier, String resource, String rate) {
        var enforced = request(identifier, resource, rate);
        return new RateLimitRequest(identifier, "free", resource, enforced.checks(), true);
    }

    private Decision check(DefaultRateLimiter limiter, RateLimitRequest... requests) {
        notified.clear();
        return limiter.checkAll(List.of(requests)).await().atMost(TIMEOUT);
    }

    private long used(String identifier, String resource) {
        return member.used(identifier, resource, Duration.ofHours(1));
    }

    @Test
    void aloneItCountsAndReports() {
        var limiter = limiter(redis.url());
        var first = limiter.check(shadow("user:alice", "r", "1/hour")).await().atMost(TIMEOUT);
        assertThat(first.allowed()).isTrue();
        assertThat(first.denied()).isFalse();

        var second = check(limiter, shadow("user:alice", "r", "1/hour"));

        assertThat(second.allowed()).isTrue();
        assertThat(second.denied()).isTrue();
        assertThat(second.mostRestrictive().orElseThrow().remaining()).isZero();
        assertThat(second.quotas()).singleElement().matches(quota -> quota.shadow() && quota.denied());
        assertThat(used("user:alice", "r")).isEqualTo(1);
        assertThat(notified).containsExactly("r denied");
    }

    @Test
    void besideOthersOfTheSameIdentifierItNeitherDeniesNorHidesThem() {
        var limiter = limiter(redis.url());
        for (int i = 0; i < 3; i++) {
            var decision = check(limiter, request("user:alice", "main", "3/hour"), shadow("user:alice", "one", "1/hour"),
                    shadow("user:alice", "two", "2/hour"), shadow("user:alice", "none", "blocked"));
            assertThat(decision.allowed()).isTrue();
            assertThat(decision.denied()).isTrue();
            assertThat(decision.mostRestrictive().orElseThrow().resource()).isEqualTo("main");
            assertThat(decision.mostRestrictive().orElseThrow().remaining()).isEqualTo(2 - i);
            assertThat(decision.retryAfter()).isEmpty();
            assertThat(notified).containsExactly(i < 1 ? "one allowed" : "one denied", i < 2 ? "two allowed" : "two denied",
                    "none denied", "main allowed");
        }
        assertThat(used("user:alice", "one")).isEqualTo(1);
        assertThat(used("user:alice", "two")).as("another rule's excess does not stop the count").isEqualTo(2);

        var denied = check(limiter, request("user:alice", "main", "3/hour"), shadow("user:alice", "one", "1/minute"),
                shadow("user:bob", "fresh", "5/hour"));

        assertThat(denied.allowed()).isFalse();
        assertThat(denied.retryAfter().orElseThrow()).isGreaterThan(Duration.ofMinutes(2));
        assertThat(used("user:bob", "fresh")).as("a denied request takes nothing").isZero();
        assertThat(notified).containsExactly("main denied");
    }

    @Test
    void withoutRedisItDoesNotMakeADecisionFail() {
        var limiter = limiter("redis://127.0.0.1:1");
        var closed = new RateLimitRequest("user:alice", "free", "closed",
                List.of(new ResourceCheck("closed", Rate.parse("1/hour"), 1).withFallback(FallbackPolicy.CLOSED)), true);

        assertThat(check(limiter, closed).mode()).isEqualTo(DecisionMode.OPEN);
        for (int i = 0; i < 2; i++) {
            var decision = check(limiter, request("user:alice", "main", "5/hour"), closed,
                    shadow("user:alice", "local", "1/hour"));
            assertThat(decision.allowed()).isTrue();
            assertThat(decision.mode()).isEqualTo(DecisionMode.LOCAL);
            assertThat(decision.denied()).isEqualTo(i == 1);
        }
        assertThat(used("user:alice", "main")).isEqualTo(2);
    }

    @Test
    void holdsOverTheSlotsOfACluster() {
        try (var cluster = RedisTestServer.startCluster()) {
            await().atMost(TIMEOUT).until(() -> cluster.send("SET a b").startsWith("+OK"));
            var limiter = limiter(cluster.url());
            var requests = new RateLimitRequest[]{request("user:alice", "main", "2/hour"), shadow("ip=1", "s1", "1/hour"),
                    shadow("ip=2", "s2", "1/hour"), request("ip=3", "further", "9/hour")};
            assertThat(check(limiter, requests).denied()).isFalse();
            var second = check(limiter, requests);
            assertThat(second.allowed()).isTrue();
            assertThat(second.denied()).isTrue();
            assertThat(check(limiter, requests).allowed()).isFalse();
            await().atMost(TIMEOUT).untilAsserted(() -> assertThat(used("ip=3", "further")).isEqualTo(2));
            assertThat(used("ip=1", "s1")).isEqualTo(1);
        }
    }
}
