package dev.sluice.llm.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.llm.config.TestProviders;
import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.pricing.CostParts.Group;
import dev.sluice.llm.pricing.CostParts.Part;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageKind;
import dev.sluice.metrics.TeamTags;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

class LlmMetricsTest {

    private static final TokenUsage USAGE = new TokenUsage(1000, 500, 100, 40, 25);

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final LlmMetrics metrics = new LlmMetrics(registry, TestProviders.builtIn(), new TeamTags(false));
    private final CallOwner owner = new CallOwner(null, "alice", "growth", null);

    private double count(String name, String type) {
        return registry.get(name).tag("provider", "openai").tag("model", "gpt-4o").tag("type", type).counter().count();
    }

    @Test
    void tokensUnitsAndCostAreCountedByType() {
        var cost = new CostParts(List.of(new Part("input", Group.INPUT, 300, 3_000_000),
                new Part("audio_input", Group.INPUT, 100, 4_000_000),
                new Part("cached_input", Group.CACHED_INPUT, 500, 500_000),
                new Part("cache_write", Group.CACHE_WRITE, 60, 600_000),
                new Part("cache_write_1h", Group.CACHE_WRITE, 40, 800_000),
                new Part("output", Group.OUTPUT, 25, 2_500_000), new Part("web_search", Group.NONE, 2, 20_000_000)),
                31_400_000).withReported(5_000_000);
        for (int i = 0; i < 3; i++) {
            metrics.countSuccess(Provider.OPENAI, owner, "gpt-4o", USAGE, cost, false);
        }
        assertThat(count("llm_tokens", "input")).as("all input").isEqualTo(3000);
        assertThat(count("llm_tokens", "cached_input")).isEqualTo(1500);
        assertThat(count("llm_tokens", "cache_write")).as("all cache writes").isEqualTo(300);
        assertThat(count("llm_tokens", "cache_write_1h")).isEqualTo(120);
        assertThat(count("llm_tokens", "audio_input")).isEqualTo(300);
        assertThat(count("llm_tokens", "output")).isEqualTo(75);
        assertThat(registry.find("llm_tokens").tag("type", "web_search").counter()).isNull();
        assertThat(count("llm_units", "web_search")).isEqualTo(6);
        assertThat(registry.find("llm_units").tag("type", CostParts.REPORTED).counter()).isNull();
        assertThat(registry.find("llm_cost_by_type_usd").tag("type", CostParts.REPORTED).counter()).isNull();
        assertThat(count("llm_cost_by_type_usd", "audio_input")).isCloseTo(12e-6, within(1e-15));
        assertThat(count("llm_cost_by_type_usd", "web_search")).isCloseTo(60e-6, within(1e-15));
        assertThat(registry.find("llm_cost_by_type_usd").counters().stream().mapToDouble(Counter::count).sum())
                .isCloseTo(registry.get("llm_cost_usd").counter().count(), within(1e-15));
        assertThat(registry.get("llm_cost_usd").counter().count()).isCloseTo(94.2e-6, within(1e-15));
    }

    @Test
    void unpricedCallsHaveQuantitiesWithoutACost() {
        metrics.countSuccess(Provider.OPENAI, owner, null, USAGE, CostParts.unpriced(Map.of(UsageKind.IMAGE_INPUT, 7L)), false);
        assertThat(registry.get("llm_tokens").tag("model", "other").tag("type", "image_input").counter().count()).isEqualTo(7);
        assertThat(registry.get("llm_cost_usd").tag("model", "other").counter().count()).isZero();
        assertThat(registry.get("llm_unpriced_calls").tag("provider", "openai").counter().count()).isEqualTo(1);
    }

    @Test
    void teamsAreTagsOnlyIfThatIsSet() {
        metrics.countSuccess(Provider.OPENAI, owner, "gpt-4o", USAGE, CostParts.unpriced(Map.of()), false);
        assertThat(registry.get("llm_tokens").tag("type", "output").counter().getId().getTag("team")).isNull();

        var withTeams = new SimpleMeterRegistry();
        new LlmMetrics(withTeams, TestProviders.builtIn(), new TeamTags(true)).countSuccess(Provider.OPENAI, owner, "gpt-4o",
                USAGE,
                CostParts.unpriced(Map.of()), false);
        assertThat(withTeams.get("llm_tokens").tag("type", "output").tag("team", "growth").tag("org", "none").counter().count())
                .isEqualTo(25);
    }
}
