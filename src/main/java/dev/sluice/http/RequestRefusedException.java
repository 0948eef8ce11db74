package dev.sluice.http;

/** Signals that an endpoint of the service refuses a request; carries the error response. */
public class RequestRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient ErrorResponse errorResponse;

    /** @param response the error response, which names the cause */
    public RequestRefusedException(ErrorResponse response) {
        super(response.message(), null, false, false);
        this.errorResponse = response;
    }

    /** Returns the error response. */
    public ErrorResponse errorResponse() {
        return errorResponse;
    }
}
