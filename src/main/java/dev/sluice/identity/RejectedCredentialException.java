package dev.sluice.identity;

/** Thrown by Sluice itself when it rejects a credential; says which, and why. Internal. */
public class RejectedCredentialException extends CredentialsRejectedException {

    private static final long serialVersionUID = 1;

    private final RejectedCredential credential;

    /** @param message message for the client; must not repeat the credentials */
    public RejectedCredentialException(RejectedCredential credential, String message) {
        super(message);
        this.credential = credential;
    }

    /** Returns what a rejection is about; {@link RejectedCredential#OTHER} if it does not say. */
    public static RejectedCredential credentialOf(Throwable rejection) {
        return rejection instanceof RejectedCredentialException known ? known.credential : RejectedCredential.OTHER;
    }
}
