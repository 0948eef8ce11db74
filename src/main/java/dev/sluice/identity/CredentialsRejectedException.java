package dev.sluice.identity;

/**
 * Thrown when a request has invalid credentials. HTTP status 401; the request is never treated as an anonymous one of the same
 * address.
 */
public class CredentialsRejectedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** @param message message for the client; must not repeat the credentials */
    public CredentialsRejectedException(String message) {
        super(message, null, false, false);
    }
}
