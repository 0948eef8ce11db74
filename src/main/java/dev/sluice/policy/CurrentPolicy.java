package dev.sluice.policy;

import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;

import org.eclipse.microprofile.config.Config;

import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesChanged;
import dev.sluice.config.RulesDocument;
import dev.sluice.config.RulesFile;

/** Which rates govern which requests, now: as the settings say, and the file of rows, whenever it changes. */
@ApplicationScoped
public class CurrentPolicy {

    /** What precedes an endpoint in the name of its resource. */
    public static final String RESOURCE_PREFIX = "api:";

    private final PolicyConfig settings;
    private volatile PolicySnapshot snapshot;

    @Inject
    CurrentPolicy(PolicyConfig settings, RulesFile file) {
        this(settings, file.initialDocument());
    }

    CurrentPolicy(PolicyConfig settings, RulesDocument file) {
        this.settings = settings;
        snapshot = PolicySnapshot.of(settings, file);
        snapshot.logUnknownTiers();
    }

    void validate(@Observes ConfigProblems problems, Config config) {
        problems.addAll(snapshot.problems());
        for (var name : config.getPropertyNames()) {
            if (name.startsWith(PolicySnapshot.ENDPOINTS) && name.chars().filter(c -> c == '"').count() % 2 != 0) {
                problems.add(name, config.getConfigValue(name).getRawValue(),
                        "a row's name ends in the middle; in a properties file, a space or colon in it is written \"\\ \" or \"\\:\"");
            }
        }
    }

    void onRulesChanged(@Observes RulesChanged change) {
        var next = PolicySnapshot.of(settings, change.document());
        change.addProblems(next.problems());
        change.onAccepted(() -> {
            snapshot = next;
            next.logUnknownTiers();
        });
    }

    /** The tiers and their default rates, as this file of rows would have them. */
    public Tiers tiers(RulesDocument file) {
        return PolicySnapshot.of(settings, file).tiers();
    }

    /** The tiers, the first of which is an unknown caller's. */
    public List<String> tiers() {
        return snapshot.tiers().names();
    }

    /** The tier that counts for a caller who claims this one: itself, or the first where it is unknown or null. */
    public String effectiveTier(String claimed) {
        return snapshot.tiers().effective(claimed);
    }

    /** A tier's rate where no row says otherwise. */
    public Rate defaultRate(String tier) {
        return snapshot.tiers().rate(tier);
    }

    public LimitRule defaultRule() {
        return snapshot.defaultRule();
    }

    /** Every row but the default one. */
    public List<LimitRule> rules() {
        return snapshot.rules();
    }

    /** The row of this name; null where there is none. */
    public LimitRule rule(String resource) {
        return snapshot.rule(resource);
    }

    /**
     * The rows that govern a request: one, or more where the path may mean several, or none where it is exempt.
     *
     * @param method in any case; HEAD is governed as GET
     * @param path as it was sent, without the query
     */
    public List<LimitRule> rulesFor(String method, String path) {
        return snapshot.rulesFor(method, path);
    }
}
