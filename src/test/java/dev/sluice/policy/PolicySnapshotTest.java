package dev.sluice.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;

class PolicySnapshotTest {

    private record Settings(List<String> tiers, Optional<String> defaultRate, Map<String, String> defaults,
            boolean builtInDefaults, Map<String, EndpointConfig> endpoints, Optional<List<String>> exempt,
            Optional<String> apiPrefix, Paths paths) implements PolicyConfig {

        static Settings defaultSettings() {
            return new Settings(List.of("free", "pro", "enterprise"), Optional.empty(), Map.of(), true, Map.of(),
                    Optional.empty(),
                    Optional.of("/api/v1"), () -> false);
        }

        @Override
        public Map<String, EndpointConfig> rules() {
            return Map.of();
        }

        @Override
        public boolean builtInRules() {
            return false;
        }

        Settings caseInsensitive() {
            return new Settings(tiers, defaultRate, defaults, builtInDefaults, endpoints, exempt, apiPrefix, () -> true);
        }

        Settings withEndpoints(String... names) {
            var endpoints = new LinkedHashMap<String, EndpointConfig>();
            for (var name : names) {
                endpoints.put(name, EndpointConfig.of(null, Map.of("free", "1/minute")));
            }
            return new Settings(tiers, defaultRate, defaults, builtInDefaults, endpoints, exempt, apiPrefix, paths);
        }

        Settings withEndpoint(String name, Map<String, String> rates) {
            return new Settings(tiers, defaultRate, defaults, builtInDefaults, Map.of(name, EndpointConfig.of(null, rates)),
                    exempt, apiPrefix, paths);
        }

        Settings exempt(String... names) {
            return new Settings(tiers, defaultRate, defaults, builtInDefaults, endpoints, Optional.of(List.of(names)),
                    apiPrefix, paths);
        }

        Settings defaults(String first, Map<String, String> others) {
            return new Settings(tiers, Optional.ofNullable(first), others, builtInDefaults, endpoints, exempt, apiPrefix,
                    paths);
        }

        Settings tiers(String... names) {
            return new Settings(List.of(names), defaultRate, defaults, builtInDefaults, endpoints, exempt, apiPrefix, paths);
        }

        Settings withoutBuiltInDefaults() {
            return new Settings(tiers, defaultRate, defaults, false, endpoints, exempt, apiPrefix, paths);
        }

        Settings prefix(String prefix) {
            return new Settings(tiers, defaultRate, defaults, builtInDefaults, endpoints, exempt, Optional.ofNullable(prefix),
                    paths);
        }
    }

    private static CurrentPolicy policy(PolicyConfig settings) {
        return new CurrentPolicy(settings, RulesDocument.EMPTY);
    }

    private static final CurrentPolicy POLICY = policy(Settings.defaultSettings()
            .withEndpoints("/campaigns", "/users", "/users/{id}/orders",
                    "POST /reports/{id}", "/reports", "/files/{name}", "/files/special", "GET /mixed", "/mixed", "/a/{x}/c/d",
                    "/a/b",
                    "/caf%C3%A9")
            .exempt("/static", "/healthz"));

    private static List<String> matchingRules(String method, String path) {
        return POLICY.rulesFor(method, path).stream().map(LimitRule::resource).toList();
    }

    private static ConfigProblems problems(PolicyConfig settings) {
        var problems = new ConfigProblems();
        policy(settings).validate(problems, ConfigProvider.getConfig());
        return problems;
    }

