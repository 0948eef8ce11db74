package dev.sluice.policy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import dev.sluice.config.ConfigNode;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;

/** Overlays the settings of tiers and rules with the rules file. A rule of the file replaces the whole rule of the settings. */
final class FilePolicyConfig implements PolicyConfig {

    /** Top-level keys of a rules file, including those that other packages read. */
    private static final Set<String> ALLOWED_KEYS = Set.of("tiers", "default", "defaults", "endpoints", "exempt", "api-keys",
            "llm", "domains", "rules");

    /** Key of a rule's only value, as long as it is in a map with those of tiers. */
    private static final String ALL = "";

    private final PolicyConfig base;
    private final Optional<List<String>> tiers;
    private final Optional<String> defaultRate;
    private final Set<String> tiersWithDefaultInFile;
    private final Map<String, String> defaults;
    private final Map<String, EndpointConfig> endpoints;
    private final Map<String, EndpointConfig> rules;
    private final Optional<List<String>> exempt;

    FilePolicyConfig(PolicyConfig base, RulesDocument file, ConfigProblems problems) {
        this.base = base;
        var root = file.root();
        root.allowKeys(ALLOWED_KEYS, problems);
        tiers = root.stringList("tiers", problems);
        defaultRate = root.string("default", problems);
        defaults = new LinkedHashMap<>(base.defaults());
        endpoints = new LinkedHashMap<>(base.endpoints());
        exempt = root.stringList("exempt", problems);
        var fileDefaults = root.stringMap("defaults", problems).orElse(Map.of());
        tiersWithDefaultInFile = fileDefaults.keySet();
        defaults.putAll(fileDefaults);
        rules = new LinkedHashMap<>(base.rules());
        root.entries("endpoints", problems).forEach((endpoint, node) -> endpoints.put(endpoint, rule(node, problems)));
        root.entries("rules", problems).forEach((name, node) -> rules.put(name, rule(node, problems)));
        root.entries("defaults", problems).values().forEach(node -> checkTier(node, problems));
        root.entries("api-keys", problems).values().forEach(key -> key.string("tier", problems).filter(tier -> !isTier(tier))
                .ifPresent(tier -> key.entries(problems).get("tier").addProblem(problems, Tiers.unknown(tier, tierNames()))));
    }

    private EndpointConfig rule(ConfigNode node, ConfigProblems problems) {
        var concurrency = node.child(RuleOptionsReader.CONCURRENCY).filter(ConfigNode::isMap);
        var rates = new LinkedHashMap<>(concurrency.map(byTier -> node.without(byTier.key())).orElse(node)
                .stringMapOrString(ALL, RuleOptionsReader.LISTS, problems));
        concurrency.ifPresent(byTier -> byTier.children().forEach(child -> checkTier(child, problems)));
        node.children().filter(child -> !RuleOptionsReader.RESERVED.contains(child.key()))
                .forEach(child -> checkTier(child, problems));
        concurrency.ifPresent(byTier -> byTier.stringMap(problems)
                .forEach((tier, limit) -> rates.put(RuleOptionsReader.CONCURRENCY_OF + tier, limit)));
        return EndpointConfig.of(rates.remove(ALL), rates);
    }

    /** Reports a tier that is one of the settings but not of the file. One that is neither is reported with all others. */
    private void checkTier(ConfigNode node, ConfigProblems problems) {
        if (!isTier(node.key()) && base.tiers().contains(node.key())) {
            node.addProblem(problems, Tiers.unknown(node.key(), tierNames()));
        }
    }

    private boolean isTier(String name) {
        return tierNames().contains(name);
    }

    private List<String> tierNames() {
        return tiers().stream().map(String::strip).toList();
    }

    @Override
    public List<String> tiers() {
        return tiers.orElseGet(base::tiers);
    }

    @Override
    public Optional<String> defaultRate() {
        boolean firstTierSetInFile = defaultRate.isEmpty() && !tiers().isEmpty()
                && tiersWithDefaultInFile.contains(tiers().get(0).strip());
        return firstTierSetInFile ? Optional.empty() : defaultRate.or(base::defaultRate);
    }

    @Override
    public Map<String, String> defaults() {
        return defaults;
    }

    @Override
    public boolean builtInDefaults() {
        return base.builtInDefaults();
    }

    @Override
    public boolean builtInRules() {
        return base.builtInRules();
    }

    @Override
    public Map<String, EndpointConfig> endpoints() {
        return endpoints;
    }

    @Override
    public Map<String, EndpointConfig> rules() {
        return rules;
    }

    @Override
    public Optional<List<String>> exempt() {
        return exempt.or(base::exempt);
    }

    @Override
    public Paths paths() {
        return base.paths();
    }

    @Override
    public Optional<String> apiPrefix() {
        return base.apiPrefix();
    }
}
