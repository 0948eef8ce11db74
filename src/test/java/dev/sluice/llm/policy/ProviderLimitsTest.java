package dev.sluice.llm.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.config.RulesDocument;
import dev.sluice.config.RulesDocuments;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.policy.Tiers;
import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;

class ProviderLimitsTest {

    private static final Tiers TIERS = new Tiers(List.of("free", "pro"),
            Map.of("free", Rate.parse("7/minute"), "pro", Rate.parse("8/minute")));

    private static LlmPolicySnapshot snapshot(String yaml) {
        return snapshot(RulesDocuments.of(yaml));
    }

    private static LlmPolicySnapshot snapshot(RulesDocument file) {
        return snapshot(file, Map.of("rate-limit.llm.openai.requests.free", "1/minute",
                "rate-limit.llm.openai.requests.pro", "2/minute", "rate-limit.llm.openai.tokens.free", "100/minute",
                "rate-limit.llm.openai.models.\"gpt-4o\".requests.free", "3/minute",
                "rate-limit.llm.openai.models.\"gpt-4o\".tokens.free", "30/minute"));
    }

    private static LlmPolicySnapshot snapshot(RulesDocument file, Map<String, String> properties) {
        var settings = new SmallRyeConfigBuilder().withMapping(LlmConfig.class)
                .withSources(new PropertiesConfigSource(properties, "settings", 100))
                .withConverter(MemorySize.class, 100,
                        new MemorySizeConverter())
                .withConverter(Duration.class, 100, new DurationConverter())
                .build().getConfigMapping(LlmConfig.class);
        return new LlmPolicySnapshot(settings, file, TIERS);
    }

    private static Map<String, Rate> freeCalls(LlmPolicySnapshot snapshot) {
        return snapshot.freeCallRule(Provider.OPENAI).rates();
    }

    @Test
    void ratesOfFreeCallsAreForAllTiersOrPerTier() {
        var builtIn = Rate.parse("60/minute");
        assertThat(freeCalls(snapshot("{}"))).isEqualTo(Map.of("free", builtIn, "pro", builtIn));
        assertThat(freeCalls(snapshot("llm: {free-calls: 5/minute}")))
                .isEqualTo(Map.of("free", Rate.parse("5/minute"), "pro", Rate.parse("5/minute")));
        assertThat(freeCalls(snapshot("llm: {free-calls: {pro: unlimited}}")))
                .isEqualTo(Map.of("free", builtIn, "pro", Rate.UNLIMITED));
        assertThat(snapshot("llm: {free-calls: {pro: unlimited}}").rule("llm:gemini:free").rate("pro"))
                .isEqualTo(Rate.UNLIMITED);
        assertThat(snapshot("llm: {free-calls: 5 per minute}").problems().lines()).singleElement().asString()
                .contains("free-calls", "allowed: ");
        assertThat(snapshot("llm: {free-calls: {gold: 5/minute}}").problems().lines()).singleElement().asString()
                .contains("free-calls", "gold");
        assertThat(snapshot("llm: {free-calls: [5/minute]}").problems().lines()).isNotEmpty();
    }

    private static Rate rate(LlmPolicySnapshot snapshot, LimitKind kind, String tier, String model) {
        return snapshot.rule(Provider.OPENAI, kind, tier, model).rate(tier);
    }

    @Test
    void modelRulesApplyToAliasesAndToNoOtherModel() {
        var snapshot = snapshot("llm: {openai: {models: {my-model: {requests: {free: 4/minute}, output-estimate: 5}}}}");
        for (var model : List.of("my-model", "my-model-2026-11-29", "my-model-latest", "models/my-model",
                "openai/my-model-001")) {
            assertThat(rate(snapshot, LimitKind.REQUESTS, "free", model)).as(model).isEqualTo(Rate.parse("4/minute"));
            assertThat(snapshot.outputEstimate(Provider.OPENAI, model)).as(model).isEqualTo(5);
        }
        assertThat(rate(snapshot, LimitKind.REQUESTS, "free", "gpt-4o-2024-05-13")).isEqualTo(Rate.parse("3/minute"));
        for (var model : List.of("my-model-pro", "gpt-4o-mini", "ft:gpt-4o:org::id", "")) {
            assertThat(rate(snapshot, LimitKind.REQUESTS, "free", model)).as(model).isEqualTo(Rate.parse("1/minute"));
            assertThat(snapshot.outputEstimate(Provider.OPENAI, model)).as(model).isEqualTo(4096);
        }
    }

