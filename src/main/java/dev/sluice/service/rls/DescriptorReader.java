package dev.sluice.service.rls;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

import dev.sluice.api.Rate;
import dev.sluice.config.ConfigNode;
import dev.sluice.config.ConfigProblems;
import dev.sluice.service.rls.DescriptorRule.Option;

/**
 * Reads the descriptors of a domain in the format of envoyproxy/ratelimit, with Sluice's additions {@code rate}, {@code charge} and
 * {@code allow_override}.
 */
final class DescriptorReader {

    private static final Set<String> KEYS = keys();
    private static final Set<String> RATE_LIMIT_KEYS = Set.of("unit", "requests_per_unit", "unlimited", "name", "replaces");
    private static final Set<String> TRUE = Set.of("true", "yes", "on", "y");
    private static final Set<String> FALSE = Set.of("false", "no", "off", "n", "");
    private static final long MAX_REQUESTS = 0xFFFF_FFFFL;

    private final ConfigProblems problems;

    DescriptorReader(ConfigProblems problems) {
        this.problems = problems;
    }

    private static Set<String> keys() {
        var keys = new TreeSet<>(List.of("key", "value", "rate_limit", "rate", "descriptors", "metadata"));
        for (var option : Option.values()) {
            keys.add(option.name().toLowerCase(Locale.ROOT));
        }
        return keys;
    }

    /** Returns the tree of a list of descriptors. */
    DescriptorNode read(ConfigNode descriptors) {
        var root = DescriptorNode.root();
        addChildren(root, descriptors);
        return root;
    }

    private void addChildren(DescriptorNode parent, ConfigNode descriptors) {
        if (isMissing(descriptors)) {
            return; // "descriptors:" without a value
        }
        for (var item : descriptors.items(problems)) {
            item.allowKeys(KEYS, problems);
            var key = item.string("key", problems).orElse("");
            var value = item.string("value", problems).orElse("");
            if (key.isEmpty()) {
                item.addProblem(problems, value.isEmpty()
                        ? "a descriptor needs a key"
                        : "a descriptor needs a key; value alone is not enough");
                continue;
            }
            var node = new DescriptorNode(key, value, rule(item, key, value));
            if (!parent.add(node)) {
                item.addProblem(problems, value.isEmpty() ? key : key + '=' + value,
                        "a second descriptor with this key and value in the same list");
            }
            item.child("descriptors").ifPresent(children -> addChildren(node, children));
        }
    }

    private static boolean isMissing(ConfigNode node) {
        return !node.isList() && node.children().findAny().isEmpty()
                && node.string(new ConfigProblems()).filter(String::isEmpty)
                        .isPresent();
    }

    private DescriptorRule rule(ConfigNode item, String key, String value) {
        var options = options(item);
        if (options.contains(Option.SHARE_THRESHOLD) && (key + value).indexOf('*') < 0) {
            item.addProblem(problems, "share_threshold needs a value with *");
        }
        if (options.contains(Option.CHARGE) && (options.contains(Option.SHADOW_MODE) || options.contains(Option.QUOTA_MODE))) {
            item.addProblem(problems, "charge cannot be combined with shadow_mode or quota_mode");
        }
        var rate = item.child("rate");
        var rateLimit = item.child("rate_limit").filter(node -> !isMissing(node));
        if (rate.isPresent() && rateLimit.isPresent()) {
            rate.get().addProblem(problems, "either rate or rate_limit, not both");
            return new DescriptorRule("", null, options, List.of());
        }
        if (rateLimit.isPresent()) {
            return rateLimit(rateLimit.get(), options);
        }
        var limit = item.string("rate", problems).flatMap(text -> rate(rate.orElseThrow(), text)).orElse(null);
        return new DescriptorRule("", limit, options, List.of());
    }

    private Set<Option> options(ConfigNode item) {
        var options = EnumSet.noneOf(Option.class);
        for (var option : Option.values()) {
            if (isTrue(item, option.name().toLowerCase(Locale.ROOT))) {
                options.add(option);
            }
        }
        return options;
    }

    private boolean isTrue(ConfigNode item, String key) {
        var text = item.string(key, problems).map(value -> value.toLowerCase(Locale.ROOT)).orElse("");
        if (!TRUE.contains(text) && !FALSE.contains(text)) {
            item.child(key).orElseThrow().addProblem(problems, text, "true or false");
        }
        return TRUE.contains(text);
    }

    private Optional<NodeLimit> rate(ConfigNode node, String text) {
        try {
            return Optional.of(NodeLimit.of(Rate.parse(text)));
        } catch (IllegalArgumentException e) {
            node.addProblem(problems, text, e.getMessage() + "; " + Rate.SYNTAX);
            return Optional.empty();
        }
    }

    private DescriptorRule rateLimit(ConfigNode node, Set<Option> options) {
        node.allowKeys(RATE_LIMIT_KEYS, problems);
        var name = node.string("name", problems).orElse("");
        var replaces = replaces(node, name);
        var unit = node.string("unit", problems).orElse("");
        var known = TimeUnits.ofName(unit);
        if (isTrue(node, "unlimited")) {
            if (known.isPresent()) {
                node.child("unit").orElseThrow().addProblem(problems, unit, "no unit if unlimited is true");
            }
            return new DescriptorRule(name, NodeLimit.UNLIMITED, options, replaces);
        }
        if (known.isEmpty()) {
            node.child("unit").orElse(node).addProblem(problems, unit.isEmpty() ? "(no unit)" : unit,
                    "unit must be " + TimeUnits.ALLOWED);
            return new DescriptorRule(name, null, options, replaces);
        }
        return new DescriptorRule(name, NodeLimit.of(requests(node), known.get().seconds()), options, replaces);
    }

    /** Returns the limit; 0, which blocks, if there is none, as in envoyproxy/ratelimit. */
    private long requests(ConfigNode node) {
        var text = node.string("requests_per_unit", problems).orElse("0");
        var digits = text.replace("_", "");
        if (digits.matches("\\d{1,10}") && Long.parseLong(digits) <= MAX_REQUESTS) {
            return Long.parseLong(digits);
        }
        node.child("requests_per_unit").orElseThrow().addProblem(problems, text, "a whole number from 0 to " + MAX_REQUESTS);
        return 0;
    }

    private List<String> replaces(ConfigNode node, String name) {
        var list = node.child("replaces").filter(each -> !isMissing(each));
        if (list.isEmpty()) {
            return List.of();
        }
        var names = new ArrayList<String>();
        for (var item : list.get().items(problems)) {
            item.allowKeys(Set.of("name"), problems);
            var replaced = item.string("name", problems).orElse("");
            if (replaced.isEmpty()) {
                item.addProblem(problems, "replaces needs the name of another rule");
            } else if (replaced.equals(name)) {
                item.addProblem(problems, replaced, "a rule cannot replace itself");
            } else {
                names.add(replaced);
            }
        }
        return names;
    }
}
