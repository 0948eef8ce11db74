package dev.sluice.identity;

import java.util.List;

/** Headers by which a trusted proxy passes on the identity of the caller. */
public final class IdentityHeaders {

    /** Name of the user. */
    public static final String USER_ID = "X-User-Id";
    /** Tier of the user. */
    public static final String USER_TIER = "X-User-Tier";
    /** Name of the team; counts only together with {@link #USER_ID}. */
    public static final String TEAM_ID = "X-Team-Id";
    /** Name of the organisation; counts only together with {@link #USER_ID}, and if the team has none. */
    public static final String ORG_ID = "X-Org-Id";

    /** All of these headers. */
    public static final List<String> ALL = List.of(USER_ID, USER_TIER, TEAM_ID, ORG_ID);

    private IdentityHeaders() {
    }
}
