package dev.sluice.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

import dev.sluice.api.QuotaUnit;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.Suggestions;
import dev.sluice.policy.cost.CountedAnswers;
import dev.sluice.policy.cost.RuleCost;
import dev.sluice.policy.key.RuleKey;

/** Reads what a rule says besides its rates, and reports what is invalid. */
final class RuleOptionsReader {

    static final String KEY = "key";
    static final String SHADOW = "shadow";
    static final String METHODS = "methods";
    static final String HOSTS = "hosts";
    static final String ALSO = "also";
    static final String CONCURRENCY = "concurrency";
    /** Followed by the name of a tier. */
    static final String CONCURRENCY_OF = CONCURRENCY + '.';

    private static final String CONCURRENCY_ALLOWED = "a whole number of requests in flight from 1 to "
            + QuotaUnit.CONCURRENT_REQUESTS.maxLimit();
    static final String COST = "cost";
    static final String COUNT = "count";

    /** Options that are lists, or strings with commas. */
    static final Set<String> LISTS = Set.of(KEY, METHODS, HOSTS, ALSO, COUNT);
    /** Names that stand beside those of the tiers in a rule, and so cannot be names of tiers. */
    static final Set<String> RESERVED = Set.of(LimitRule.FALLBACK, KEY, COST, COUNT, SHADOW, CONCURRENCY, ALSO, METHODS, HOSTS);

    private static final Set<String> OPTIONS = Set.of(KEY, SHADOW, METHODS, HOSTS, ALSO, CONCURRENCY, COST, COUNT);
    private static final Pattern HOST = Pattern
            .compile("(?:\\*\\.)?[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*|\\[[0-9a-f:.]+]");
    private static final Pattern ELEMENT = Pattern.compile("(.+)\\[([0-9]{1,4})]");

    private final Map<String, String> texts = new LinkedHashMap<>();
    private final Map<String, String> rates = new LinkedHashMap<>();
    /** Limits of requests in flight by tier. */
    private final Map<String, String> concurrency = new LinkedHashMap<>();
    private final List<String> tiers;
    private final String property;
    private final ConfigProblems problems;

    /**
     * @param configured what a rule says, by tier or option; an element of a list is {@code key[0]}
     * @param tiers names of the tiers
     * @param property name of the rule's property
     */
    RuleOptionsReader(Map<String, String> configured, List<String> tiers, String property, ConfigProblems problems) {
        this.tiers = tiers;
        this.property = property;
        this.problems = problems;
        var elements = new LinkedHashMap<String, TreeMap<Integer, String>>();
        configured.forEach((name, text) -> {
            var element = ELEMENT.matcher(name);
            if (element.matches() && LISTS.contains(element.group(1))) {
                elements.computeIfAbsent(element.group(1), list -> new TreeMap<>()).put(Integer.valueOf(element.group(2)),
                        text);
            } else if (name.startsWith(CONCURRENCY_OF)) {
                concurrency.put(name.substring(CONCURRENCY_OF.length()), text);
            } else {
                (OPTIONS.contains(name) ? texts : rates).put(name, text);
            }
        });
        elements.forEach((name, list) -> texts.put(name, String.join(",", list.values())));
    }

    /** Returns the limits of requests in flight, by tier. */
    Map<String, String> concurrency() {
        return concurrency;
    }

    /** Returns what is no option: the rates by tier, and the fallback policy. */
    Map<String, String> rates() {
        return rates;
    }

    /**
     * Reads the options of an endpoint's rule.
     *
     * @param method method that the name of the rule has; null for none
     * @param template segments of the rule's path
     */
    RuleOptions read(String method, List<String> template) {
        if (method != null && texts.containsKey(METHODS)) {
            addProblem(METHODS, "only in a rule whose name has no method");
        }
        var options = options(template);
        checkVariables(KEY, options.key(), template);
        return options;
    }

    /** Reads the options of a rule that has a name. The variables of its key are those of the rules that name it. */
    RuleOptions readNamed() {
        if (texts.containsKey(ALSO)) {
            addProblem(ALSO, "only in rules of endpoints");
        }
        return options(List.of());
    }

    private RuleOptions options(List<String> template) {
        return texts.isEmpty() && concurrency.isEmpty()
                ? RuleOptions.NONE
                : new RuleOptions(key(), shadow(), scope(), concurrencyByTier(), template, cost(), count());
    }

    private Map<String, Long> concurrencyByTier() {
        var limits = new HashMap<String, Long>();
        if (texts.containsKey(CONCURRENCY)) {
            var limit = concurrency(CONCURRENCY, texts.get(CONCURRENCY));
            tiers.forEach(tier -> limits.put(tier, limit));
        }
        concurrency.forEach((tier, text) -> {
            var limit = concurrency(CONCURRENCY + '.' + tier, text);
            if (tiers.contains(tier)) { // otherwise it is reported
                limits.put(tier, limit);
            }
        });
        return Map.copyOf(limits);
    }

