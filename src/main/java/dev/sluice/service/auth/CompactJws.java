package dev.sluice.service.auth;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

import io.vertx.core.json.JsonObject;

/** Reads the parts of a compact JWS (RFC 7515) that are needed before it is verified. */
final class CompactJws {

    private CompactJws() {
    }

    /** Returns whether a text has the form of a compact JWS: three parts, the first of which is a header with an algorithm. */
    static boolean matches(String token) {
        int first = token.indexOf('.');
        int last = token.lastIndexOf('.');
        if (first <= 0 || token.indexOf('.', first + 1) != last || first == last) {
            return false;
        }
        var header = header(token);
        return header != null && header.startsWith("{") && header.contains("\"alg\"");
    }

    /** Returns the key identifier of a token; null if it has none or is malformed. */
    static String keyId(String token) {
        return headerField(token, "kid");
    }

    /** Returns the algorithm of a token; null if it has none or is malformed. */
    static String algorithm(String token) {
        return headerField(token, "alg");
    }

    private static String headerField(String token, String name) {
        try {
            var header = header(token);
            return header == null || !(new JsonObject(header).getValue(name) instanceof String value) ? null : value;
        } catch (RuntimeException e) {
            return null;
        }
    }

    private static String header(String token) {
        try {
            int end = token.indexOf('.');
            return end < 0
                    ? null
                    : new String(Base64.getUrlDecoder().decode(token.substring(0, end)), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
