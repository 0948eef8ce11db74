package dev.sluice.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.engine.DefaultRateLimiter;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.testing.RedisTestServer;

/** Decisions of the rate limiter on the levels of a caller, of several instances, on one Redis and on a cluster. */
class ChainLimiterTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final IdentityChain CHAIN = new IdentityChain("k1", "alice", "growth", "acme", List.of(), List.of());

    private final List<ClusterMember> members = new ArrayList<>();
    private RedisTestServer redis = RedisTestServer.start();

    @AfterEach
    void stop() {
        members.forEach(ClusterMember::close);
        redis.close();
    }

    private DefaultRateLimiter limiter() {
        var member = new ClusterMember(redis.url(), FallbackPolicy.LOCAL, 1);
        members.add(member);
        return member.limiter();
    }

    private static RateLimitRequest request(String identifier, String rate) {
        return new RateLimitRequest(identifier, "free", "api", List.of(new ResourceCheck("api", Rate.parse(rate), 1)));
    }

    private static List<RateLimitRequest> chain(String user, String team) {
        return List.of(request("user:alice", user), request("team:growth", team));
    }

    private static Decision check(DefaultRateLimiter limiter, List<RateLimitRequest> requests, IdentityChain chain) {
        return decide(limiter, requests, chain).join();
    }

    private static CompletableFuture<Decision> decide(DefaultRateLimiter limiter, List<RateLimitRequest> requests,
            IdentityChain chain) {
        var decided = new CompletableFuture<Decision>();
        limiter.checkAll(requests, chain, decided::complete, decided::completeExceptionally);
        return decided;
    }

    private long used(String identifier) {
        return members.get(0).used(identifier, "api", Duration.ofHours(1));
    }

    @Test
    void everyLevelHoldsOverAllInstances() {
        var limiters = IntStream.range(0, 3).mapToObj(i -> limiter()).toList();

        var decisions = IntStream.range(0, 300)
                .mapToObj(i -> decide(limiters.get(i % 3), chain("1000/hour", "100/hour"), IdentityChain.NONE)).toList();

        assertThat(decisions.stream().map(CompletableFuture::join).filter(Decision::allowed)).hasSize(100);
        assertThat(used("user:alice")).as("nothing is taken by what the team denies").isEqualTo(100);
        assertThat(used("team:growth")).isEqualTo(100);
    }

    @Test
    void denialNamesTheLevel() {
        var limiter = limiter();
        check(limiter, chain("10/hour", "1/hour"), IdentityChain.NONE);

        var denied = check(limiter, chain("10/hour", "1/hour"), IdentityChain.NONE);

        assertThat(denied.allowed()).isFalse();
        assertThat(denied.mostRestrictive()).hasValueSatisfying(
                quota -> assertThat(quota.identifier()).isEqualTo("team:growth"));
        assertThat(denied.quotas()).extracting(QuotaStatus::remaining).containsExactly(9L, 0L);
        assertThat(denied.retryAfter()).isPresent();
    }

    @Test
    void requestsOfOneIdentifierAreOne() {
        var limiter = limiter();
        var twice = List.of(request("user:alice", "10/hour"), request("user:alice", "5/hour"));

        var decision = check(limiter, twice, IdentityChain.NONE);

        assertThat(decision.quotas()).singleElement().satisfies(quota -> assertThat(quota.remaining()).isEqualTo(4));
    }

    @Test
    void blockedLevelTakesNothing() {
        var limiter = limiter();
        assertThat(check(limiter, chain("10/hour", "blocked"), IdentityChain.NONE).allowed()).isFalse();
        assertThat(used("user:alice")).isZero();
    }

    /** Repeated denials are answered from memory, until a level is reset. */
    @Test
    void denialsAreCachedUntilALevelIsReset() {
        var limiter = limiter();
        var requests = chain("10/hour", "1/hour");
        check(limiter, requests, IdentityChain.NONE);
        await().atMost(TIMEOUT).until(() -> {
            assertThat(check(limiter, requests, IdentityChain.NONE).allowed()).isFalse();
            return members.get(0).deniedFromCache() > 0;
        });

        members.get(0).reset("team:growth");

        assertThat(check(limiter, requests, IdentityChain.NONE).allowed()).isTrue();
    }

    @Test
    void usageOfAnOutageIsMergedAtEveryLevel() {
        var limiters = List.of(limiter(), limiter());
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.registry().size() == 2));
        redis.close();
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.mode() == DecisionMode.LOCAL));

        long admitted = IntStream.range(0, 40)
                .filter(i -> check(limiters.get(i % 2), chain("100/hour", "20/hour"), IdentityChain.NONE).allowed()).count();

        assertThat(admitted).isEqualTo(20);
        redis = RedisTestServer.start(redis.port());
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.mode() == DecisionMode.REDIS));
        assertThat(used("user:alice")).isEqualTo(20);
        assertThat(used("team:growth")).isEqualTo(20);
    }

    @Test
    void onAClusterTheLevelsAreInTheSlotOfTheRoot() {
        try (var cluster = RedisTestServer.startCluster()) {
            await().atMost(TIMEOUT).until(() -> cluster.send("SET a b").startsWith("+OK"));
            var member = new ClusterMember(cluster.url());
            members.add(member);
            var limiter = member.limiter();
            var reserving = List.of(
                    new RateLimitRequest("user:alice", null, "api", List.of(new ResourceCheck("api", Rate.parse("3/hour"), 1),
                            ResourceCheck.reservation("t", Rate.parse("100/hour", QuotaUnit.TOKENS), 40))),
                    new RateLimitRequest("team:growth", null, "api", List.of(new ResourceCheck("api", Rate.parse("2/hour"), 1),
                            ResourceCheck.reservation("t", Rate.parse("1000/hour", QuotaUnit.TOKENS), 40))));

            var first = check(limiter, reserving, CHAIN);

            assertThat(first.allowed()).isTrue();
            assertThat(first.mode()).isEqualTo(DecisionMode.REDIS);
            assertThat(first.quotas()).extracting(QuotaStatus::identifier).contains("user:alice", "team:growth");
            for (var identifier : List.of("user:alice", "team:growth")) {
                limiter.settle(identifier, first.reservation().orElseThrow(), Map.of("t", 5L)).await().atMost(TIMEOUT);
            }
            var second = check(limiter, reserving, CHAIN);
            assertThat(second.quotas()).extracting(QuotaStatus::remaining).containsExactly(1L, 55L, 0L, 955L);
            assertThat(check(limiter, reserving, CHAIN).allowed()).isFalse();

            await().atMost(TIMEOUT)
                    .untilAsserted(() -> assertThat(used("user:alice")).as("found by its own name").isEqualTo(2));
            member.reset("user:alice");
            assertThat(used("user:alice")).isZero();
            assertThat(used("team:growth")).isEqualTo(2);
        }
    }

    /** A limit counted by an annotation's own key lies outside the caller's slot. */
    @Test
    void onAClusterIdentifiersOfOtherSlotsAreRefundedByADenial() {
        try (var cluster = RedisTestServer.startCluster()) {
            await().atMost(TIMEOUT).until(() -> cluster.send("SET a b").startsWith("+OK"));
            var member = new ClusterMember(cluster.url());
            members.add(member);
            var limiter = member.limiter();
            var requests = IntStream.range(0, 6).mapToObj(i -> request("key:" + i, i < 5 ? "100/hour" : "7/hour")).toList();

            var decisions = IntStream.range(0, 10).mapToObj(i -> check(limiter, requests, IdentityChain.NONE)).toList();

            assertThat(decisions.stream().filter(Decision::allowed)).hasSize(7);
            await().atMost(TIMEOUT).untilAsserted(() -> assertThat(IntStream.range(0, 6).mapToLong(i -> used("key:" + i)))
                    .as("what a denied request has taken is refunded").allMatch(used -> used == 7));
        }
    }

    /** Of a chain in one call, of others one after the other. */
    @Test
    void onAClusterSlotsOfRequestsInFlightAreTakenOfAllIdentifiersOrOfNone() {
        try (var cluster = RedisTestServer.startCluster()) {
            await().atMost(TIMEOUT).until(() -> cluster.send("SET a b").startsWith("+OK"));
            for (int i = 0; i < 2; i++) {
                members.add(new ClusterMember(cluster.url()));
            }
            var one = members.get(0).limiter();
            var two = members.get(1).limiter();
            var levels = List.of(inFlight("user:alice", 5), inFlight("team:growth", 2));
            var apart = IntStream.range(0, 6).mapToObj(i -> inFlight("key:" + i, i < 5 ? 100 : 2)).toList();

            var held = Stream.of(one, two).flatMap(limiter -> Stream.of(check(limiter, levels, CHAIN),
                    check(limiter, apart, IdentityChain.NONE))).toList();

            assertThat(held).allMatch(Decision::allowed);
            for (var limiter : List.of(one, two)) {
                assertThat(check(limiter, levels, CHAIN).allowed()).isFalse();
                assertThat(check(limiter, apart, IdentityChain.NONE).allowed()).isFalse();
            }
            awaitFree(two, levels, CHAIN, 3L, 0L);
            awaitFree(two, apart, IdentityChain.NONE, 98L, 98L, 98L, 98L, 98L, 0L);
            held.forEach(decision -> decision.slot().release());
            awaitFree(one, levels, CHAIN, 5L, 2L);
            awaitFree(two, apart, IdentityChain.NONE, 100L, 100L, 100L, 100L, 100L, 2L);
        }
    }

    private static RateLimitRequest inFlight(String identifier, long limit) {
        return new RateLimitRequest(identifier, "free", "api",
                List.of(new ResourceCheck("api", Rate.concurrency(limit), 1)));
    }

    /** Waits until the requests, asked without taking anything, have these free slots. */
    private static void awaitFree(DefaultRateLimiter limiter, List<RateLimitRequest> requests, IdentityChain chain,
            Long... free) {
        for (int i = 0; i < free.length; i++) {
            var request = requests.get(i);
            long expected = free[i];
            var check = request.checks().get(0);
            var query = List.of(new RateLimitRequest(request.identifier(), null, "api",
                    List.of(new ResourceCheck(check.resource(), check.rate(), 0))));
            await().atMost(TIMEOUT).untilAsserted(() -> assertThat(check(limiter, query, chain).quotas())
                    .as(request.identifier()).singleElement()
                    .satisfies(quota -> assertThat(quota.remaining()).isEqualTo(expected)));
        }
    }
}
