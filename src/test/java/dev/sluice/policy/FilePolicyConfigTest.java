package dev.sluice.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.Rate;
import dev.sluice.config.RulesDocument;
import dev.sluice.config.RulesDocuments;

class FilePolicyConfigTest {

    private record Settings() implements PolicyConfig {

        @Override
        public Map<String, EndpointConfig> rules() {
            return Map.of();
        }

        @Override
        public List<String> tiers() {
            return List.of("free", "pro");
        }

        @Override
        public Optional<String> defaultRate() {
            return Optional.of("7/minute");
        }

        @Override
        public Map<String, String> defaults() {
            return Map.of("pro", "70/minute");
        }

        @Override
        public boolean builtInRules() {
            return false;
        }

        @Override
        public boolean builtInDefaults() {
            return true;
        }

        @Override
        public Map<String, EndpointConfig> endpoints() {
            return Map.of("/a", EndpointConfig.of(null, Map.of("free", "1/minute", "pro", "2/minute")),
                    "/b", EndpointConfig.of(null, Map.of("free", "3/minute")));
        }

        @Override
        public Optional<List<String>> exempt() {
            return Optional.of(List.of("/healthz"));
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

    private static CurrentPolicy policy(String yaml) {
        return new CurrentPolicy(new Settings(), RulesDocuments.of(yaml));
    }

    private static Rate rate(CurrentPolicy policy, String path, String tier) {
        return policy.rulesFor("GET", path).get(0).check(tier, 1).rate();
    }

    private static List<String> problems(CurrentPolicy policy, String yaml) {
        return RulesDocuments.problems(RulesDocuments.of(yaml), policy::onRulesChanged);
    }

    @Test
    void fileOverridesTheSettings() {
        var policy = policy("endpoints: {/a: {free: 9/minute, fallback: closed}, 'POST /c/{id}': {}}\nexempt: /static, /x");
        assertThat(rate(policy, "/a", "free")).isEqualTo(Rate.parse("9/minute"));
        assertThat(rate(policy, "/a", "pro")).isEqualTo(Rate.parse("70/minute")); // the rule is replaced as a whole
        assertThat(policy.rule("api:/a").fallback()).isEqualTo(FallbackPolicy.CLOSED);
        assertThat(rate(policy, "/b", "free")).isEqualTo(Rate.parse("3/minute"));
        assertThat(policy.rule("api:POST /c/{id}").rate("free")).isEqualTo(Rate.parse("7/minute"));
        assertThat(policy.rulesFor("GET", "/static/x")).isEmpty();
        assertThat(policy.rulesFor("GET", "/healthz")).isNotEmpty();
    }

    @Test
    void documentedExampleIsValid() throws IOException {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        assertThat(RulesDocuments.problems(RulesDocuments.readme(), policy::onRulesChanged)).isEmpty();
        assertThat(rate(policy, "/auth/login", "pro")).isEqualTo(Rate.parse("10/minute"));
        assertThat(policy.tiers()).containsExactly("free", "pro", "enterprise");
    }

    @Test
    void defaultOfTheFirstTierMayBeSetInTwoWays() {
        assertThat(policy("default: 5/minute").defaultRate("free")).isEqualTo(Rate.parse("5/minute"));
        assertThat(policy("defaults: {free: 6/minute}").defaultRate("free")).isEqualTo(Rate.parse("6/minute"));
        assertThat(policy("defaults: {free: 6/minute}").defaultRate("pro")).isEqualTo(Rate.parse("70/minute"));
        assertThat(policy("{}").defaultRate("free")).isEqualTo(Rate.parse("7/minute"));
    }

    @Test
    void tiersMayChangeWhileRequestsAreInFlight() {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        var before = policy.rulesFor("GET", "/a").get(0);
        assertThat(problems(policy, "tiers: [gold, basic]\nendpoints: {/a: {gold: 4/minute}}")).isEmpty();
        assertThat(policy.effectiveTier("free")).isEqualTo("gold");
        assertThat(rate(policy, "/a", "gold")).isEqualTo(Rate.parse("4/minute"));
        assertThat(before.check("gold", 1).rate()).isEqualTo(Rate.parse("1/minute"));
        assertThat(policy.defaultRate("pro")).isEqualTo(policy.defaultRate("gold"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"'endpoints:\n  /a:\n    free: often' | 'rows.yaml:3: endpoints.\"/a\".free=often: '",
            "'endpoints: {/a: {fre: 1/s}}' | 'rows.yaml:1: endpoints.\"/a\".fre=1/s: an unknown tier; allowed: free, pro; did you mean free?'",
            "'endpoints: {a: {free: 1/s}}' | 'rows.yaml:1: endpoints.\"a\".free=1/s'",
            "'endpoints: {a: {}}' | 'the endpoint must be'",
            "'endpoints: {/a/: {free: 1/s}}' | 'another rule has the same path'",
            "'endpoints: {/a: {free: [1/s]}}' | 'must be a single value'",
            "'endpoints: {/a: {fallback: ajar}}' | 'rows.yaml:1: endpoints.\"/a\".fallback=ajar: local, open or closed'",
            "'\nendpoint: {}' | 'rows.yaml:2: endpoint=(not shown): an unknown key; allowed: api-keys, default, defaults'",
            "'default: 5' | 'rows.yaml:1: default=5: '", "'defaults: {gold: 1/s}' | 'rows.yaml:1: defaults.gold'",
            "'tiers: {a: b}' | 'must be a list'",
            "'tiers: [a, a]\nendpoints: {}' | 'rows.yaml:1: tiers=a,a: distinct names'",
            "'exempt: [/static/*]' | 'rows.yaml:1: exempt=/static/*: a path without'", "'tiers: []' | 'at least one tier'",
            "'exempt: [static]' | 'rows.yaml:1: exempt=static: a path'",
            "'api-keys: {me: {tier: gold}}' | 'rows.yaml:1: api-keys.me.tier=(not shown): an unknown tier'"})
    void invalidFileIsReportedAndNotApplied(String yaml, String problem) {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        assertThat(problems(policy, yaml)).anySatisfy(line -> assertThat(line).contains(problem));
        assertThat(policy.defaultRate("free")).isEqualTo(Rate.parse("7/minute"));
        assertThat(rate(policy, "/a", "free")).isEqualTo(Rate.parse("1/minute"));
    }

    @Test
    void mistakesInKeysAreReportedWithTheirLines() {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        assertThat(
                problems(policy, "endpoints:\n  /a:\n    key: [heder:x, ip]\n  /b/{id}: {key: 'path:name'}\n  /c: {key: {}}"))
                .satisfiesExactlyInAnyOrder(
                        line -> assertThat(line)
                                .contains("3: endpoints.\"/a\".key=heder:x,ip: 'heder:x' is no part of a key; did you"
                                        + " mean header?; allowed: caller, ip"),
                        line -> assertThat(line)
                                .contains("4: endpoints.\"/b/{id}\".key=path:name: path:name is not in the rule's path"),
                        line -> assertThat(line).contains("5: endpoints.\"/c\".key").contains("must be a single value"));
        assertThat(problems(policy, "tiers: [free, key]")).singleElement().asString().contains("reserved");
        assertThat(problems(policy, "endpoints: {'/a/{id}': {key: [ip, 'path:id?']}, /b: {key: 'header:x, ip'}}")).isEmpty();
        assertThat(policy.rule("api:/a/{id}").options().key()).hasToString("ip,path:id?");
        assertThat(policy.rule("api:/b").options().key()).hasToString("header:x,ip");
    }

    @Test
    void mistakesInOptionsAreReportedWithTheirLines() {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        assertThat(problems(policy, "endpoints:\n  /a: {shadow: 1, methods: [GET, post, HEAD, PSOT],\n"
                + "    hosts: [a.example:80, 'https://b']}\n  GET /b: {methods: [GET]}\n  /c: {methods: '', hosts: ''}"))
                .satisfiesExactlyInAnyOrder(
                        line -> assertThat(line).contains("2: endpoints.\"/a\".shadow=1: true or false"),
                        line -> assertThat(line).contains("2: endpoints.\"/a\".methods=", "write 'POST'"),
                        line -> assertThat(line).contains("2: endpoints.\"/a\".methods=", "HEAD counts as GET"),
                        line -> assertThat(line).contains("2: endpoints.\"/a\".methods=", "did you mean POST?"),
                        line -> assertThat(line).contains("3: endpoints.\"/a\".hosts=", "without a port"),
                        line -> assertThat(line).contains("4: endpoints.\"GET /b\".methods=GET", "name has no method"),
                        line -> assertThat(line).contains("5: endpoints.\"/c\".methods=", "HTTP methods"),
                        line -> assertThat(line).contains("5: endpoints.\"/c\".hosts="));
        assertThat(problems(policy, "endpoints: {/a: {shadow: true, methods: [GET, PURGE], hosts: '*.a.example, [::1], b'}}"))
                .isEmpty();
        assertThat(policy.rule("api:/a").options().shadow()).isTrue();
    }

    @Test
    void mistakesInCostsAndCountsAreReportedWithTheirLines() {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        assertThat(problems(policy, "endpoints:\n  /a: {cost: 0, count: [401, 6xx]}\n  /b: {cost: 'header:x'}\n"
                + "  /c: {free: 2/minute, cost: 'query:n;default=3'}\n  /d: {count: ''}\n"
                + "rules:\n  one: {free: 5/second;4/minute, cost: 5}\n"))
                .satisfiesExactlyInAnyOrder(
                        line -> assertThat(line).contains("2: endpoints.\"/a\".cost=0: cost must be a whole number from 1 to"),
                        line -> assertThat(line).contains("2: endpoints.\"/a\".count=401,6xx: '6xx' is no status", "4xx"),
                        line -> assertThat(line).contains("3: endpoints.\"/b\".cost=header:x: 'header' is no source",
                                "allowed: a whole number"),
                        line -> assertThat(line).contains("4: endpoints.\"/c\".cost=query:n;default=3: at most the limit",
                                "that of free is 2/minute"),
                        line -> assertThat(line).contains("5: endpoints.\"/d\".count="),
                        line -> assertThat(line).contains("7: rules.one.cost=5: at most the limit of each tier"));
        assertThat(problems(policy, "endpoints: {/a: {cost: 5, count: [401, '!4xx', 5xx], also: one}}\n"
                + "rules: {one: {free: 9/minute, cost: 'response-header:X-Units;keep', count: '!2xx'}}")).isEmpty();
        assertThat(policy.rule("api:/a").options().cost()).hasToString("5");
        assertThat(policy.rule("api:/a").options().count()).hasToString("401,!4xx,5xx");
        assertThat(policy.rule("rule:one").options().cost()).hasToString("response-header:x-units;keep");
    }

    @Test
    void misspeltOptionIsNamedOnce() {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        assertThat(problems(policy, "endpoints:\n  /a: {concurency: 5}\nrules:\n  one: {Shadow: true, gold: often}\n"))
                .containsExactlyInAnyOrder(
                        "rows.yaml:2: endpoints.\"/a\".concurency=5: an unknown option; did you mean concurrency?",
                        "rows.yaml:4: rules.one.Shadow=true: an unknown option; did you mean shadow?",
                        "rows.yaml:4: rules.one.gold=often: an unknown tier; allowed: free, pro");
    }

    @Test
    void namesOfRulesAreListed() {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        assertThat(problems(policy, "rules: {two: 2/s, one: 1/s}\nendpoints:\n  /a: {also: []}\n  /b: {also: three}"))
                .containsExactlyInAnyOrder(
                        "rows.yaml:3: endpoints.\"/a\".also=: names of rules of rate-limit.rules; allowed: one, two",
                        "rows.yaml:4: endpoints.\"/b\".also=three: 'three' is no rule of rate-limit.rules; allowed: one, two");
        assertThat(problems(policy, "endpoints: {/a: {also: x}}")).singleElement().asString()
                .endsWith("'x' is no rule of rate-limit.rules, which has no rules");
    }

    @Test
    void keyWithoutAValueHidesNoOtherProblem() {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        assertThat(problems(policy, "endpoints:\n  /a: {concurrency: , free: often}\n  /b:\nrules: ~\n"))
                .satisfiesExactlyInAnyOrder(
                        line -> assertThat(line).startsWith("rows.yaml:2: endpoints.\"/a\".concurrency=: has no value"),
                        line -> assertThat(line).startsWith("rows.yaml:2: endpoints.\"/a\".free=often: "),
                        line -> assertThat(line).startsWith("rows.yaml:3: endpoints.\"/b\"=: has no value"),
                        line -> assertThat(line).startsWith("rows.yaml:4: rules=: has no value"));
    }

    @Test
    void mistakesInRulesThatHoldTooAreReportedWithTheirLines() {
        var policy = new CurrentPolicy(new Settings(), RulesDocument.EMPTY);
        assertThat(problems(policy,
                "rules:\n  one: {fre: 1/minute, also: one}\n  'a b': 1/minute\n  of-path: {key: 'path:id'}\n"
                        + "  often: often\nendpoints:\n  /a: {also: [on, one]}\n  /b: {also: of-path}"))
                .satisfiesExactlyInAnyOrder(
                        line -> assertThat(line).contains("2: rules.one.fre=1/minute: an unknown tier", "did you mean free?"),
                        line -> assertThat(line).contains("2: rules.one.also=one: only in rules of endpoints"),
                        line -> assertThat(line).contains("3: rules.", "the name must have 1 to 64"),
                        line -> assertThat(line).contains("5: rules.often=often"),
                        line -> assertThat(line).contains("7: endpoints.\"/a\".also=on,one: 'on' is no rule",
                                "did you mean one?"),
                        line -> assertThat(line)
                                .contains("8: endpoints.\"/b\".also=of-path: path:id is not in the rule's path"));
        assertThat(problems(policy, "rules: {one: {free: 1/minute, key: 'path:id'}}\nendpoints: {'/b/{id}': {also: [one]}}"))
                .isEmpty();
        assertThat(policy.rule("api:/b/{id}").also()).containsExactly(policy.rule("rule:one"));
        assertThat(policy.rule("rule:one").rate("pro")).isEqualTo(Rate.UNLIMITED);
    }
}
