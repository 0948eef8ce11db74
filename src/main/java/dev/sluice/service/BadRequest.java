package dev.sluice.service;

import dev.sluice.http.ErrorAnswer;

/** A request that is answered with an error that names what is wrong with it. */
class BadRequest extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient ErrorAnswer answer;

    BadRequest(ErrorAnswer answer) {
        super(answer.message(), null, false, false);
        this.answer = answer;
    }

    static BadRequest field(String field, String message) {
        return new BadRequest(ErrorAnswer.unreadable(field, message));
    }

    ErrorAnswer answer() {
        return answer;
    }
}
