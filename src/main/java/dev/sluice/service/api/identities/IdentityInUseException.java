package dev.sluice.service.api.identities;

import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestRefusedException;

/** Signals that a team cannot be deleted because it has keys, or an organisation because it has teams. */
final class IdentityInUseException extends RequestRefusedException {

    private static final long serialVersionUID = 1;

    IdentityInUseException() {
        super(ErrorResponse.of(409, "RATE_4091", "It is in use: the team has keys, or the organisation has teams;"
                + " with cascade=true, the keys of the team are deleted, or the teams lose their organisation"));
    }
}