    @Test
    void rulesFileOverridesConfiguration() {
        var snapshot = snapshot("""
                llm:
                  openai:
                    requests: {free: 4/minute}
                    budget: {pro: 20/day}
                    fallback: closed
                    output-estimate: 77
                    models:
                      gpt-4o: {requests: {pro: 5/minute}}
                    prices:
                      mine: {input: 1, output: "2.5", cache-write-1h: 3}
                """);
        assertThat(snapshot.problems().lines()).isEmpty();
        assertThat(rate(snapshot, LimitKind.REQUESTS, "free", "x")).isEqualTo(Rate.parse("4/minute"));
        assertThat(rate(snapshot, LimitKind.REQUESTS, "pro", "x")).isEqualTo(Rate.parse("2/minute"));
        assertThat(rate(snapshot, LimitKind.TOKENS, "free", "x")).isEqualTo(Rate.parse("100/minute", QuotaUnit.TOKENS));
        assertThat(rate(snapshot, LimitKind.BUDGET, "pro", "x")).isEqualTo(Rate.parse("20/day", QuotaUnit.NANODOLLARS));
        assertThat(rate(snapshot, LimitKind.REQUESTS, "pro", "gpt-4o")).isEqualTo(Rate.parse("5/minute"));
        assertThat(rate(snapshot, LimitKind.TOKENS, "free", "gpt-4o")).isEqualTo(Rate.parse("100/minute", QuotaUnit.TOKENS));
        assertThat(snapshot.rule("llm:openai").fallback()).isEqualTo(FallbackPolicy.CLOSED);
        assertThat(snapshot.outputEstimate(Provider.OPENAI, "x")).isEqualTo(77);
        assertThat(snapshot.names().price(snapshot.prices(), Provider.OPENAI, "mine-2026-11-29", LocalDate.EPOCH)).isNotNull();
        assertThat(snapshot.names().price(snapshot.prices(), Provider.OPENAI, "mine-2", LocalDate.EPOCH)).isNull();
    }

