package dev.sluice.caller;

/** The headers by which proxies that trust each other say who is calling. */
public final class CallerHeaders {

    public static final String USER_ID = "X-User-Id";
    public static final String USER_TIER = "X-User-Tier";

    private CallerHeaders() {
    }
}
