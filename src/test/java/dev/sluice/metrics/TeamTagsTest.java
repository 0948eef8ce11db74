package dev.sluice.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.identity.chain.IdentityChain;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

class TeamTagsTest {

    private static final RateLimitRequest REQUEST = RateLimitRequest.of("user:alice", "api", Rate.parse("5/minute"), 1);
    private static final Decision ALLOWED = new Decision(true, false, DecisionMode.REDIS, Instant.EPOCH, List.of());

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    private static IdentityChain chainOf(String team, String org) {
        return new IdentityChain("k", "alice", team, org, List.of(), List.of());
    }

    @Test
    void decisionsHaveNoTagsOfTeamsUnlessThatIsSet() {
        new DecisionMetrics(registry, new TeamTags(false)).onDecision(REQUEST, chainOf("growth", "acme"), ALLOWED, 1);

        assertThat(registry.get(DecisionMetrics.DECISIONS).counter().getId().getTag("team")).isNull();
    }

    @Test
    void decisionsAreCountedByTeamAndOrganisation() {
        var metrics = new DecisionMetrics(registry, new TeamTags(true));

        metrics.onDecision(REQUEST, chainOf("growth", "acme"), ALLOWED, 1);
        metrics.onDecision(REQUEST, chainOf("growth", "acme"), ALLOWED, 1);
        metrics.onDecision(REQUEST, ALLOWED, 1);

        assertThat(allowed("growth", "acme")).isEqualTo(2);
        assertThat(allowed("none", "none")).isEqualTo(1);
    }

    @Test
    void furtherTeamsAreCountedTogether() {
        var metrics = new DecisionMetrics(registry, new TeamTags(true));
        for (int i = 0; i < TeamTags.MAX_GROUPS + 7; i++) {
            metrics.onDecision(REQUEST, chainOf("t" + i, "acme"), ALLOWED, 1);
        }

        assertThat(allowed("other", "other")).isEqualTo(7);
        assertThat(registry.get(DecisionMetrics.DECISIONS).counters().stream().mapToDouble(Counter::count).sum())
                .isEqualTo(TeamTags.MAX_GROUPS + 7);
        metrics.onDecision(REQUEST, chainOf("t1", "acme"), ALLOWED, 1);
        assertThat(allowed("t1", "acme")).isEqualTo(2);
    }

    private double allowed(String team, String org) {
        return registry.get(DecisionMetrics.DECISIONS).tag("team", team).tag("org", org).tag("outcome", "allowed")
                .tag("store", "redis").counter().count();
    }
}
