package dev.sluice.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;

/**
 * Units that a rule has reserved for a request until its answer is known.
 *
 * @param identifier owner of the window
 * @param resource resource name of the rule
 * @param reserved units that are reserved
 * @param options options of the rule
 */
public record AwaitedUnits(String identifier, String resource, long reserved, RuleOptions options) {

    /**
     * Returns the units that the request takes.
     *
     * @param status status of the answer
     * @param fields returns the value of a field of the answer, several values separated by commas; null if it has none
     */
    public long used(int status, UnaryOperator<String> fields) {
        if (!options.count().contains(status)) {
            return 0;
        }
        return options.cost().isFromResponse()
                ? options.cost().unitsOfAnswer(fields.apply(options.cost().field()), reserved)
                : reserved;
    }

    /** Returns the name of the field that is taken off the answer, because it has the cost; null if none is. */
    public String hiddenField() {
        return options.cost().isHidden() ? options.cost().field() : null;
    }

    /**
     * Returns a decision as it was before it reserved units of requests that count by their answers: these are still left if the answer
     * does not count.
     */
    public static Decision withoutCounted(Decision decision, List<AwaitedUnits> awaited) {
        var quotas = new ArrayList<QuotaStatus>(decision.quotas().size());
        for (var quota : decision.quotas()) {
            var before = quota;
            for (var units : awaited) {
                before = units.isCountedIn(quota) ? units.before(quota) : before;
            }
            quotas.add(before);
        }
        return new Decision(decision.allowed(), decision.denied(), decision.mode(), decision.decidedAt(), quotas,
                decision.reservation());
    }

    private boolean isCountedIn(QuotaStatus quota) {
        return !options.count().isAll() && !quota.denied() && quota.resource().equals(resource)
                && quota.identifier().equals(identifier);
    }

    private QuotaStatus before(QuotaStatus quota) {
        return quota.withRemaining(Math.min(quota.limit(), quota.remaining() + reserved));
    }

    /** Returns the units that a request takes that was not answered: none if only answers count. */
    public long usedWithoutAnswer() {
        return options.count().isAll() ? reserved : 0;
    }
}
