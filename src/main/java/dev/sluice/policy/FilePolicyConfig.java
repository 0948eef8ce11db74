package dev.sluice.policy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import dev.sluice.config.ConfigNode;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;

/** What the settings say of tiers and rows, where the file of rows does not say otherwise. A row of the file replaces all of it. */
final class FilePolicyConfig implements PolicyConfig {

    /** What a file of rows may say, here or on other floors. */
    private static final Set<String> KEYS = Set.of("tiers", "default", "defaults", "endpoints", "exempt", "api-keys", "llm");

    private final PolicyConfig settings;
    private final Optional<List<String>> tiers;
    private final Optional<String> defaultRate;
    private final Set<String> ratedInFile;
    private final Map<String, String> defaults;
    private final Map<String, Map<String, String>> endpoints;
    private final Optional<List<String>> exempt;

    FilePolicyConfig(PolicyConfig settings, RulesDocument file, ConfigProblems problems) {
        this.settings = settings;
        var root = file.root();
        root.allow(KEYS, problems);
        tiers = root.list("tiers", problems);
        defaultRate = root.text("default", problems);
        defaults = new LinkedHashMap<>(settings.defaults());
        endpoints = new LinkedHashMap<>(settings.endpoints());
        exempt = root.list("exempt", problems);
        var inFile = root.texts("defaults", problems).orElse(Map.of());
        ratedInFile = inFile.keySet();
        defaults.putAll(inFile);
        root.parts("endpoints", problems).forEach((row, part) -> {
            endpoints.put(row, part.texts(problems));
            checkTiers(part, LimitRule.FALLBACK, problems);
        });
        root.parts("defaults", problems).forEach((tier, part) -> checkTier(tier, part, problems));
        root.parts("api-keys", problems).values().forEach(key -> key.text("tier", problems)
                .ifPresent(tier -> checkTier(tier, key.parts(problems).get("tier"), problems)));
    }

    private void checkTiers(ConfigNode row, String also, ConfigProblems problems) {
        row.parts(problems).forEach((tier, part) -> {
            if (!tier.equals(also)) {
                checkTier(tier, part, problems);
            }
        });
    }

    private void checkTier(String tier, ConfigNode part, ConfigProblems problems) {
        var known = tiers().stream().map(String::strip).toList();
        if (!known.contains(tier)) {
            part.problem(problems, "an unknown tier; known: " + String.join(", ", known));
        }
    }

    @Override
    public List<String> tiers() {
        return tiers.orElseGet(settings::tiers);
    }

    @Override
    public Optional<String> defaultRate() {
        boolean firstHasAnother = defaultRate.isEmpty() && !tiers().isEmpty() && ratedInFile.contains(tiers().get(0).strip());
        return firstHasAnother ? Optional.empty() : defaultRate.or(settings::defaultRate);
    }

    @Override
    public Map<String, String> defaults() {
        return defaults;
    }

    @Override
    public Map<String, Map<String, String>> endpoints() {
        return endpoints;
    }

    @Override
    public Optional<List<String>> exempt() {
        return exempt.or(settings::exempt);
    }

    @Override
    public Optional<String> apiPrefix() {
        return settings.apiPrefix();
    }
}