    private long concurrency(String option, String text) {
        var number = text.strip();
        if (number.matches("[0-9]{1,7}")) {
            long limit = Long.parseLong(number);
            if (limit >= 1 && limit <= QuotaUnit.CONCURRENT_REQUESTS.maxLimit()) {
                return limit;
            }
        }
        problems.add(property + '.' + option, text, CONCURRENCY_ALLOWED);
        return 1;
    }

    /**
     * Returns the rules that hold too.
     *
     * @param named the rules that have names, by name
     * @param template segments of this rule's path
     */
    List<LimitRule> also(Map<String, LimitRule> named, List<String> template) {
        var also = new ArrayList<LimitRule>();
        if (texts.containsKey(ALSO) && texts.get(ALSO).isBlank()) {
            addProblem(ALSO, "names of rules of rate-limit.rules" + allowedNames(named));
            return also;
        }
        for (var name : list(ALSO)) {
            var rule = named.get(name);
            if (rule == null) {
                addProblem(ALSO, "'" + name + "' is no rule of rate-limit.rules" + allowedNames(named)
                        + Suggestions.hint(name, named.keySet()));
            } else {
                checkVariables(ALSO, rule.options().key(), template);
                also.add(rule);
            }
        }
        return also;
    }

    private static String allowedNames(Map<String, LimitRule> named) {
        return named.isEmpty() ? ", which has no rules" : "; allowed: " + String.join(", ", new TreeSet<>(named.keySet()));
    }

    private void checkVariables(String option, RuleKey key, List<String> template) {
        for (var variable : key.pathVariables()) {
            if (!template.contains('{' + variable + '}')) {
                addProblem(option, "path:" + variable + " is not in the rule's path, which has no {" + variable + "}");
            }
        }
    }

    private RuleScope scope() {
        var methods = list(METHODS);
        for (var method : methods) {
            EndpointNames.methodProblem(method).ifPresent(problem -> addProblem(METHODS, problem));
        }
        var hosts = list(HOSTS).stream().map(host -> host.toLowerCase(Locale.ROOT)).toList();
        if (!hosts.stream().allMatch(host -> HOST.matcher(host).matches())) {
            addProblem(HOSTS,
                    "names of hosts without a port, such as api.example.com, or *.example.com for all below a domain");
        }
        return methods.isEmpty() && hosts.isEmpty() ? RuleScope.ALL : new RuleScope(Set.copyOf(methods), hosts);
    }

    private List<String> list(String option) {
        return texts.containsKey(option)
                ? Arrays.stream(texts.get(option).split(",", -1)).map(String::strip).distinct().toList()
                : List.of();
    }

    private boolean shadow() {
        var text = texts.getOrDefault(SHADOW, "false").strip();
        if (!text.equalsIgnoreCase("true") && !text.equalsIgnoreCase("false")) {
            addProblem(SHADOW, "true or false");
        }
        return text.equalsIgnoreCase("true");
    }

    private RuleKey key() {
        var text = texts.get(KEY);
        if (text == null) {
            return RuleKey.CALLER;
        }
        try {
            return RuleKey.parse(Arrays.asList(text.split(",", -1)));
        } catch (IllegalArgumentException e) {
            addProblem(KEY, e.getMessage() + "; allowed: " + RuleKey.ALLOWED);
            return RuleKey.CALLER;
        }
    }

    private RuleCost cost() {
        try {
            return texts.containsKey(COST) ? RuleCost.parse(texts.get(COST)) : RuleCost.ONE;
        } catch (IllegalArgumentException e) {
            addProblem(COST, e.getMessage() + "; allowed: " + RuleCost.ALLOWED);
            return RuleCost.ONE;
        }
    }

    private CountedAnswers count() {
        try {
            return texts.containsKey(COUNT) ? CountedAnswers.parse(list(COUNT)) : CountedAnswers.ALL;
        } catch (IllegalArgumentException e) {
            addProblem(COUNT, e.getMessage() + "; allowed: " + CountedAnswers.ALLOWED);
            return CountedAnswers.ALL;
        }
    }

    /** Reports a rule by which a request that names no cost takes more than the limit of a tier, so that it is never admitted. */
    static void checkCost(String property, LimitRule rule, ConfigProblems problems) {
        long cost = rule.options().cost().base();
        rule.rates().forEach((tier, rate) -> rate.quotas().stream().filter(quota -> cost > quota.limit()).findFirst()
                .ifPresent(quota -> problems.add(property + '.' + COST, rule.options().cost().toString(),
                        "at most the limit of each tier; that of " + tier + " is " + rate)));
    }

    private void addProblem(String option, String allowed) {
        problems.add(property + '.' + option, texts.get(option), allowed);
    }
}
