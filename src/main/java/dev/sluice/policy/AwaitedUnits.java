package dev.sluice.policy;

import java.util.ArrayList;
import java.util.List;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import io.vertx.core.MultiMap;

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
     * @param headers header fields of the answer
     */
    public long used(int status, MultiMap headers) {
        if (!options.count().contains(status)) {
            return 0;
        }
        return options.cost().isFromResponse() ? options.cost().unitsOfAnswer(headers, reserved) : reserved;
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

    /** Takes the field that has the cost off an answer, unless it stays. */
    public void hideCost(MultiMap headers) {
        if (options.cost().isHidden()) {
            headers.remove(options.cost().field());
        }
    }

    /** Returns the units that a request takes that was not answered: none if only answers count. */
    public long usedWithoutAnswer() {
        return options.count().isAll() ? reserved : 0;
    }
}
