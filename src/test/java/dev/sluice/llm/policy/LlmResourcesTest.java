package dev.sluice.llm.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.sluice.api.Rate;
import dev.sluice.config.RulesDocument;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.policy.Tiers;
import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;

/** Verifies that no two rules share a resource, whatever the models' names. */
class LlmResourcesTest {

    private record RuleKey(Provider provider, LimitKind kind, String model) {
    }

    private static LlmPolicySnapshot snapshot(Set<String> models) {
        var settings = new HashMap<String, String>();
        for (var provider : Provider.BUILT_IN) {
            for (var model : models) {
                var prefix = "rate-limit.llm." + provider.id() + ".models.\"" + model + "\".";
                settings.put(prefix + "requests.free", "1/minute");
                settings.put(prefix + "tokens.free", "2/minute");
                settings.put(prefix + "input-tokens.free", "4/minute");
                settings.put(prefix + "output-tokens.free", "5/minute");
                settings.put(prefix + "budget.free", "3/day");
                settings.put(prefix + "concurrency.free", "6");
            }
        }
        var mapping = new SmallRyeConfigBuilder().withMapping(LlmConfig.class)
                .withSources(new PropertiesConfigSource(settings, "settings", 100))
                .withConverter(MemorySize.class, 100, new MemorySizeConverter())
                .withConverter(Duration.class, 100, new DurationConverter()).build().getConfigMapping(LlmConfig.class);
        return new LlmPolicySnapshot(mapping, RulesDocument.EMPTY,
                new Tiers(List.of("free"), Map.of("free", Rate.parse("7/minute"))));
    }

    @Provide
    Arbitrary<String> models() {
        var parts = Arbitraries.of("x", "gpt", ":", "/", "budget", "tokens", ":budget", ":tokens", "input-", "output-",
                "concurrency",
                "openai", "llm:", "gemini",
                "llm:openai:budget", "%3A");
        return parts.list().ofMinSize(1).ofMaxSize(4).map(list -> String.join("", list));
    }

    @Property(tries = 200)
    void distinctRulesHaveDistinctResources(@ForAll @Size(min = 1, max = 6) Set<@net.jqwik.api.From("models") String> models) {
        var snapshot = snapshot(models);
        var owners = new HashMap<String, RuleKey>();
        for (var provider : Provider.BUILT_IN) {
            for (var kind : LimitKind.values()) {
                assertUnique(owners, snapshot, new RuleKey(provider, kind, null));
                models.forEach(model -> assertUnique(owners, snapshot, new RuleKey(provider, kind, model)));
            }
        }
    }

    private static void assertUnique(Map<String, RuleKey> owners, LlmPolicySnapshot snapshot, RuleKey key) {
        var model = key.model() == null ? "a model without rules" : key.model();
        var rule = snapshot.rule(key.provider(), key.kind(), "free", model);
        assertThat(owners.put(rule.resource(), key)).as(rule.resource()).isNull();
        assertThat(snapshot.rule(rule.resource())).isSameAs(rule);
        if (key.model() != null) {
            assertThat(rule.rate("free").quotas()).singleElement()
                    .satisfies(quota -> assertThat(quota.unit()).isEqualTo(key.kind().unit()));
        }
    }

    @Example
    void resourceNamesAreStable() {
        var snapshot = snapshot(Set.of("gpt-4o", "ft:gpt-4o:org::id"));
        assertThat(List.of(name(snapshot, LimitKind.REQUESTS, "x"), name(snapshot, LimitKind.TOKENS, "x"),
                name(snapshot, LimitKind.BUDGET, "x"),
                name(snapshot, LimitKind.REQUESTS, "gpt-4o"), name(snapshot, LimitKind.TOKENS, "gpt-4o"),
                name(snapshot, LimitKind.BUDGET, "ft:gpt-4o:org::id"))).containsExactly("llm:openai", "llm:openai:tokens",
                        "llm:openai:budget", "llm:openai/gpt-4o", "llm:openai:tokens/gpt-4o",
                        "llm:openai:budget/ft:gpt-4o:org::id");
    }

    private static String name(LlmPolicySnapshot snapshot, LimitKind kind, String model) {
        return snapshot.rule(Provider.OPENAI, kind, "free", model).resource();
    }

    @Example
    void spellingsOfAModelHaveOneRule() {
        var snapshot = snapshot(Set.of("GPT-4o", "o3"));
        assertThat(snapshot.problems().lines()).isEmpty();
        for (var model : List.of("gpt-4o", "GPT-4O", " gpt-4o", "gpt-4o-2024-08-06", "GPT-4o-2024-08-06",
                " ".repeat(300) + "gpt-4o")) {
            assertThat(snapshot.rule(Provider.OPENAI, LimitKind.TOKENS, "free", model).resource()).as(model)
                    .isEqualTo("llm:openai:tokens/GPT-4o");
        }
        assertThat(snapshot.rule(Provider.OPENAI, LimitKind.TOKENS, "free", "O3 ").resource())
                .isEqualTo("llm:openai:tokens/o3");
    }

    @Example
    void twoRulesOfOneModelAreAProblem() {
        assertThat(snapshot(Set.of("GPT-4o", "gpt-4o")).problems().lines())
                .anySatisfy(line -> assertThat(line).startsWith("rate-limit.llm.openai.models.\"")
                        .contains("another rule is of the same model"));
    }
}
