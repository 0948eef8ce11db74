package dev.sluice.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.store.JointPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.WindowClaim;
import dev.sluice.testing.RedisTestServer;

/** Decisions on windows of several identifiers, of several instances, with and without Redis. */
class JointOutageTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final Duration TEN_MINUTES = Duration.ofMinutes(10);
    private static final JointRequest REQUEST = new JointRequest(List.of("rls:d:a=1", "rls:d:b=1"),
            new JointPlan(List.of(List.of(ClusterMember.requests(90)), List.of(ClusterMember.requests(300)))));

    private final List<ClusterMember> members = new ArrayList<>();
    private RedisTestServer redis = RedisTestServer.start();

    @AfterEach
    void stop() {
        members.forEach(ClusterMember::close);
        redis.close();
    }

    private void start(FallbackPolicy fallback) {
        for (int i = 0; i < 3; i++) {
            members.add(new ClusterMember(redis.url(), fallback, 1));
        }
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.registry().size() == 3));
    }

    private void stopRedis(DecisionMode mode) {
        redis.close();
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.mode() == mode));
    }

    private int admitted(int requests) {
        int admitted = 0;
        for (int i = 0; i < requests; i++) {
            admitted += members.get(i % 3).take(REQUEST).result().admitted() ? 1 : 0;
        }
        return admitted;
    }

    private long used(String identifier) {
        return members.get(0).used(identifier, "r", TEN_MINUTES);
    }

    @Test
    void limitsAreExactBeforeDuringAndAfterAnOutage() {
        start(FallbackPolicy.LOCAL);
        assertThat(admitted(60)).isEqualTo(60);
        stopRedis(DecisionMode.LOCAL);
        assertThat(admitted(300)).isEqualTo(30);
        redis = RedisTestServer.start(redis.port()); // empty
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.mode() == DecisionMode.REDIS));
        assertThat(used("rls:d:a=1")).isEqualTo(90);
        assertThat(used("rls:d:b=1")).as("nothing counted for what the other window refused").isEqualTo(90);
        assertThat(admitted(30)).isZero();
    }

    @Test
    void closedFallbackDecidesNothingAndOpenAdmits() {
        start(FallbackPolicy.CLOSED);
        stopRedis(DecisionMode.CLOSED);
        assertThatThrownBy(() -> members.get(0).take(withFallbacks(FallbackPolicy.CLOSED, FallbackPolicy.CLOSED)))
                .isInstanceOf(StoreUnavailableException.class);
        try (var open = new ClusterMember(redis.url(), FallbackPolicy.OPEN, 1)) {
            assertThat(open.take(withFallbacks(FallbackPolicy.OPEN, FallbackPolicy.OPEN)).mode())
                    .isEqualTo(DecisionMode.OPEN);
        }
    }

    /** Closed before local before open, as for one identifier: what is open is not counted locally. */
    @Test
    void fallbacksOfOneRequestTheStrictestHolds() {
        start(FallbackPolicy.LOCAL);
        stopRedis(DecisionMode.LOCAL);
        assertThatThrownBy(() -> members.get(0).take(withFallbacks(FallbackPolicy.OPEN, FallbackPolicy.CLOSED)))
                .isInstanceOf(StoreUnavailableException.class);

        var mixed = withFallbacks(FallbackPolicy.LOCAL, FallbackPolicy.OPEN);
        var admitted = IntStream.range(0, 10).mapToObj(i -> members.get(0).take(mixed))
                .filter(outcome -> outcome.result().admitted()).toList();

        assertThat(admitted).as("a third of 6").hasSize(2)
                .allSatisfy(outcome -> assertThat(outcome.request().identifiers()).containsExactly("rls:d:a=1"));
    }

    private static JointRequest withFallbacks(FallbackPolicy one, FallbackPolicy other) {
        return new JointRequest(List.of("rls:d:a=1", "rls:d:b=1"), new JointPlan(Stream.of(one, other)
                .map(fallback -> List.of(new WindowClaim("r", 600_000_000, 6, QuotaUnit.REQUESTS, 1, false, 6, fallback)))
                .toList()));
    }

    /** All keys of a call are in one slot, that of the domain. */
    @Test
    void clusterDecidesInOneCall() {
        try (var cluster = RedisTestServer.startCluster()) {
            await().atMost(TIMEOUT).until(() -> cluster.send("SET a b").startsWith("+OK"));
            try (var member = new ClusterMember(cluster.url())) {
                members.add(member);
                for (int i = 0; i < 10; i++) {
                    var domain = "rls:domain" + i;
                    var request = new JointRequest(List.of(domain + ":a=1", domain + ":b=2", domain + ":c=3"),
                            new JointPlan(List.of(
                                    List.of(ClusterMember.requests(2)), List.of(ClusterMember.requests(5)),
                                    List.of(ClusterMember.requests(5)))));
                    for (int j = 1; j <= 3; j++) {
                        var outcome = member.take(request);
                        assertThat(outcome.mode()).isEqualTo(DecisionMode.REDIS);
                        assertThat(outcome.result().admitted()).isEqualTo(j <= 2);
                    }
                    assertThat(used(domain + ":c=3")).isEqualTo(2);
                }
                members.clear();
            }
        }
    }
}
