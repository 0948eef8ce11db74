package dev.sluice.service.llm;

import java.util.Optional;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.http.ErrorResponse;
import dev.sluice.llm.protocol.InvalidRequestBodyException;
import dev.sluice.service.llm.body.BodyRejectedException;

/** Call that ends with an error response. The message is sent to the client. */
final class CallRejectedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final int status;
    private final boolean challenge;
    private final transient CallDenial denial;
    private final boolean deniesModel;

    CallRejectedException(int status, String message) {
        this(status, message, null);
    }

    CallRejectedException(int status, String message, Throwable cause) {
        this(status, message, cause, false, null, false);
    }

    private CallRejectedException(int status, String message, Throwable cause, boolean challenge, CallDenial denial,
            boolean deniesModel) {
        super(message, cause, false, false);
        this.status = status;
        this.challenge = challenge;
        this.denial = denial;
        this.deniesModel = deniesModel;
    }

    /** Returns the rejection of a call whose model may not be called. */
    static CallRejectedException ofModel(String message) {
        return new CallRejectedException(403, message, null, false, null, true);
    }

    /** Returns a rejection with the status and message of an error of Sluice. */
    static CallRejectedException of(ErrorResponse error) {
        return new CallRejectedException(error.status(), error.message(), null, error.status() == 401, null, false);
    }

    /** Returns the rejection of a call that a limit denies. */
    static CallRejectedException of(CallDenial denial) {
        return new CallRejectedException(429, "Rate limit exceeded", null, false, denial, false);
    }

    /** Returns the rejection that a failure leads to; an unexpected failure is an internal error (500). */
    static CallRejectedException of(Throwable failure) {
        if (failure instanceof CallRejectedException rejection) {
            return rejection;
        }
        if (failure instanceof BodyRejectedException rejection) {
            return new CallRejectedException(rejection.status(), rejection.getMessage(), rejection);
        }
        if (failure instanceof InvalidRequestBodyException) {
            return new CallRejectedException(400, failure.getMessage(), failure);
        }
        return failure instanceof StoreUnavailableException
                ? of(ErrorResponse.storeUnavailable())
                : new CallRejectedException(500, "Internal error", failure);
    }

    int status() {
        return status;
    }

    /** Returns whether the response asks for other credentials by {@code WWW-Authenticate}. */
    boolean hasChallenge() {
        return challenge;
    }

    /** Returns whether the model may not be called. */
    boolean deniesModel() {
        return deniesModel;
    }

    /** Returns the denial, if a limit denies the call; its decision determines the message. */
    Optional<CallDenial> denial() {
        return Optional.ofNullable(denial);
    }
}
