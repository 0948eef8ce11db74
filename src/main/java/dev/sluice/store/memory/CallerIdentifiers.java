package dev.sluice.store.memory;

import java.util.regex.Pattern;

/**
 * Tells the identifiers of callers, which Sluice derives from credentials and addresses, from those that requests to
 * {@code /v1/check} may choose freely.
 */
final class CallerIdentifiers {

    /** The hash of a key that a caller sends to a provider. */
    private static final Pattern KEY = Pattern.compile("key:[0-9a-f]{64}");

    private CallerIdentifiers() {
    }

    static boolean isCaller(String identifier) {
        return identifier.startsWith("user:") || identifier.startsWith("ip:")
                || identifier.startsWith("key:") && KEY.matcher(identifier).matches();
    }
}
