package dev.sluice.llm.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;

import org.junit.jupiter.api.Test;

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

/** Tests the rates of requests that apply without configuration, as in a library. */
class BuiltInRatesTest {

    private static final List<String> TIERS = List.of("free", "pro", "enterprise");

    private static Rate rate(Map<String, String> settings, Tiers tiers, Provider provider, String tier) {
        var config = new SmallRyeConfigBuilder().withMapping(LlmConfig.class)
                .withSources(new PropertiesConfigSource(settings, "settings", 100))
                .withConverter(MemorySize.class, 100, new MemorySizeConverter())
                .withConverter(Duration.class, 100, new DurationConverter()).build().getConfigMapping(LlmConfig.class);
        return new LlmPolicySnapshot(config, RulesDocument.EMPTY, tiers)
                .rule(provider, LimitKind.REQUESTS, tier, "a-model").rate(tier);
    }

    @Test
    void equalThoseOfTheService() throws IOException {
        var service = new Properties();
        try (var in = Files.newInputStream(Path.of("src/main/resources/application.properties"))) {
            service.load(in);
        }
        for (var provider : Provider.BUILT_IN) {
            for (var tier : TIERS) {
                assertThat(rate(Map.of(), new Tiers(TIERS, Map.of()), provider, tier)).as(provider + " " + tier).hasToString(
                        service.getProperty("rate-limit.llm." + provider.id() + ".requests." + tier));
            }
        }
    }

    @Test
    void applyToTiersThatAreNotConfigured() {
        var settings = Map.of("rate-limit.llm.openai.requests.free", "1/minute");

        assertThat(rate(settings, new Tiers(TIERS, Map.of()), Provider.OPENAI, "free")).hasToString("1/minute");
        assertThat(rate(settings, new Tiers(TIERS, Map.of()), Provider.OPENAI, "pro")).hasToString("60/minute");
        assertThat(rate(Map.of(), new Tiers(List.of("basic"), Map.of()), Provider.GEMINI, "basic")).hasToString("15/minute");
    }

    @Test
    void defaultRateAppliesToTiersThatAConfiguredProviderDoesNotName() {
        var settings = Map.of("rate-limit.llm.openai.requests.free", "1/minute");
        var tiers = new Tiers(List.of("free", "pro", "basic"),
                Map.of("free", Rate.parse("7/minute"), "pro", Rate.parse("70/minute"), "basic", Rate.parse("2/minute")));

        assertThat(rate(settings, tiers, Provider.OPENAI, "pro")).hasToString("70/minute");
        assertThat(rate(settings, tiers, Provider.ANTHROPIC, "pro")).hasToString("50/minute");
        assertThat(rate(settings, tiers, Provider.ANTHROPIC, "basic")).hasToString("2/minute");
    }
}