    @Test
    void tokensOfADirectionAreUnlimitedUnlessConfigured() {
        var snapshot = snapshot("""
                llm:
                  openai:
                    input-tokens: {free: 40/minute}
                    models:
                      gpt-4o: {output-tokens: {pro: 5/minute;9/day}}
                """);
        assertThat(snapshot.problems().lines()).isEmpty();
        assertThat(rate(snapshot, LimitKind.INPUT_TOKENS, "free", "x")).isEqualTo(Rate.parse("40/minute", QuotaUnit.TOKENS));
        assertThat(rate(snapshot, LimitKind.INPUT_TOKENS, "pro", "x")).isEqualTo(Rate.UNLIMITED);
        assertThat(rate(snapshot, LimitKind.OUTPUT_TOKENS, "pro", "gpt-4o-2024-08-06"))
                .isEqualTo(Rate.parse("5/minute;9/day", QuotaUnit.TOKENS));
        assertThat(rate(snapshot, LimitKind.OUTPUT_TOKENS, "free", "gpt-4o")).isEqualTo(Rate.UNLIMITED);
        assertThat(snapshot.describeLimits(Provider.OPENAI)).isEqualTo("requests, tokens, input-tokens, output-tokens");
        assertThat(snapshot.rulesWithSources()).hasEntrySatisfying(snapshot.rule("llm:openai:input-tokens"),
                source -> assertThat(source).isEqualTo("rows.yaml:3"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", value = {
            "{concurrency: 5} | 5 | 5 | -",
            "{concurrency: {pro: 7}} | 3 | 7 | -",
            "{concurrency: unlimited} | - | - | -",
            "{models: {my-model: {concurrency: 2}}} | 3 | 9 | 2",
            "{models: {my-model: {concurrency: {free: 1}}}} | 3 | 9 | 9"})
    void callsInFlightAreForAllTiersOrPerTier(String yaml, Long free, Long pro, Long proOfModel) {
        var settings = Map.of("rate-limit.llm.openai.concurrency", "3", "rate-limit.llm.openai.concurrency.pro", "9",
                "rate-limit.llm.openai.models.\"my-model\".concurrency", "unlimited");
        var snapshot = snapshot(RulesDocuments.of("llm: {openai: " + yaml + '}'), settings);
        assertThat(snapshot.problems().lines()).isEmpty();
        assertThat(rate(snapshot, LimitKind.CONCURRENCY, "free", "x")).isEqualTo(inFlight(free));
        assertThat(rate(snapshot, LimitKind.CONCURRENCY, "pro", "x")).isEqualTo(inFlight(pro));
        assertThat(rate(snapshot, LimitKind.CONCURRENCY, "pro", "my-model")).isEqualTo(inFlight(proOfModel));
    }

    private static Rate inFlight(Long calls) {
        return calls == null ? Rate.UNLIMITED : Rate.concurrency(calls);
    }

    @Test
    void eachInvalidEntryIsReportedOnce() {
        assertThat(snapshot("llm: {openai: {concurrency: {gold: 5}}, free-calls: {concurrency: 5}}").problems().lines())
                .hasSize(2);
        assertThat(snapshot("llm: {openai: {concurrency: 0}}").problems().lines()).singleElement().asString()
                .startsWith("rows.yaml:1: llm.openai.concurrency=0: ").contains("1 to 1000000");
    }

    @Test
    void acceptsDocumentedExample() throws IOException {
        var snapshot = snapshot(RulesDocuments.readme());
        assertThat(snapshot.problems().lines()).isEmpty();
        assertThat(rate(snapshot, LimitKind.REQUESTS, "free", "gpt-4o")).isEqualTo(Rate.parse("1/minute"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "{mistral: {}} | rows.yaml:1: llm.mistral=(not shown): an unknown provider; allowed: openai, anthropic or gemini",
            "{openai: {api-key: sk-x}} | rows.yaml:1: llm.openai.api-key=(not shown): an unknown key",
            "{openai: {tokens: {fre: 1/s}}} | rows.yaml:1: llm.openai.tokens.fre=(not shown): an unknown tier",
            "{openai: {input-tokens: {free: 0/minute}}} | rows.yaml:1: llm.openai.input-tokens.free=0/minute: ",
            "{openai: {output-tokens: {gold: 1/s}}} | rows.yaml:1: llm.openai.output-tokens.gold=(not shown): an unknown tier",
            "{openai: {models: {o3: {output-tokens: {free: x}}}}} | rows.yaml:1: llm.openai.models.\"o3\".output-tokens.free=x: ",
            "{openai: {output-token: {free: 1/s}}} | rows.yaml:1: llm.openai.output-token=(not shown): an unknown key",
            "{openai: {budget: {free: lots}}} | rows.yaml:1: llm.openai.budget.free=lots: ",
            "{openai: {models: {o3: {requests: {free: x}}}}} | rows.yaml:1: llm.openai.models.\"o3\".requests.free=x: ",
            "{openai: {models: {o3: {request: {}}}}} | rows.yaml:1: llm.openai.models.o3.request=(not shown): an unknown key",
            "{openai: {output-estimate: many}} | rows.yaml:1: llm.openai.output-estimate=(not shown): tokens, 0 to",
            "{openai: {output-estimate: -1}} | rows.yaml:1: llm.openai.output-estimate=-1: tokens, 0 to",
            "{openai: {fallback: ajar}} | rows.yaml:1: llm.openai.fallback=(not shown): local, open or closed",
            "{openai: {prices: {gpt-4.1: {input: 1}}}} | rows.yaml:1: llm.openai.prices.\"gpt-4.1\"",
            "{openai: {prices: {x: {input: free, output: 1}}}} | rows.yaml:1: llm.openai.prices.\"x\".input=free"})
    void reportsInvalidEntries(String yaml, String problem) {
        var problems = snapshot("llm: " + yaml).problems().lines();
        assertThat(problems).anySatisfy(line -> assertThat(line).contains(problem));
        assertThat(problems.toString()).doesNotContain("sk-x");
    }
}
