package dev.sluice.service.api.identities;

import dev.sluice.directory.IdentityKind;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestRefusedException;
import io.vertx.core.json.JsonObject;

/** Errors of requests for identities, beside those of invalid fields. */
final class IdentityErrors {

    private IdentityErrors() {
    }

    static RequestRefusedException notFound(IdentityKind kind) {
        return refused(404, "RATE_4041", "No such " + kind.label());
    }

    static RequestRefusedException preconditionFailed(String message) {
        return refused(412, "RATE_4121", message);
    }

    static RequestRefusedException conflict(String message) {
        return refused(409, "RATE_4091", message);
    }

    /** @param field JSON pointer to the field that the token must not set */
    static RequestRefusedException beyondTeam(String field, String message) {
        return new RequestRefusedException(new ErrorResponse(403, "RATE_4031",
                message + "; the scope of this admin token is one team", new JsonObject().put("field", field),
                JsonObject::new));
    }

    static RequestRefusedException beyondTeam(String message) {
        return refused(403, "RATE_4031", message + "; the scope of this admin token is one team");
    }

    private static RequestRefusedException refused(int status, String code, String message) {
        return new RequestRefusedException(ErrorResponse.of(status, code, message));
    }
}
