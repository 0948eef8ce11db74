package dev.sluice.policy.cost;

/** The cost that a request names cannot be charged. The message is for the client unless the cost is above the limit. */
public final class InvalidCostException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final String field;
    private final boolean aboveLimit;

    private InvalidCostException(String field, boolean aboveLimit, String message) {
        super(message, null, false, false);
        this.field = field;
        this.aboveLimit = aboveLimit;
    }

    static InvalidCostException unreadable(String field, String message) {
        return new InvalidCostException(field, false, message);
    }

    /** Creates the failure of a request whose cost is above the limit, so that it is never admitted. */
    public static InvalidCostException aboveLimit(String field) {
        return new InvalidCostException(field, true, field + " exceeds the limit");
    }

    /** Returns the name of the header field or of the query parameter. */
    public String field() {
        return field;
    }

    /** Returns whether the cost is above the limit; otherwise it is no number. */
    public boolean isAboveLimit() {
        return aboveLimit;
    }
}
