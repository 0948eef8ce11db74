package dev.sluice.api;

/** Thrown when an invocation was denied. {@link #decision()} tells which quota was exceeded and when to retry. */
public class RateLimitExceededException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient Decision decision;

    /**
     * Creates an exception with the message "Rate limit exceeded".
     *
     * @param decision the denial
     */
    public RateLimitExceededException(Decision decision) {
        this(decision, "Rate limit exceeded");
    }

    /**
     * Creates an exception with a message of its own.
     *
     * @param decision the denial
     * @param message the message
     */
    public RateLimitExceededException(Decision decision, String message) {
        super(message, null, false, false);
        this.decision = decision;
    }

    /** Returns the denial. Not serialized: null after deserialization. */
    public Decision decision() {
        return decision;
    }
}
