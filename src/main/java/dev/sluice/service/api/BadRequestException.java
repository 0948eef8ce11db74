package dev.sluice.service.api;

import dev.sluice.http.ErrorResponse;

/** A request that is answered with an error that names what is wrong with it. */
class BadRequestException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient ErrorResponse answer;

    BadRequestException(ErrorResponse answer) {
        super(answer.message(), null, false, false);
        this.answer = answer;
    }

    static BadRequestException field(String field, String message) {
        return new BadRequestException(ErrorResponse.unreadable(field, message));
    }

    ErrorResponse answer() {
        return answer;
    }
}
