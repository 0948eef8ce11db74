package dev.sluice.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;

class RuleReaderTest {

    private static final Tiers TIERS = new Tiers(List.of("free", "pro"),
            Map.of("free", Rate.parse("7/minute"), "pro", Rate.parse("70/minute")));

    private final ConfigProblems problems = new ConfigProblems();
    private final Map<String, PolicyConfig.EndpointConfig> endpoints = new LinkedHashMap<>();
    private final RuleMatcher exempt = new RuleMatcher();
    private final RuleReader reader = new RuleReader(TIERS, TIERS.defaults(), List.of("api", "v1"), false, problems,
            property -> "file of " + property);

    private record Settings(Map<String, EndpointConfig> endpoints, boolean builtInRules) implements PolicyConfig {

        @Override
        public Map<String, EndpointConfig> rules() {
            return Map.of();
        }

        @Override
        public List<String> tiers() {
            return TIERS.names();
        }

        @Override
        public Optional<String> defaultRate() {
            return Optional.empty();
        }

        @Override
        public Map<String, String> defaults() {
            return Map.of();
        }

        @Override
        public boolean builtInDefaults() {
            return false;
        }

        @Override
        public Optional<List<String>> exempt() {
            return Optional.empty();
        }

        @Override
        public Paths paths() {
            return () -> false;
        }

        @Override
        public Optional<String> apiPrefix() {
            return Optional.of("/api/v1");
        }
    }

    private void endpoint(String name, String all, Map<String, String> tiers) {
        endpoints.put(name, PolicyConfig.EndpointConfig.of(all, tiers));
    }

    private void read(boolean builtInRules) {
        reader.read(new Settings(endpoints, builtInRules), exempt);
    }

    @ParameterizedTest
    @CsvSource({"/api/v1/auth/login, api:/auth/login", "//api//v1//auth/login, api://auth/login", "POST /api/v1/x, api:POST /x",
            "/api/v1, api:/", "/api/v1/, api:/", "/api/v2/x, api:/api/v2/x", "/api, api:/api"})
    void pathWithThePrefixIsTheSameEndpoint(String configured, String resource) {
        endpoint(configured, null, Map.of("free", "1/minute"));
        read(false);
        assertThat(problems.lines()).isEmpty();
        assertThat(reader.rules()).containsOnlyKeys(resource);
    }

    @Test
    void pathWithAndWithoutThePrefixIsADuplicate() {
        endpoint("/x", null, Map.of("free", "1/minute"));
        endpoint("/api/v1/x", null, Map.of("free", "2/minute"));
        read(false);
        assertThat(problems.lines()).singleElement().asString().startsWith("rate-limit.endpoints.\"/api/v1/x\".*=(a rule): ")
                .contains("the same path");
    }

    @Test
    void configuredRuleKeepsTheBuiltInRatesOfOtherTiers() {
        endpoint("/auth/login", null, Map.of("free", "1/minute"));
        endpoint("/api/v1/users/", null, Map.of("pro", "2/minute"));
        read(true);
        assertThat(problems.lines()).isEmpty();
        assertThat(reader.rules()).containsOnlyKeys("api:/auth/login", "api:/auth/register", "api:/campaigns", "api:/users/");
        assertThat(reader.rules().get("api:/auth/login").rates())
                .isEqualTo(Map.of("free", Rate.parse("1/minute"), "pro", Rate.parse("10/minute")));
        assertThat(reader.rules().get("api:/users/").rates())
                .isEqualTo(Map.of("free", Rate.parse("10/minute"), "pro", Rate.parse("2/minute")));
    }

    @Test
    void sourcesOfRules() {
        endpoint("/auth/login", null, Map.of("free", "1/minute"));
        read(true);
        assertThat(reader.sources()).containsEntry("api:/auth/login", "file of rate-limit.endpoints.\"/auth/login\"")
                .containsEntry("api:/users", RuleSource.BUILT_IN);
    }

    @Test
    void builtInRuleIsRemoved() {
        endpoint("/users", "none", Map.of());
        endpoint("/api/v1/campaigns", "None", Map.of());
        endpoint("/nothing", "none", Map.of());
        read(true);
        assertThat(problems.lines()).isEmpty();
        assertThat(reader.rules()).containsOnlyKeys("api:/auth/login", "api:/auth/register");
    }

