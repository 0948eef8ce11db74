package dev.sluice.service.token;

/**
 * The permissions of the admin token of a request. Immutable.
 *
 * @param token name of the token; {@value #UNRESTRICTED_NAME} for that of {@code RATE_LIMIT_ADMIN_TOKEN}
 * @param scope its scope
 * @param team team to whose keys, members and spend it is restricted; null if it is not restricted
 */
public record AdminAccess(String token, AdminScope scope, String team) {

    /** Name of the token of {@code RATE_LIMIT_ADMIN_TOKEN}. */
    public static final String UNRESTRICTED_NAME = "admin-token";

    static final AdminAccess UNRESTRICTED = new AdminAccess(UNRESTRICTED_NAME, AdminScope.WRITE, null);

    /** Returns whether this is the token of {@code RATE_LIMIT_ADMIN_TOKEN}. */
    public boolean isUnrestricted() {
        return token.equals(UNRESTRICTED_NAME);
    }
}
