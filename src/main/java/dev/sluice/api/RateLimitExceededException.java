package dev.sluice.api;

/** Something was not let ahead; the {@link #decision()} says by which quota and for how long. */
public class RateLimitExceededException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient Decision decision;

    public RateLimitExceededException(Decision decision) {
        super("Rate limit exceeded", null, false, false);
        this.decision = decision;
    }

    /** @param message what else there is to say */
    public RateLimitExceededException(Decision decision, String message) {
        super(message, null, false, false);
        this.decision = decision;
    }

    public Decision decision() {
        return decision;
    }
}
