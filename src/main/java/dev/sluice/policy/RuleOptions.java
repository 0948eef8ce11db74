package dev.sluice.policy;

import java.util.List;
import java.util.Map;

import dev.sluice.policy.cost.CountedAnswers;
import dev.sluice.policy.cost.RuleCost;
import dev.sluice.policy.key.RuleKey;

/**
 * Options of a rule besides its rates. Immutable.
 *
 * @param key what its windows belong to
 * @param shadow whether the rule is counted and reported only, and denies nothing
 * @param scope the requests that the rule is narrowed to
 * @param concurrency maximum number of requests in flight, by tier; a tier that is absent has no such limit
 * @param template segments of the rule's path, which name the variables that the key may read
 * @param cost units that a request takes
 * @param count answers whose requests count
 */
public record RuleOptions(RuleKey key, boolean shadow, RuleScope scope, Map<String, Long> concurrency, List<String> template,
        RuleCost cost, CountedAnswers count) {

    /** Options of a rule that says nothing but its rates. */
    public static final RuleOptions NONE = new RuleOptions(RuleKey.CALLER, false, RuleScope.ALL, Map.of(), List.of(),
            RuleCost.ONE, CountedAnswers.ALL);

    /** Returns whether the units that a request takes are not known before its answer. */
    public boolean needsAnswer() {
        return cost.isFromResponse() || !count.isAll();
    }
}
