package dev.sluice.service.api;

import dev.sluice.http.ErrorResponse;

/** Signals an invalid request; carries the error response that names the cause. */
public class BadRequestException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient ErrorResponse errorResponse;

    BadRequestException(ErrorResponse response) {
        super(response.message(), null, false, false);
        this.errorResponse = response;
    }

    /** Creates an exception that names a field or parameter of the request, and what is allowed. */
    public static BadRequestException forField(String field, String message) {
        return new BadRequestException(ErrorResponse.badRequest(field, message));
    }

    public ErrorResponse errorResponse() {
        return errorResponse;
    }
}
