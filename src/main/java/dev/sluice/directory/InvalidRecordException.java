package dev.sluice.directory;

import dev.sluice.api.StoreUnavailableException;

/**
 * Thrown when Redis has replied, but what it stores of an identity cannot be read. Requests of the identity fail: limits that cannot
 * be read must not be left out. HTTP status 503.
 */
public final class InvalidRecordException extends StoreUnavailableException {

    private static final long serialVersionUID = 1;

    public InvalidRecordException(String message) {
        super(message, null);
    }
}
