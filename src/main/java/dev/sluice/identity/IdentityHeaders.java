package dev.sluice.identity;

/** The headers by which proxies that trust each other say who is calling. */
public final class IdentityHeaders {

    public static final String USER_ID = "X-User-Id";
    public static final String USER_TIER = "X-User-Tier";

    private IdentityHeaders() {
    }
}
