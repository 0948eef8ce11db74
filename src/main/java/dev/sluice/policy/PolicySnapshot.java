package dev.sluice.policy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

import org.jboss.logging.Logger;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.Identifiers;
import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;

/** Immutable set of tiers and limit rules, as read at one time. */
final class PolicySnapshot {

    static final String ENDPOINTS = "rate-limit.endpoints.";
    /** In characters; with {@code api:} and a method in front, a path makes a resource name of at most 256 characters. */
    private static final int MAX_PATH_LENGTH = 240;
    private static final Logger LOG = Logger.getLogger("dev.sluice");
    /** Built-in default rates, by tier. */
    private static final Map<String, String> BUILT_IN_DEFAULTS = Map.of("free", "10/minute", "pro", "100/minute", "enterprise",
            "1000/minute");

    private final PolicyConfig settings;
    private final ConfigProblems problems;
    private final boolean caseInsensitive;
    private final List<String> tiers;
    private final Tiers tiersAndRates;
    private final Map<String, Rate> defaults = new LinkedHashMap<>();
    private final LimitRule defaultRule;
    private final Map<String, LimitRule> rules = new LinkedHashMap<>();
    private final RuleMatcher matcher = new RuleMatcher();
    private final RuleMatcher exempt = new RuleMatcher();
    private final List<String> apiPrefix;

    private PolicySnapshot(PolicyConfig settings, ConfigProblems problems) {
        this.settings = settings;
        this.problems = problems;
        this.caseInsensitive = settings.paths().caseInsensitive();
        tiers = tiers(settings.tiers());
        var defaultRates = readDefaults(settings);
        tiersAndRates = new Tiers(tiers, defaultRates);
        tiers.forEach(tier -> defaults.put(tier, tiersAndRates.rate(tier)));
        defaultRule = new LimitRule(LimitRule.DEFAULT, defaults, null);
        settings.endpoints().forEach(this::readRule);
        settings.exempt().orElse(List.of()).forEach(this::readExempt);
        apiPrefix = readPath("rate-limit.api-prefix", settings.apiPrefix().orElse("/"));
    }

