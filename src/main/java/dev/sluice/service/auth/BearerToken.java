package dev.sluice.service.auth;

/** Token of an Authorization header with the scheme Bearer (RFC 6750, section 2.1). */
public final class BearerToken {

    /** The scheme, in lower case, and the space after it. */
    static final String PREFIX = "bearer ";

    private BearerToken() {
    }

    /**
     * Returns the token of an Authorization header, without white space around it.
     *
     * @param authorization value of the header; null if it is missing
     * @return null if the header is missing or has another scheme
     */
    public static String of(String authorization) {
        return authorization != null && authorization.regionMatches(true, 0, PREFIX, 0, PREFIX.length())
                ? authorization.substring(PREFIX.length()).strip()
                : null;
    }
}
