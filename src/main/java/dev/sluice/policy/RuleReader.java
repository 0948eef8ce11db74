package dev.sluice.policy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.Suggestions;

/** Reads the rules of the settings on top of the built-in ones, and reports those that are invalid or have no effect. */
final class RuleReader {

    static final String ENDPOINTS = "rate-limit.endpoints.";
    private static final String RULES = "rate-limit.rules.";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    /** Value of an endpoint that removes its built-in rule. */
    static final String NONE = "none";

    /** A configured or built-in rule. */
    private record Source(String key, Endpoint endpoint, Map<String, String> byTier, RuleOptions options,
            List<LimitRule> also) {
    }

    private final Tiers tiers;
    private final Map<String, Rate> defaults;
    private final List<String> prefix;
    private final boolean caseInsensitive;
    private final ConfigProblems problems;
    private final List<String> warnings = new ArrayList<>();
    /** Rules that others name, by name. */
    private final Map<String, LimitRule> named = new LinkedHashMap<>();
    private final Map<String, LimitRule> rules = new LinkedHashMap<>();
    /** Sources of the rules, by resource. */
    private final Map<String, String> sources = new HashMap<>();
    private final UnaryOperator<String> source;
    private final RuleMatcher matcher = new RuleMatcher();

    /**
     * @param defaults the default rate of each tier
     * @param prefix segments of the API prefix
     * @param source maps the property of an endpoint to where it was set
     */
    RuleReader(Tiers tiers, Map<String, Rate> defaults, List<String> prefix, boolean caseInsensitive, ConfigProblems problems,
            UnaryOperator<String> source) {
        this.source = source;
        this.tiers = tiers;
        this.defaults = defaults;
        this.prefix = prefix;
        this.caseInsensitive = caseInsensitive;
        this.problems = problems;
    }

    /** Reads all rules. A configured rule keeps the built-in rates of the tiers that it does not name. */
    void read(PolicyConfig settings, RuleMatcher exempt) {
        settings.rules().forEach(this::readNamed);
        var builtIn = new ArrayList<Source>();
        if (settings.builtInRules()) {
            BuiltInRules.ENDPOINTS.forEach((key, byTier) -> builtIn
                    .add(new Source(key, Endpoint.parse(key, List.of(), caseInsensitive).orElseThrow(), byTier,
                            RuleOptions.NONE, List.of())));
        }
        settings.endpoints().forEach((key, configured) -> read(key, configured, exempt, builtIn));
        named.values().stream().filter(rule -> rules.values().stream().noneMatch(user -> user.also().contains(rule)))
                .forEach(rule -> warnings.add("Rule has no effect, because no endpoint names it in 'also': rule="
                        + rule.resource().substring(LimitRule.NAMED.length())));
        builtIn.stream().sorted((a, b) -> a.key().compareTo(b.key()))
                .forEach(rule -> add(rule, RuleSource.BUILT_IN));
    }

    /** Returns the rules that others name, by resource. */
    Map<String, LimitRule> namedRules() {
        var byResource = new LinkedHashMap<String, LimitRule>();
        named.values().forEach(rule -> byResource.put(rule.resource(), rule));
        return byResource;
    }

    Map<String, LimitRule> rules() {
        return rules;
    }

    RuleMatcher matcher() {
        return matcher;
    }

    Map<String, String> sources() {
        return sources;
    }

    /** Returns descriptions of rules that have no effect. */
    List<String> warnings() {
        return warnings;
    }

    private void read(String key, PolicyConfig.EndpointConfig configured, RuleMatcher exempt, List<Source> builtIn) {
        var parsed = Endpoint.parse(key, prefix, caseInsensitive);
        if (parsed.isEmpty()) {
            var rates = new LinkedHashMap<>(configured.tiers());
            configured.all().ifPresent(rate -> rates.put("*", rate));
            (rates.isEmpty() ? Map.of("*", "(a rule)") : rates)
                    .forEach((tier, rate) -> problems.add(property(key, tier), rate, Endpoint.ALLOWED));
            return;
        }
        var endpoint = parsed.get();
        var byTier = new LinkedHashMap<String, String>();
        for (var rule : List.copyOf(builtIn)) {
            if (rule.endpoint().isSame(endpoint)) {
                builtIn.remove(rule);
                byTier.putAll(rule.byTier());
            }
        }
        var all = configured.all().map(String::strip);
        if (all.filter(NONE::equalsIgnoreCase).isPresent()) {
            if (!configured.tiers().isEmpty()) {
                problems.add(ENDPOINTS + '"' + key + '"', NONE, "either none, or rates by tier");
            }
            return;
        }
        all.ifPresent(rate -> tiers.names().forEach(tier -> byTier.put(tier, rate)));
        var options = new RuleOptionsReader(configured.tiers(), tiers.names(), ENDPOINTS + '"' + key + '"', problems);
        options.concurrency().forEach((tier, limit) -> checkConcurrencyTier(ENDPOINTS + '"' + key + '"', tier, limit));
        options.rates().forEach((tier, rate) -> {
            if (checkTier(property(key, tier), tier, rate)) {
                byTier.put(tier, rate);
            }
        });
        checkNotation(key, endpoint);
        if (exempt.find(endpoint.method() == null ? "GET" : endpoint.method(), endpoint.segments()) != null) {
            warnings.add("Rule has no effect, because its path is exempt (rate-limit.exempt): endpoint=" + key);
        }
        var template = RequestPath.parseConfigured(endpoint.path());
        add(new Source(key, endpoint, byTier, options.read(endpoint.method(), template), options.also(named, template)),
                source.apply(ENDPOINTS + '"' + key + '"'));
    }

