package dev.sluice.identity;

import java.util.regex.Pattern;

/**
 * Distinguishes the identifiers of callers, which Sluice derives from credentials and addresses, from those that requests to
 * {@code /v1/check} may choose: users ({@code user:}), teams ({@code team:}), organisations ({@code org:}), addresses
 * ({@code ip:}), levels that a cluster stores with their root ({@code chain:}), hashes of provider keys ({@code key:} and 64 hexadecimal digits) and stored keys ({@code key:} and 19 digits and
 * lower-case letters).
 */
public final class CallerIdentifiers {

    private static final Pattern KEY = Pattern.compile("key:(?:[0-9A-Fa-f]{64}|[0-9a-z]{19})");

    private CallerIdentifiers() {
    }

    /** Returns whether the identifier can be that of a caller. */
    public static boolean contains(String identifier) {
        return identifier.startsWith("user:") || identifier.startsWith("ip:") || identifier.startsWith("team:")
                || identifier.startsWith("org:") || identifier.startsWith("chain:")
                || identifier.startsWith("key:") && KEY.matcher(identifier).matches();
    }
}
