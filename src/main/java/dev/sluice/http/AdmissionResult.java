package dev.sluice.http;

import dev.sluice.policy.Caller;

/**
 * What became of a request: it may go ahead, or it is answered with {@code refusal}. The headers are written already.
 *
 * @param caller who sent it; null where that was refused
 * @param error null where it may go ahead
 */
public record AdmissionResult(Caller caller, ErrorResponse error) {

    public boolean isDenied() {
        return error != null;
    }
}
