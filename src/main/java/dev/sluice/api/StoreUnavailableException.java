package dev.sluice.api;

/** Redis is out of reach or did not answer in time, and the fallback in force does not answer in its place. */
public class StoreUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1;

    public StoreUnavailableException(String message, Throwable cause) {
        super(message, cause, false, false);
    }
}
