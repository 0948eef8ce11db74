package dev.sluice.service.traffic;

/**
 * Numbers of decisions.
 *
 * @param allowed decisions that allowed the request
 * @param denied decisions that denied the request; none of a shadow rule or in a dry run, which allow it
 * @param errors decisions that failed
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
