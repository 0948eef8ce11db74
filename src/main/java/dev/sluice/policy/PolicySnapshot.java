package dev.sluice.policy;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.jboss.logging.Logger;

import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.identity.chain.IdentityChain;

/** Immutable set of tiers and limit rules, as read at one time. */
final class PolicySnapshot {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final ConfigProblems problems;
    private final boolean caseInsensitive;
    private final List<String> tiers;
    private final Tiers tiersAndRates;
    private final LimitRule defaultRule;
    private final Map<String, LimitRule> rules;
    /** Rules that others name, by resource. */
    private final Map<String, LimitRule> namedRules;
    private final RuleMatcher matcher;
    private final List<String> warnings = new ArrayList<>();
    private final Map<String, String> sources;
    private final List<String> exemptPaths;
    private final RuleMatcher exempt = new RuleMatcher();
    private final List<String> apiPrefix;
    private final EndpointPaths paths;
    private final LevelMatcher levels;

    /** @param otherTiers tiers of the settings, which the rules file may replace; rates for them are ignored */
    private PolicySnapshot(PolicyConfig settings, RulesDocument file, List<String> otherTiers, ConfigProblems problems) {
        this.problems = problems;
        this.caseInsensitive = settings.paths().caseInsensitive();
        tiers = tiers(settings.tiers());
        var knownTiers = Stream.concat(tiers.stream(), otherTiers.stream().map(String::strip))
                .collect(Collectors.toUnmodifiableSet());
        var defaultRates = readDefaults(settings, knownTiers);
        tiersAndRates = new Tiers(tiers, defaultRates, knownTiers);
        var defaults = new LinkedHashMap<String, Rate>();
        tiers.forEach(tier -> defaults.put(tier, tiersAndRates.rate(tier)));
        defaultRule = new LimitRule(LimitRule.DEFAULT, defaults, null);
        apiPrefix = readPath("rate-limit.api-prefix", settings.apiPrefix().orElse("/"));
        paths = new EndpointPaths(apiPrefix, caseInsensitive);
        levels = new LevelMatcher(paths);
        settings.exempt().orElse(List.of()).forEach(this::readExempt);
        var reader = new RuleReader(tiersAndRates, defaults, apiPrefix, caseInsensitive, problems,
                property -> RuleSource.configured(file.place(property)));
        reader.read(settings, exempt);
        rules = reader.rules();
        namedRules = reader.namedRules();
        matcher = reader.matcher();
        warnings.addAll(reader.warnings());
        sources = reader.sources();
        exemptPaths = List.copyOf(settings.exempt().orElse(List.of()));
    }

    /** @param file rules file, which overrides the settings */
    static PolicySnapshot of(PolicyConfig settings, RulesDocument file) {
        var problems = file.newProblems();
        return new PolicySnapshot(new FilePolicyConfig(settings, file, problems), file, settings.tiers(), problems);
    }

    /** Returns the problems of the settings and of the file. */
    ConfigProblems problems() {
        return problems;
    }

    Tiers tiers() {
        return tiersAndRates;
    }

    private List<String> tiers(List<String> configured) {
        var known = new ArrayList<String>();
        for (var name : configured) {
            if (name.isBlank() || known.contains(name.strip()) || RuleOptionsReader.RESERVED.contains(name.strip())) {
                problems.add("rate-limit.tiers", String.join(",", configured),
                        "distinct names, separated by commas; reserved for what a rule says besides its rates: "
                                + RuleOptionsReader.RESERVED.stream().sorted().collect(Collectors.joining(", ")));
            } else {
                known.add(name.strip());
            }
        }
        if (known.isEmpty()) {
            if (configured.isEmpty()) {
                problems.add("rate-limit.tiers", "[]", "at least one tier");
            }
            known.add("free");
        }
        return List.copyOf(known);
    }

    /** Returns the default rates that are configured or built in, by tier. A tier without its own has that of the first. */
    private Map<String, Rate> readDefaults(PolicyConfig settings, Set<String> knownTiers) {
        settings.defaults().forEach((tier, rate) -> {
            parseRate("rate-limit.defaults." + tier, rate);
            if (!knownTiers.contains(tier)) {
                problems.add("rate-limit.defaults." + tier, rate, Tiers.unknown(tier, tiers));
            }
        });
        var first = tiers.get(0);
        var firstRate = settings.defaultRate().map(rate -> parseRate("rate-limit.default", rate))
                .or(() -> defaultRate(settings, first))
                .or(() -> settings.builtInDefaults() ? Optional.of(Rate.parse("10/minute")) : Optional.empty());
        var rates = new LinkedHashMap<String, Rate>();
        for (var tier : tiers) {
            var rate = tier.equals(first) ? firstRate : defaultRate(settings, tier).or(() -> firstRate);
            rate.ifPresent(set -> rates.put(tier, set));
        }
        return rates;
    }

