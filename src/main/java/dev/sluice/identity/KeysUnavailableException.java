package dev.sluice.identity;

/**
 * Thrown when a JWT cannot be verified at the moment, because its keys cannot be fetched. HTTP status 503: the token may be
 * valid, so the client must not discard it. Internal.
 */
public class KeysUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1;

    public KeysUnavailableException() {
        super("The keys that verify JWTs cannot be fetched; try again later", null, false, false);
    }
}