    /** Reads a rule that others name. It does not limit tiers for which it has no rate: the rule that names it does. */
    private void readNamed(String name, PolicyConfig.EndpointConfig configured) {
        var property = RULES + name;
        if (!NAME.matcher(name).matches()) {
            problems.add(property, "(a rule)", "the name must have 1 to 64 letters, digits, '-', '_' or '.'");
            return;
        }
        var options = new RuleOptionsReader(configured.tiers(), tiers.names(), property, problems);
        options.concurrency().forEach((tier, limit) -> checkConcurrencyTier(property, tier, limit));
        var rates = new LinkedHashMap<String, Rate>();
        var all = configured.all().map(rate -> parseRate(property, rate.strip())).orElse(Rate.UNLIMITED);
        tiers.names().forEach(tier -> rates.put(tier, all));
        options.rates().forEach((tier, text) -> {
            if (checkTier(property + '.' + tier, tier, text) && !LimitRule.FALLBACK.equals(tier)) {
                var rate = parseRate(property + '.' + tier, text);
                rates.computeIfPresent(tier, (known, before) -> rate);
            }
        });
        var fallback = fallback(property + '.' + LimitRule.FALLBACK, options.rates().get(LimitRule.FALLBACK));
        var rule = new LimitRule(LimitRule.NAMED + name, Collections.unmodifiableMap(rates), fallback, options.readNamed(),
                List.of());
        RuleOptionsReader.checkCost(property, rule, problems);
        named.put(name, rule);
        sources.put(rule.resource(), source.apply(property));
    }

    /** Reports a name that is neither that of a tier nor of an option, and returns false. */
    private boolean checkTier(String property, String name, String text) {
        if (tiers.isKnown(name) || LimitRule.FALLBACK.equals(name)) {
            return true;
        }
        var names = new ArrayList<>(tiers.names());
        names.addAll(RuleOptionsReader.RESERVED);
        var option = Suggestions.closest(name, names).filter(RuleOptionsReader.RESERVED::contains);
        problems.add(property, text, option.map(meant -> "an unknown option; did you mean " + meant + "?")
                .orElseGet(() -> tiers.unknown(name)));
        return false;
    }

    private void checkConcurrencyTier(String property, String tier, String limit) {
        if (!tiers.isKnown(tier)) {
            problems.add(property + '.' + RuleOptionsReader.CONCURRENCY + '.' + tier, limit, tiers.unknown(tier));
        }
    }

    private void checkNotation(String key, Endpoint endpoint) {
        EndpointNames.notationProblem(endpoint).ifPresent(problem -> problems.add(property(key, "*"), "(a rule)", problem));
        if (EndpointNames.isUnusual(endpoint.method())) {
            warnings.add("Rule for a method that HTTP does not define: endpoint=" + key);
        }
    }

    private void add(Source configured, String ruleSource) {
        var key = configured.key();
        var endpoint = configured.endpoint();
        var byTier = configured.byTier();
        var rates = new LinkedHashMap<>(defaults);
        byTier.forEach((tier, text) -> {
            if (!LimitRule.FALLBACK.equals(tier)) {
                var rate = parseRate(property(key, tier), text);
                rates.computeIfPresent(tier, (name, defaultRate) -> rate);
            }
        });
        var fallback = fallback(property(key, LimitRule.FALLBACK), byTier.get(LimitRule.FALLBACK));
        var rule = new LimitRule(endpoint.resource(), Collections.unmodifiableMap(rates), fallback, configured.options(),
                configured.also());
        RuleOptionsReader.checkCost(ENDPOINTS + '"' + key + '"', rule, problems);
        if (!matcher.add(endpoint.method(), endpoint.segments(), rule)) {
            problems.add(property(key, "*"), "(a rule)",
                    "another rule has the same path, up to the API prefix, slashes and names of"
                            + " {segments}");
        }
        rules.put(rule.resource(), rule);
        sources.put(rule.resource(), ruleSource);
    }

    private static String property(String key, String tier) {
        return ENDPOINTS + '"' + key + "\"." + tier;
    }

    Rate parseRate(String property, String text) {
        try {
            return Rate.parse(text);
        } catch (IllegalArgumentException e) {
            problems.add(property, text, e.getMessage() + "; allowed: " + Rate.SYNTAX);
            return Rate.BLOCKED;
        }
    }

    private FallbackPolicy fallback(String property, String text) {
        if (text == null) {
            return null;
        }
        Optional<FallbackPolicy> fallback = FallbackPolicy.fromName(text);
        if (fallback.isEmpty()) {
            problems.add(property, text, FallbackPolicy.ALLOWED_VALUES);
        }
        return fallback.orElse(null);
    }
}
