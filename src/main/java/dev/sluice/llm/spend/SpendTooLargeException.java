package dev.sluice.llm.spend;

/** Signals that a query has more groups than can be held in memory. */
public class SpendTooLargeException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final int maxGroups;

    SpendTooLargeException(int maxGroups) {
        super("More than " + maxGroups + " groups", null, false, false);
        this.maxGroups = maxGroups;
    }

    /** Returns the maximum number of groups. */
    public int maxGroups() {
        return maxGroups;
    }
}
