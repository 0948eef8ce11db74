package dev.sluice.service.api;

import dev.sluice.http.ErrorResponse;
import dev.sluice.identity.CallerIdentifiers;
import dev.sluice.policy.key.RuleKey;
import io.vertx.core.json.JsonObject;

/** Identifiers that requests without a token may not name, so that no client consumes the quota of a caller. */
public final class ReservedIdentifiers {

    /** Prefix of the identifiers of Envoy's rate limit service. */
    private static final String RATE_LIMIT_SERVICE = "rls:";

    /** The error of a request that names one without a token. */
    public static final ErrorResponse ERROR = new ErrorResponse(403, "RATE_4031",
            "Identifiers that begin with user:, team:, org:, ip:, chain: or rls:, key: with a SHA-256 or the id of a key, and those of the keys of rules (header:x-tenant=acme), require"
                    + " the API token: set RATE_LIMIT_API_TOKEN and send it",
            new JsonObject().put("field", "identifier"), JsonObject::new);

    private ReservedIdentifiers() {
    }

    /** Returns whether an identifier is reserved. */
    public static boolean contains(String identifier) {
        return CallerIdentifiers.contains(identifier) || identifier.startsWith(RATE_LIMIT_SERVICE)
                || RuleKey.isReserved(identifier);
    }
}
