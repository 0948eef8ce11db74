package dev.sluice.service.api;

import org.jspecify.annotations.Nullable;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityNames;
import dev.sluice.http.ErrorResponse;
import io.vertx.core.json.JsonObject;

/** Fields {@code team} and {@code org} of a request body: for whom the caller acts. */
final class GroupNames {

    private GroupNames() {
    }

    /**
     * Returns the error of a request that names a group without a token, and would use up its quota.
     *
     * @return null if it names none
     */
    static @Nullable ErrorResponse refuseAnonymous(@Nullable String team, @Nullable String org) {
        if (team == null && org == null) {
            return null;
        }
        var field = team != null ? "team" : "org";
        return new ErrorResponse(403, "RATE_4031", field + " requires the API token: set RATE_LIMIT_API_TOKEN and send it",
                new JsonObject().put("field", field), JsonObject::new);
    }

    /** @throws BadRequestException if one of them is no name, or is given with an identifier that is a team or an organisation itself */
    static void check(String identifier, @Nullable String team, @Nullable String org) {
        var field = team != null ? "team" : "org";
        if ((team != null || org != null)
                && (IdentityKind.TEAM.nameIn(identifier) != null || IdentityKind.ORG.nameIn(identifier) != null)) {
            throw BadRequestException.forField(field, field + " must not be given for a team or an organisation");
        }
        checkName("team", team);
        checkName("org", org);
    }

    private static void checkName(String field, @Nullable String name) {
        if (name != null && !IdentityNames.isValid(name)) {
            throw BadRequestException.forField(field, field + ' ' + IdentityNames.ALLOWED);
        }
    }
}
