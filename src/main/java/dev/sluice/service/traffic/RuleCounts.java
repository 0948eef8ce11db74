package dev.sluice.service.traffic;

/**
 * Numbers of decisions.
 *
 * @param allowed requests that were allowed
 * @param denied requests that were denied, or would have been in a dry run
 * @param errors requests that could not be decided
 */
public record RuleCounts(long allowed, long denied, long errors) {

    /** No decisions. */
    public static final RuleCounts NONE = new RuleCounts(0, 0, 0);

    /** Returns the sum. */
    public RuleCounts plus(RuleCounts other) {
        return new RuleCounts(allowed + other.allowed, denied + other.denied, errors + other.errors);
    }

    /** Returns the difference. */
    public RuleCounts minus(RuleCounts other) {
        return new RuleCounts(allowed - other.allowed, denied - other.denied, errors - other.errors);
    }

    /** Returns the number of decisions. */
    public long total() {
        return allowed + denied + errors;
    }
}
