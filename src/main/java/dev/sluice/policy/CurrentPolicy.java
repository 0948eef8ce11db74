package dev.sluice.policy;

import java.util.Collection;
import java.util.List;
import java.util.Optional;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;

import org.eclipse.microprofile.config.Config;

import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesChanged;
import dev.sluice.config.RulesDocument;
import dev.sluice.config.RulesFile;
import dev.sluice.identity.IdentityConfig;

/** Limit rules in force: those of the settings and of the rules file, reloaded when the file changes. Thread-safe. */
@ApplicationScoped
public class CurrentPolicy {

    /** Prefix of an endpoint in the name of its resource. */
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
        snapshot.logWarnings();
    }

    void validate(@Observes ConfigProblems problems, Config config) {
        problems.addAll(snapshot.problems());
        for (var name : config.getPropertyNames()) {
            if (name.startsWith(RuleReader.ENDPOINTS) && name.chars().filter(c -> c == '"').count() % 2 != 0) {
                problems.add(name, config.getConfigValue(name).getRawValue(),
                        "the endpoint is truncated; in a properties file, escape a space or colon in it as \"\\ \" or \"\\:\"");
            }
        }
    }

    void validateKeys(@Observes ConfigProblems problems, IdentityConfig identity) {
        identity.apiKeys().forEach((id, key) -> key.tier().map(String::strip).filter(tier -> !snapshot.tiers().isKnown(tier))
                .ifPresent(tier -> problems.add("rate-limit.api-keys." + id + ".tier", tier, snapshot.tiers().unknown(tier))));
    }

    void onRulesChanged(@Observes RulesChanged change) {
        var next = PolicySnapshot.of(settings, change.document());
        change.addProblems(next.problems());
        change.onAccepted(() -> {
            snapshot = next;
            next.logWarnings();
        });
    }

    /** Returns the tiers and their default rates that would be in force with a rules file. */
    public Tiers tiers(RulesDocument file) {
        return PolicySnapshot.of(settings, file).tiers();
    }

    /** Returns the names of the tiers. Callers without a tier are in the first one. */
    public List<String> tiers() {
        return snapshot.tiers().names();
    }

    /** Returns the claimed tier, or the first tier if the claimed one is unknown or null. */
    public String effectiveTier(String claimed) {
        return snapshot.tiers().effective(claimed);
    }

    /** Returns the rate of a tier for requests that match no rule. */
    public Rate defaultRate(String tier) {
        return snapshot.tiers().rate(tier);
    }

    /** Returns the rule of requests that match no other one. */
    public LimitRule defaultRule() {
        return snapshot.defaultRule();
    }

    /** Returns the rules of all endpoints except the default one. */
    public List<LimitRule> rules() {
        return snapshot.rules();
    }

    /** Returns the rules that others name as rules that hold too. */
    public List<LimitRule> namedRules() {
        return snapshot.namedRules();
    }

    /** Returns where the rule of a resource was set: {@link RuleSource}, or file and line in the rules file. */
    public String source(String resource) {
        return snapshot.source(resource);
    }

    /** Returns the paths that are not limited, as configured. */
    public List<String> exemptPaths() {
        return snapshot.exemptPaths();
    }

    /** Returns the rule of a resource, or null if there is none. */
    public LimitRule rule(String resource) {
        return snapshot.rule(resource);
    }

    /** Returns an endpoint of these that is another spelling of one before it, up to the names of segments; empty if none is. */
    public Optional<String> repeatedEndpoint(Collection<String> names) {
        return snapshot.repeatedEndpoint(names);
    }

    /** Returns the rules that govern a request: one, several if the path is ambiguous, or none if the path is exempt. */
    public RuleMatch match(ApiRequest request) {
        return new RuleMatch(snapshot, request);
    }

    /** Returns the match of a request with a rule that applies instead of those of its path. */
    public RuleMatch match(ApiRequest request, LimitRule rule) {
        return new RuleMatch(snapshot, request, rule);
    }

    /**
     * Returns the rules that apply to a request: one, several if the path is ambiguous, or none if the path is exempt.
     *
     * @param method HTTP method, case-insensitive; the rules of GET apply to HEAD
     * @param path path as it was sent, without the query
     */
    List<LimitRule> rulesFor(String method, String path) {
        return snapshot.rulesFor(method, path);
    }
}
