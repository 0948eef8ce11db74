package dev.sluice.http;

import dev.sluice.policy.Caller;

/**
 * Result of the admission of an HTTP request. The rate-limit headers have been written to the response.
 *
 * @param caller caller of the request; null if the caller was not or could not be resolved, or the store is unavailable
 * @param error error response to send; null if the request may proceed
 */
public record AdmissionResult(Caller caller, ErrorResponse error) {

    /** Returns whether the request must be answered with {@link #error()}. */
    public boolean isDenied() {
        return error != null;
    }
}
