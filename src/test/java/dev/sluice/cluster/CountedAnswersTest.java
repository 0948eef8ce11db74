package dev.sluice.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.engine.DefaultRateLimiter;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.store.ReservationToken;
import dev.sluice.testing.RedisTestServer;

/** Requests that take a unit only if their answer counts, on three instances at once. */
class CountedAnswersTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int LIMIT = 20;

    private RedisTestServer redis;
    private final List<ClusterMember> members = new ArrayList<>();

    @AfterEach
    void stop() {
        members.forEach(ClusterMember::close);
        redis.close();
    }

    private static RateLimitRequest request(String identifier, String resource, int limit, boolean counted) {
        return new RateLimitRequest(identifier, "free", resource,
                List.of(new ResourceCheck(resource, Rate.parse(limit + "/hour"), 1, counted, null)));
    }

    /** Requests of a caller by its own rule, one that counts by the answer, and another one of its address. */
    private static final List<RateLimitRequest> REQUESTS = List.of(request("user:alice", "own", 100_000, false),
            request("user:alice", "failures", LIMIT, true), request("ip=203.0.113.9", "rule:failures", LIMIT + 7, true));

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void neverMoreThanTheLimitHaveACountedAnswer(boolean cluster) throws Exception {
        redis = cluster ? RedisTestServer.startCluster() : RedisTestServer.start();
        await().atMost(TIMEOUT).until(() -> redis.send("SET a b").startsWith("+OK"));
        IntStream.range(0, 3).forEach(i -> members.add(new ClusterMember(redis.url())));
        var chain = new IdentityChain(null, "alice", "growth", "acme", List.of(), List.of());
        var counted = new AtomicInteger();
        var admitted = new AtomicInteger();
        var workers = Executors.newFixedThreadPool(9);
        try {
            var tasks = new ArrayList<Callable<Void>>();
            for (int i = 0; i < 9; i++) {
                var limiter = members.get(i % 3).limiter();
                var random = new Random(i);
                tasks.add(() -> {
                    for (int n = 0; n < 150; n++) {
                        sendAndAnswer(limiter, chain, random, counted, admitted);
                    }
                    return null;
                });
            }
            for (var done : workers.invokeAll(tasks)) {
                done.get();
            }
        } finally {
            workers.shutdown();
        }
        assertThat(counted).as("of %s admitted", admitted).hasValue(LIMIT);
        var used = members.get(1).limiter().check("ip=203.0.113.9", "rule:failures", Rate.parse((LIMIT + 7) + "/hour"), 0)
                .await()
                .atMost(TIMEOUT);
        assertThat(used.mostRestrictive().orElseThrow().remaining()).as("all others were given back").isEqualTo(7);
        assertThat(admitted.get()).isGreaterThan(LIMIT);
    }

    private static void sendAndAnswer(DefaultRateLimiter limiter, IdentityChain chain, Random random, AtomicInteger counted,
            AtomicInteger admitted) {
        var decision = CallbackRateLimiter.checkAll(limiter, REQUESTS, chain).await().atMost(TIMEOUT);
        if (!decision.allowed()) {
            return;
        }
        admitted.incrementAndGet();
        long used = random.nextInt(4) == 0 ? 1 : 0;
        var token = decision.reservation().orElseThrow();
        if (used == 1) {
            assertThat(counted.incrementAndGet()).isLessThanOrEqualTo(LIMIT);
        }
        limiter.settle("user:alice", token, Map.of("failures", used)).await().atMost(TIMEOUT);
        limiter.settle("ip=203.0.113.9", ReservationToken.withoutRoot(token), Map.of("rule:failures", used)).await()
                .atMost(TIMEOUT);
    }
}
