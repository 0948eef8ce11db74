package dev.sluice.identity;

/** Headers by which a trusted proxy passes on the identity of the caller. */
public final class IdentityHeaders {

    /** Name of the user. */
    public static final String USER_ID = "X-User-Id";
    /** Tier of the user. */
    public static final String USER_TIER = "X-User-Tier";

    private IdentityHeaders() {
    }
}