    private static Optional<Rate> defaultRate(PolicyConfig settings, String tier) {
        var builtIn = settings.builtInDefaults() ? BuiltInRules.DEFAULTS.get(tier) : null;
        var text = settings.defaults().getOrDefault(tier, builtIn);
        try {
            return text == null ? Optional.empty() : Optional.of(Rate.parse(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // reported by readDefaults
        }
    }

    private Rate parseRate(String property, String text) {
        try {
            return Rate.parse(text);
        } catch (IllegalArgumentException e) {
            problems.add(property, text, e.getMessage() + "; allowed: " + Rate.SYNTAX);
            return Rate.BLOCKED;
        }
    }

    private void readExempt(String path) {
        var segments = readPath("rate-limit.exempt", path.strip());
        var endpoint = Endpoint.startsWith(segments, apiPrefix)
                ? segments.subList(apiPrefix.size(), segments.size())
                : segments;
        if (!Endpoint.isPath(path.strip())) {
            return; // reported
        }
        if (path.indexOf('*') >= 0) {
            problems.add("rate-limit.exempt", path, "a path without '*': everything below it is exempt too");
        } else if (endpoint.isEmpty()) {
            warnings.add("Every path is exempt, no request is limited: rate-limit.exempt=" + path.strip());
        }
        exempt.add(null, endpoint, defaultRule);
    }

    private List<String> readPath(String property, String path) {
        if (!Endpoint.isPath(path)) {
            problems.add(property, path, "a path that starts with '/'");
            return List.of();
        }
        return Endpoint.segments(path, caseInsensitive);
    }

    /** Logs warnings about rules that have no effect. */
    void logWarnings() {
        warnings.forEach(LOG::warn);
    }

    List<String> exemptPaths() {
        return exemptPaths;
    }

    /** Returns where the rule of a resource was set. */
    String source(String resource) {
        return sources.getOrDefault(resource, RuleSource.SETTINGS);
    }

    LimitRule defaultRule() {
        return defaultRule;
    }

    List<LimitRule> rules() {
        return List.copyOf(rules.values());
    }

    List<LimitRule> namedRules() {
        return List.copyOf(namedRules.values());
    }

    LimitRule rule(String resource) {
        return resource.equals(LimitRule.DEFAULT) ? defaultRule : rules.getOrDefault(resource, namedRules.get(resource));
    }

    /** Returns an endpoint of these that is another spelling of one before it; empty if none is. */
    Optional<String> repeatedEndpoint(Collection<String> names) {
        var matcher = new RuleMatcher();
        return names.stream().filter(name -> Endpoint.parse(name, paths.prefix(), paths.caseInsensitive())
                .filter(endpoint -> !matcher.add(endpoint.method(), endpoint.segments(), defaultRule())).isPresent())
                .findFirst();
    }

    /** Adds the requests of the levels of a chain for an API request. */
    void addLevels(List<RateLimitRequest> requests, IdentityChain chain, Collection<String> methods, String path) {
        levels.addRequests(requests, chain, methods, path);
    }

    /** Returns the values that a variable of a rule's path may have, as {@link EndpointPaths#variable} does. */
    List<String> pathVariable(List<String> template, String name, String path) {
        return paths.variable(template, name, path);
    }

    List<LimitRule> rulesFor(String method, String path) {
        return rulesFor(method, path, rule -> true);
    }

    /**
     * Returns the rules of a request, for each of its methods.
     *
     * @param excluded rules that do not apply to the request
     */
    List<LimitRule> rulesFor(ApiRequest request, Set<LimitRule> excluded) {
        var rules = rulesFor(request.method(), request, excluded);
        if (request.furtherMethods().isEmpty()) {
            return rules;
        }
        var all = new LinkedHashSet<>(rules);
        request.furtherMethods().forEach(method -> all.addAll(rulesFor(method, request, excluded)));
        return List.copyOf(all);
    }

    /** Returns whether a request, or one with another of its methods, is within the scope of a rule. */
    boolean isFor(LimitRule rule, ApiRequest request) {
        var scope = rule.options().scope();
        return scope.contains(EndpointPaths.verb(request.method()), request)
                || request.furtherMethods().stream().anyMatch(method -> scope.contains(EndpointPaths.verb(method), request));
    }

    private List<LimitRule> rulesFor(String method, ApiRequest request, Set<LimitRule> excluded) {
        var verb = EndpointPaths.verb(method);
        return rulesFor(verb, request.path(),
                rule -> rule.options().scope().contains(verb, request) && !excluded.contains(rule));
    }

    private List<LimitRule> rulesFor(String method, String path, Predicate<LimitRule> applies) {
        var verb = EndpointPaths.verb(method);
        var endpoints = paths.endpoints(path);
        if (endpoints.size() == 1) {
            var endpoint = endpoints.iterator().next();
            return exempt.find(verb, endpoint) != null ? List.of() : List.of(rule(verb, endpoint, applies));
        }
        var matching = new ArrayList<LimitRule>(2);
        for (var endpoint : endpoints) {
            var rule = rule(verb, endpoint, applies);
            if (exempt.find(verb, endpoint) == null && !matching.contains(rule)) {
                matching.add(rule);
            }
        }
        return matching;
    }

    private LimitRule rule(String verb, List<String> endpoint, Predicate<LimitRule> applies) {
        var rule = matcher.find(verb, endpoint, applies);
        return rule == null ? defaultRule : rule;
    }
}
