package dev.sluice.policy;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

import dev.sluice.config.ConfigProblems;
import dev.sluice.policy.key.RuleKey;

/** Reads what a rule says besides its rates, and reports what is invalid. */
final class RuleOptionsReader {

    static final String KEY = "key";

    /** Options that are lists, or strings with commas. */
    static final Set<String> LISTS = Set.of(KEY);
    /** Names that stand beside those of the tiers in a rule, and so cannot be names of tiers. */
    static final Set<String> RESERVED = Set.of(LimitRule.FALLBACK, KEY, "cost", "count", "shadow", "concurrency", "also",
            "methods",
            "hosts");

    private static final Set<String> OPTIONS = Set.of(KEY);
    private static final Pattern ELEMENT = Pattern.compile("(.+)\\[([0-9]{1,4})]");

    private final Map<String, String> texts = new LinkedHashMap<>();
    private final Map<String, String> rates = new LinkedHashMap<>();
    private final String property;
    private final ConfigProblems problems;

    /**
     * @param configured what a rule says, by tier or option; an element of a list is {@code key[0]}
     * @param property name of the rule's property
     */
    RuleOptionsReader(Map<String, String> configured, String property, ConfigProblems problems) {
        this.property = property;
        this.problems = problems;
        var elements = new LinkedHashMap<String, TreeMap<Integer, String>>();
        configured.forEach((name, text) -> {
            var element = ELEMENT.matcher(name);
            if (element.matches() && LISTS.contains(element.group(1))) {
                elements.computeIfAbsent(element.group(1), list -> new TreeMap<>()).put(Integer.valueOf(element.group(2)),
                        text);
            } else {
                (OPTIONS.contains(name) ? texts : rates).put(name, text);
            }
        });
        elements.forEach((name, list) -> texts.put(name, String.join(",", list.values())));
    }

    /** Returns what is no option: the rates by tier, and the fallback policy. */
    Map<String, String> rates() {
        return rates;
    }

    boolean isEmpty() {
        return texts.isEmpty();
    }

    /** @param template segments of the rule's path; empty if it has none */
    RuleOptions read(List<String> template) {
        var key = key();
        for (var variable : key.pathVariables()) {
            if (!template.contains('{' + variable + '}')) {
                addProblem(KEY, "path:" + variable + " is not in the rule's path, which has no {" + variable + "}");
            }
        }
        return isEmpty() ? RuleOptions.NONE : new RuleOptions(key, template);
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

    private void addProblem(String option, String allowed) {
        problems.add(property + '.' + option, texts.get(option), allowed);
    }
}
