package dev.sluice.service.llm.body;

/** Request body that is rejected. The message is sent to the client. */
public final class BodyRejectedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final int status;

    BodyRejectedException(int status, String message) {
        this(status, message, null);
    }

    BodyRejectedException(int status, String message, Throwable cause) {
        super(message, cause, false, false);
        this.status = status;
    }

    /** Returns the HTTP status of the response. */
    public int status() {
        return status;
    }
}
