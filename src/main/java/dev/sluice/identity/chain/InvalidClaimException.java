package dev.sluice.identity.chain;

/** Thrown when a claim does not name exactly one team or organisation. The message is for the client. */
public class InvalidClaimException extends Exception {

    private static final long serialVersionUID = 1;

    /** @param message says which claim, and what is allowed; must not repeat the token */
    public InvalidClaimException(String message) {
        super(message, null, false, false);
    }
}
