package dev.sluice.service.api;

import dev.sluice.http.ErrorResponse;
import io.vertx.core.json.JsonObject;

/**
 * Identifiers of the callers of the gateways: users ({@code user:}), addresses ({@code ip:}) and hashes of provider keys
 * ({@code key:} and 64 hexadecimal digits). Requests without a token may not name them, so that no client consumes the quota of
 * another one.
 */
final class ReservedIdentifiers {

    /** The error of a request that names one without a token. */
    static final ErrorResponse ERROR = new ErrorResponse(403, "RATE_4031",
            "Identifiers that begin with user: or ip:, and key: with a SHA-256, require"
                    + " the API token: set RATE_LIMIT_API_TOKEN and send it",
            new JsonObject().put("field", "identifier"), JsonObject::new);

    private static final String KEY = "key:";
    private static final int HASH_DIGITS = 64;

    private ReservedIdentifiers() {
    }

    static boolean contains(String identifier) {
        return identifier.startsWith("user:") || identifier.startsWith("ip:") || isKeyHash(identifier);
    }

    private static boolean isKeyHash(String identifier) {
        if (identifier.length() != KEY.length() + HASH_DIGITS || !identifier.startsWith(KEY)) {
            return false;
        }
        for (int i = KEY.length(); i < identifier.length(); i++) {
            char c = identifier.charAt(i);
            if (!(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F')) {
                return false;
            }
        }
        return true;
    }
}
