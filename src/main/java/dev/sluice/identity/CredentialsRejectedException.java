package dev.sluice.identity;

/** Credentials came and do not hold: 401, never a quiet fall to the address. */
public class CredentialsRejectedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** @param message for the caller; it never repeats the credentials */
    public CredentialsRejectedException(String message) {
        super(message, null, false, false);
    }
}