    @ParameterizedTest
    @CsvSource({"GET, /campaigns, api:/campaigns", "GET, /api/v1/campaigns, api:/campaigns",
            "DELETE, /campaigns/42, api:/campaigns", "GET, /campaigns/42/x/y, api:/campaigns", "GET, /campaign, api:default",
            "GET, /campaignsx, api:default", "GET, /, api:default", "GET, '', api:default", "OPTIONS, *, api:default",
            "GET, /users/7.json, api:/users", "GET, /users/7, api:/users",
            "GET, /users/7/orders, api:/users/{id}/orders",
            "GET, /users/7/orders/9, api:/users/{id}/orders", "POST, /reports/5, api:POST /reports/{id}",
            "post, /reports/5, api:POST /reports/{id}", "GET, /reports/5, api:/reports", "POST, /reports, api:/reports",
            "GET, /files/x, api:/files/{name}", "GET, /files/special, api:/files/special",
            "GET, /files, api:default", "GET, /mixed, api:GET /mixed", "HEAD, /mixed, api:GET /mixed",
            "PUT, /mixed, api:/mixed", "GET, /a/b/c/d, api:/a/{x}/c/d", "GET, /a/b/c, api:/a/b", "GET, /a/z/c, api:default",
            "GET, /api/v1, api:default", "GET, /api/v2/campaigns, api:default", "GET, /caf%C3%A9, api:/caf%C3%A9",
            "GET, /caf\u00c3\u00a9, api:/caf%C3%A9"})
    void mostSpecificRuleApplies(String method, String path, String rule) {
        assertThat(matchingRules(method, path)).containsExactly(rule);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/campaigns/", "//campaigns", "/campaigns//42", "/./campaigns", "/x/../campaigns", "/campaigns/.",
            "/%63ampaigns", "/%63%61mpaigns", "/campaigns/%2e", "/x/%2E%2e/campaigns", "/x/%2e%2E/campaigns", "/../campaigns",
            "/api/v1//campaigns", "/api/./v1/campaigns", "/api/v1/x/../campaigns", "/api%2Fv1/campaigns/..%2fcampaigns",
            "//api//v1//campaigns//", "/campaigns/a%20b", "/campaigns/%zz", "/campaigns/%"})
    void equivalentPathsMatchTheSameRule(String path) {
        assertThat(matchingRules("GET", path)).contains("api:/campaigns");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/campaigns;a=b", "/campaigns;x/42", "/campaigns%2F42", "/campaigns%2f42", "/api;v/v1/campaigns",
            "/static/..;/campaigns", "\\campaigns", "/campaigns%5C42", "/static/..%2Fcampaigns", "/static%2F..%2Fcampaigns",
            "/campaigns/x%2F..%2F..%2Fstatic", "/campaigns/..%2F..%2Fhealthz", "/campaigns/x%2F..%2F..%2Fusers",
            "/campaigns/../static/x", "/campaigns//../static/x", "/campaigns;/%5C..%5C..", "/campaigns%3Ba",
            "/campaigns/../../healthz"})
    void rulesOfAllInterpretationsOfAnAmbiguousPathApply(String path) {
        assertThat(matchingRules("GET", path)).contains("api:/campaigns");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/static", "/static/app.js", "/healthz", "/api/v1/healthz", "/static/", "/static/../static"})
    void exemptPathsHaveNoRule(String path) {
        assertThat(matchingRules("GET", path)).isEmpty();
    }

    @Test
    void prefixIsRemovedAsWholeSegmentsOnly() {
        assertThat(matchingRules("GET", "/api/v10/campaigns")).containsExactly("api:default");
        var without = policy(Settings.defaultSettings().withEndpoints("/campaigns").prefix(null));
        assertThat(without.rulesFor("GET", "/api/v1/campaigns").get(0).isDefault()).isTrue();
        var root = policy(Settings.defaultSettings().withEndpoints("/campaigns").prefix("/"));
        assertThat(root.rulesFor("GET", "/campaigns").get(0).resource()).isEqualTo("api:/campaigns");
    }

    @Test
    void missingTierOfARuleHasItsDefaultRate() {
        var policy = policy(Settings.defaultSettings().defaults("7/minute", Map.of("pro", "70/minute"))
                .withEndpoint("/x", Map.of("free", "1/minute")));
        var rule = policy.rule("api:/x");
        assertThat(rule.rate("free")).isEqualTo(Rate.parse("1/minute"));
        assertThat(rule.rate("pro")).isEqualTo(Rate.parse("70/minute"));
        assertThat(rule.rate("enterprise")).isEqualTo(Rate.parse("1000/minute"));
        assertThat(policy.defaultRule().rate("free")).isEqualTo(Rate.parse("7/minute"));
    }

    @Test
    void builtInDefaultRates() {
        var rule = policy(Settings.defaultSettings()).defaultRule();
        assertThat(rule.rate("free")).isEqualTo(Rate.parse("10/minute"));
        assertThat(rule.rate("pro")).isEqualTo(Rate.parse("100/minute"));
        assertThat(rule.rate("enterprise")).isEqualTo(Rate.parse("1000/minute"));
    }

    @Test
    void libraryLimitsNothingThatIsNotConfigured() {
        var settings = Settings.defaultSettings().withoutBuiltInDefaults();
        var policy = policy(settings.withEndpoint("/x", Map.of("free", "1/minute")));

        assertThat(policy.defaultRule().rates().values()).containsOnly(Rate.UNLIMITED);
        assertThat(policy.rule("api:/x").rate("free")).isEqualTo(Rate.parse("1/minute"));
        assertThat(policy.rule("api:/x").rate("pro")).isEqualTo(Rate.UNLIMITED);
        assertThat(policy(settings.defaults("7/minute", Map.of())).defaultRate("pro")).isEqualTo(Rate.parse("7/minute"));
        assertThat(policy(settings.defaults(null, Map.of("pro", "8/minute"))).defaultRate("pro"))
                .isEqualTo(Rate.parse("8/minute"));
        assertThat(policy(settings.defaults(null, Map.of("pro", "8/minute"))).defaultRate("free")).isEqualTo(Rate.UNLIMITED);
    }

    @Test
    void unknownTierIsTheFirstTier() {
        var policy = policy(Settings.defaultSettings().tiers("basic", "gold"));
        assertThat(policy.effectiveTier("gold")).isEqualTo("gold");
        assertThat(policy.effectiveTier("platinum")).isEqualTo("basic");
        assertThat(policy.effectiveTier(null)).isEqualTo("basic");
        assertThat(policy.defaultRate("gold")).isEqualTo(Rate.parse("10/minute"));
    }

    @Test
    void everyInvalidSettingIsReported() {
        var settings = new Settings(List.of("free", "pro"), Optional.of("ten/minute"), Map.of("pro", "1/fortnight"), true,
                Map.of("/ok", PolicyConfig.EndpointConfig.of(null, Map.of("free", "0/minute", "pro", "5/minute")), "nopath",
                        PolicyConfig.EndpointConfig.of(null, Map.of("free", "1/minute"))),
                Optional.of(List.of("static")), Optional.of("api"), () -> false);
        assertThat(problems(settings).lines()).hasSize(6)
                .anySatisfy(line -> assertThat(line).startsWith("rate-limit.default=ten/minute: ").contains("COUNT/WINDOW"))
                .anySatisfy(line -> assertThat(line).startsWith("rate-limit.defaults.pro=1/fortnight: "))
                .anySatisfy(line -> assertThat(line).startsWith("rate-limit.endpoints.\"/ok\".free=0/minute: "))
                .anySatisfy(line -> assertThat(line).startsWith("rate-limit.endpoints.\"nopath\".free=1/minute: "))
                .anySatisfy(line -> assertThat(line).startsWith("rate-limit.exempt=static: "))
                .anySatisfy(line -> assertThat(line).startsWith("rate-limit.api-prefix=api: "));
    }

    @Test
    void duplicateRuleIsReported() {
        assertThat(problems(Settings.defaultSettings().withEndpoints("/a/{x}", "/a/{y}")).lines()).singleElement().asString()
                .contains("another rule has the same path");
        assertThat(problems(Settings.defaultSettings().withEndpoints("/a", "GET /a", "/a/{x}/b", "/a/b/{y}")).lines())
                .isEmpty();
    }

    @Test
    void pathIsLimitedInLength() {
        var path = "/" + "a".repeat(239);

        assertThat(problems(Settings.defaultSettings().withEndpoints(path, "POST " + path)).lines()).isEmpty();
        assertThat(problems(Settings.defaultSettings().withEndpoints(path + "a")).lines()).singleElement().asString()
                .contains("at most 240 characters");
        assertThat(problems(Settings.defaultSettings().withEndpoints("M".repeat(20) + " " + path)).lines()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "", "GET", "GET a", "/a?b", "/a{b}", "/{}", "/a/{b", "G-T /a", "/a#b"})
    void invalidEndpointIsReported(String endpoint) {
        assertThat(problems(Settings.defaultSettings().withEndpoints(endpoint)).lines()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/odd|pipe", "/odd^hat", "/odd`tick", "/odd\"quote", "/odd<less>", "/oddcaf\u00e9"})
    void rawAndEncodedCharactersMatchTheSameRule(String path) {
        var policy = policy(Settings.defaultSettings().withEndpoints(path));
        var bytes = path.getBytes(StandardCharsets.UTF_8);
        var raw = new String(bytes, StandardCharsets.ISO_8859_1); // as a request line is read
        var encoded = new StringBuilder();
        for (byte b : bytes) {
            encoded.append(b == '/' ? "/" : String.format("%%%02X", b));
        }
        for (var spelling : List.of(raw, encoded.toString(), encoded.toString().toLowerCase(Locale.ROOT), raw + "/", raw + "/x",
                RequestPath.toAscii(raw), "/." + raw, encoded + ";x=y")) {
            assertThat(policy.rulesFor("GET", spelling)).as(spelling).extracting(LimitRule::resource).contains("api:" + path);
        }
    }

    @Test
    void bracesAndBackslashesMatchTheirEncodedForms() {
        for (var pair : List.of(List.of("/files/{x}", "/files/%7Bx%7D"), List.of("/users\\7", "/users%5C7"),
                List.of("/users/{7}/orders", "/users/%7b7%7d/orders"), List.of("/{campaigns}", "/%7Bcampaigns%7D"))) {
            assertThat(Set.copyOf(matchingRules("GET", pair.get(0)))).as(pair.get(0))
                    .isEqualTo(Set.copyOf(matchingRules("GET", pair.get(1))));
        }
        assertThat(matchingRules("GET", "/users\\7")).contains("api:/users");
    }

    @Test
    void caseIsIgnoredIfConfigured() {
        var settings = Settings.defaultSettings().withEndpoints("/Campaigns", "/users/{ID}/Orders", "/caf\u00c9")
                .exempt("/Static")
                .prefix("/API");
        var policy = policy(settings.caseInsensitive());
        Map.of("/campaigns", "api:/Campaigns", "/CAMPAIGNS/x", "api:/Campaigns", "/%43ampaigns", "api:/Campaigns",
                "/Users/7/ORDERS", "api:/users/{ID}/Orders", "/CAF%C3%A9", "api:/caf\u00c9", "/api/campaigns", "api:/Campaigns",
                "/campaign\u00c5\u00bf", "api:/Campaigns", "/other", "api:default")
                .forEach((path, rule) -> assertThat(policy.rulesFor("GET", path)).as(path).extracting(LimitRule::resource)
                        .contains(rule));
        assertThat(policy.rulesFor("GET", "/STATIC/x")).isEmpty();
        assertThat(policy(settings).rulesFor("GET", "/campaigns")).extracting(LimitRule::resource)
                .containsExactly("api:default");
        assertThat(problems(Settings.defaultSettings().withEndpoints("/a", "/A").caseInsensitive()).lines())
                .singleElement().asString().contains("another rule has the same path");
    }
}
