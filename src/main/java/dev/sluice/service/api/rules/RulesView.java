package dev.sluice.service.api.rules;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.config.RulesFile;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.LimitRule;

/** Rules in force on this instance, for administrators; and hints where a name was probably written without its prefix. */
@ApplicationScoped
public class RulesView {

    private final CurrentPolicy policy;
    private final CurrentLlmPolicy llmPolicy;
    private final RulesFile file;

    RulesView(CurrentPolicy policy, CurrentLlmPolicy llmPolicy, RulesFile file) {
        this.file = file;
        this.policy = policy;
        this.llmPolicy = llmPolicy;
    }

    /** Returns the rules. */
    public RulesResponse describe() {
        return RulesResponse.of(policy, llmPolicy, file.status());
    }

    /** Returns the rule of a resource; null if it has none. */
    public LimitRule rule(String resource) {
        var rule = policy.rule(resource);
        return rule == null ? llmPolicy.rule(resource) : rule;
    }

    /** Returns the limits of requests in flight of a tier, by the resource of the rule. */
    public Map<String, Rate> concurrency(String tier) {
        var limits = new TreeMap<String, Rate>();
        rules().flatMap(rule -> rule.singleUnitChecks(tier).stream()).forEach(check -> check.rate().quotas().stream()
                .filter(quota -> quota.unit() == QuotaUnit.CONCURRENT_REQUESTS)
                .forEach(quota -> limits.put(check.resource(), Rate.concurrency(quota.limit()))));
        return limits;
    }

    /** Returns the resources of the rules that deny every request of a tier. */
    public List<String> blocked(String tier) {
        return Stream.concat(rules(), Stream.of(policy.rule(LimitRule.DEFAULT)))
                .filter(rule -> rule.check(tier, 0).rate() == Rate.BLOCKED).map(LimitRule::resource).toList();
    }

    /** Returns all rules but that of endpoints without one. */
    private Stream<LimitRule> rules() {
        return Stream.of(policy.rules(), policy.namedRules(), llmPolicy.rulesWithSources().keySet())
                .flatMap(Collection::stream);
    }

    /** Returns where the rule of a resource was set; null if it has none. */
    public String source(String resource) {
        var llmRule = policy.rule(resource) == null ? llmPolicy.rule(resource) : null;
        return llmRule == null ? policy.source(resource) : llmPolicy.rulesWithSources().get(llmRule);
    }

    /** Returns a hint for a resource that has no rule, but has one with the prefix of endpoints; otherwise null. */
    public String resourceHint(String resource) {
        return rule(resource) == null && rule(CurrentPolicy.RESOURCE_PREFIX + resource) != null
                ? "did you mean resource=" + CurrentPolicy.RESOURCE_PREFIX + resource + "?"
                : null;
    }

    /**
     * Returns a hint for names under which nothing is stored.
     *
     * @param resource null if none was given
     * @return null if there is nothing to suggest
     */
    public String hint(String identifier, String resource) {
        var resourceHint = resource == null ? null : resourceHint(resource);
        if (resourceHint != null) {
            return resourceHint;
        }
        return identifier.indexOf(':') >= 0
                ? null
                : "callers of the gateways are user:<name> or ip:<address>; did you mean identifier=user:" + identifier + "?";
    }
}
