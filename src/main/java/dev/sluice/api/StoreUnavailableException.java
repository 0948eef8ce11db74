package dev.sluice.api;

import org.jspecify.annotations.Nullable;

/**
 * Thrown when Redis is unavailable or did not reply in time, and the fallback in force ({@link FallbackPolicy#CLOSED}) rejects
 * requests in that case. HTTP status 503.
 */
public class StoreUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /**
     * @param message the message
     * @param cause the failure of the store; null if there is none
     */
    public StoreUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause, false, false);
    }
}