    /** @param file rules file, which overrides the settings */
    static PolicySnapshot of(PolicyConfig settings, RulesDocument file) {
        var problems = file.newProblems();
        return new PolicySnapshot(new FilePolicyConfig(settings, file, problems), problems);
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
            if (name.isBlank() || known.contains(name.strip()) || LimitRule.FALLBACK.equals(name.strip())) {
                problems.add("rate-limit.tiers", String.join(",", configured),
                        "distinct names, separated by commas; \"fallback\" is reserved for the fallback policy of a rule");
            } else {
                known.add(name.strip());
            }
        }
        if (known.isEmpty()) {
            known.add("free");
        }
        return List.copyOf(known);
    }

    /** Returns the default rates that are configured or built in, by tier. A tier without its own has that of the first. */
    private Map<String, Rate> readDefaults(PolicyConfig settings) {
        settings.defaults().forEach((tier, rate) -> parseRate("rate-limit.defaults." + tier, rate));
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
        var builtIn = settings.builtInDefaults() ? BUILT_IN_DEFAULTS.get(tier) : null;
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

    private void readRule(String key, Map<String, String> byTier) {
        var property = ENDPOINTS + '"' + key + "\".";
        int space = key.strip().indexOf(' ');
        var method = space < 0 ? null : key.strip().substring(0, space).toUpperCase(Locale.ROOT);
        var path = space < 0 ? key.strip() : key.strip().substring(space + 1).strip();
        if (!isPath(path) || method != null && !method.chars().allMatch(Character::isLetter)
                || !Identifiers.isValid(CurrentPolicy.RESOURCE_PREFIX + key.strip())) {
            (byTier.isEmpty() ? Map.of("*", "(a rule)") : byTier).forEach((tier, rate) -> problems.add(property + tier, rate,
                    "the endpoint must be '/path' or 'METHOD /path', at most " + MAX_PATH_LENGTH
                            + " characters, with {name} for any segment"));
            return;
        }
        var rates = new LinkedHashMap<>(defaults);
        byTier.forEach((tier, text) -> {
            if (LimitRule.FALLBACK.equals(tier)) {
                return;
            }
            var rate = parseRate(property + tier, text);
            if (tiers.contains(tier)) {
                rates.put(tier, rate);
            }
        });
        var fallback = fallback(property + LimitRule.FALLBACK, byTier.get(LimitRule.FALLBACK));
        var rule = new LimitRule(CurrentPolicy.RESOURCE_PREFIX + (method == null ? "" : method + " ") + path,
                Collections.unmodifiableMap(rates),
                fallback);
        if (!matcher.add(method, segments(path), rule)) {
            problems.add(property + "*", "(a rule)", "another rule has the same path");
        }
        rules.put(rule.resource(), rule);
    }

    private FallbackPolicy fallback(String property, String text) {
        if (text == null) {
            return null;
        }
        var fallback = FallbackPolicy.fromName(text);
        if (fallback.isEmpty()) {
            problems.add(property, text, FallbackPolicy.ALLOWED_VALUES);
        }
        return fallback.orElse(null);
    }

    private void readExempt(String path) {
        exempt.add(null, readPath("rate-limit.exempt", path.strip()), defaultRule);
    }

    private List<String> readPath(String property, String path) {
        if (!isPath(path)) {
            problems.add(property, path, "a path that starts with '/'");
            return List.of();
        }
        return segments(path);
    }

    private static boolean isPath(String path) {
        if (!path.startsWith("/") || path.indexOf('?') >= 0 || path.indexOf('#') >= 0
                || !Identifiers.isValid(CurrentPolicy.RESOURCE_PREFIX + path)
                || path.length() > MAX_PATH_LENGTH) {
            return false;
        }
        for (var segment : RequestPath.parseConfigured(path)) {
            boolean braces = segment.indexOf('{') >= 0 || segment.indexOf('}') >= 0;
            if (braces && !RuleMatcher.isTemplate(segment)) {
                return false;
            }
        }
        return true;
    }

    private List<String> segments(String path) {
        return foldCase(RequestPath.parseConfigured(path));
    }

    private List<String> foldCase(List<String> segments) {
        return caseInsensitive ? RequestPath.foldCase(segments) : segments;
    }

    /** Logs a warning about rates of unknown tiers. */
    void logUnknownTiers() {
        var unknown = new TreeSet<>(settings.defaults().keySet());
        settings.endpoints().values().forEach(rates -> unknown.addAll(rates.keySet()));
        unknown.remove(LimitRule.FALLBACK);
        tiers.forEach(unknown::remove);
        if (!unknown.isEmpty()) {
            LOG.warnf("Rates of unknown tiers are ignored; add them to rate-limit.tiers or remove them: tiers=%s",
                    String.join(",", unknown));
        }
    }

    LimitRule defaultRule() {
        return defaultRule;
    }

    List<LimitRule> rules() {
        return List.copyOf(rules.values());
    }

    LimitRule rule(String resource) {
        return resource.equals(LimitRule.DEFAULT) ? defaultRule : rules.get(resource);
    }

    List<LimitRule> rulesFor(String method, String path) {
        var upper = method.toUpperCase(Locale.ROOT);
        var verb = "HEAD".equals(upper) ? "GET" : upper;
        var interpretations = RequestPath.interpretations(path);
        if (interpretations.size() == 1) {
            var endpoint = withoutPrefix(foldCase(interpretations.iterator().next()));
            return exempt.find(verb, endpoint) != null ? List.of() : List.of(rule(verb, endpoint));
        }
        var matching = new ArrayList<LimitRule>(2);
        for (var interpretation : interpretations) {
            var endpoint = withoutPrefix(foldCase(interpretation));
            var rule = rule(verb, endpoint);
            if (exempt.find(verb, endpoint) == null && !matching.contains(rule)) {
                matching.add(rule);
            }
        }
        return matching;
    }

    private LimitRule rule(String verb, List<String> endpoint) {
        var rule = matcher.find(verb, endpoint);
        return rule == null ? defaultRule : rule;
    }

    private List<String> withoutPrefix(List<String> segments) {
        int length = apiPrefix.size();
        return length > 0 && segments.size() >= length && segments.subList(0, length).equals(apiPrefix)
                ? segments.subList(length, segments.size())
                : segments;
    }
}
