package dev.sluice.service.api;

import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestRefusedException;

/** Signals an invalid request; carries the error response that names the cause. */
public class BadRequestException extends RequestRefusedException {

    private static final long serialVersionUID = 1;

    /** Creates an exception that carries an error response. */
    public BadRequestException(ErrorResponse response) {
        super(response);
    }

    /** Creates an exception that names a field or parameter of the request, and what is allowed. */
    public static BadRequestException forField(String field, String message) {
        return new BadRequestException(ErrorResponse.badRequest(field, message));
    }
}
