package dev.sluice.http;

import dev.sluice.policy.Caller;

/**
 * Result of the admission of an HTTP request. The rate-limit headers have been written to the response.
 *
 * @param caller caller of the request; null if the caller was not or could not be resolved, or the store is unavailable
 * @param error error response to send; null if the request may proceed
 * @param answer what is reserved until the answer is known, and settled when its head is written; null if nothing is
 */
public record AdmissionResult(Caller caller, ErrorResponse error, PendingAnswer answer) {

    public AdmissionResult(Caller caller, ErrorResponse error) {
        this(caller, error, null);
    }

    /** Returns whether the request must be answered with {@link #error()}. */
    public boolean isDenied() {
        return error != null;
    }
}