    @Test
    void oneRateForAllTiers() {
        endpoint("/x", "5/minute", Map.of("pro", "6/minute"));
        endpoint("/auth/login", "4/minute", Map.of());
        read(true);
        assertThat(problems.lines()).isEmpty();
        assertThat(reader.rules().get("api:/x").rates())
                .isEqualTo(Map.of("free", Rate.parse("5/minute"), "pro", Rate.parse("6/minute")));
        assertThat(reader.rules().get("api:/auth/login").rates())
                .isEqualTo(Map.of("free", Rate.parse("4/minute"), "pro", Rate.parse("4/minute")));
    }

    @Test
    void requestsInFlightByTier() {
        endpoint("/x", "5/minute", Map.of("concurrency", "3", "concurrency.pro", "6"));
        endpoint("/y", "unlimited", Map.of("concurrency.free", "1"));
        read(false);
        assertThat(problems.lines()).isEmpty();
        assertThat(reader.rules().get("api:/x").options().concurrency()).isEqualTo(Map.of("free", 3L, "pro", 6L));
        var unlimited = reader.rules().get("api:/y");
        assertThat(unlimited.isUnlimited()).isFalse();
        assertThat(unlimited.singleUnitChecks("free").get(1).rate()).isEqualTo(Rate.concurrency(1));
        assertThat(unlimited.singleUnitChecks("pro")).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"concurrency.free,0", "concurrency.pro,-1", "concurrency,1000001", "concurrency,2/minute",
            "concurrency.free,''",
            "concurrency.gold,2"})
    void invalidLimitOfRequestsInFlight(String name, String value) {
        endpoint("/x", "5/minute", Map.of(name, value));
        read(false);
        assertThat(problems.lines()).isNotEmpty().first().asString()
                .startsWith("rate-limit.endpoints.\"/x\"." + name + "=" + value)
                .containsAnyOf("a whole number of requests in flight from 1 to 1000000", "an unknown tier; allowed: free, pro");
    }

    @Test
    void noneWithRatesIsReported() {
        endpoint("/users", "none", Map.of("free", "1/minute"));
        read(true);
        assertThat(problems.lines()).containsExactly("rate-limit.endpoints.\"/users\"=none: either none, or rates by tier");
    }

    @Test
    void unknownTierIsReportedWithItsRule() {
        endpoint("/x", null, Map.of("prro", "1/minute", "fallback", "open"));
        read(true);
        assertThat(problems.lines()).containsExactly(
                "rate-limit.endpoints.\"/x\".prro=1/minute: an unknown tier; allowed: free, pro; did you mean pro?");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"GTE /x | GTE is no HTTP method; did you mean GET?", "DELTE /x | did you mean DELETE?",
            "HEAD /api/v1/x | HEAD counts by the rule of GET; write 'GET /x'", "CONNECT /x | CONNECT is never forwarded"})
    void methodThatNeverMatchesIsReported(String name, String message) {
        endpoint(name, null, Map.of("free", "1/minute"));
        read(false);
        assertThat(problems.lines()).singleElement().asString().contains(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"/a/* | governs everything below its path",
            "GET /a/*/b | {name} stands for one segment",
            "/b/:id/c | write '/b/{id}/c'"})
    void wildcardOfAnotherProgramIsReported(String name, String message) {
        endpoint(name, null, Map.of("free", "1/minute"));
        read(false);
        assertThat(problems.lines()).singleElement().asString().contains(message);
    }

    @Test
    void ruleWithoutEffectIsAWarning() {
        exempt.add(null, List.of("files"), new LimitRule("x", TIERS.defaults(), null));
        endpoint("/files/a", null, Map.of("free", "1/minute"));
        endpoint("MYMETHOD /x", null, Map.of("free", "1/minute"));
        endpoint("/other", null, Map.of("free", "1/minute"));
        read(false);
        assertThat(problems.lines()).isEmpty();
        assertThat(reader.warnings()).containsExactly(
                "Rule has no effect, because its path is exempt (rate-limit.exempt): endpoint=/files/a",
                "Rule for a method that HTTP does not define: endpoint=MYMETHOD /x");
    }
}
