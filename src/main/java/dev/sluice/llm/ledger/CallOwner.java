package dev.sluice.llm.ledger;

import java.util.Objects;

import org.jspecify.annotations.Nullable;

import dev.sluice.identity.chain.IdentityChain;

/**
 * Levels of a caller that the ledger keeps usage by. Immutable.
 *
 * @param key id of the stored key; null if there is none
 * @param user name of the user; null if there is none
 * @param team name of the team; null if there is none
 * @param org name of the organisation; null if there is none
 */
public record CallOwner(@Nullable String key, @Nullable String user, @Nullable String team, @Nullable String org) {

    private static final String USER = "user:";
    /** Owner as which further owners of an identifier's hour are summed, in Redis. */
    private static final String OTHERS = "*";
    private static final String SEPARATOR = "/";

    /**
     * Returns the owner of the calls of a caller. Without a user in the chain, the identifier {@code user:<name>} names the user.
     *
     * @param identifier the caller's identifier, as stored
     * @param chain the caller's chain
     * @return the owner
     */
    public static CallOwner of(String identifier, IdentityChain chain) {
        return new CallOwner(chain.key(), chain.user() == null ? userOf(identifier) : chain.user(), chain.team(), chain.org());
    }

    /** Returns the owner of the calls of a caller without a chain. */
    static CallOwner of(String identifier) {
        return of(identifier, IdentityChain.NONE);
    }

    private static @Nullable String userOf(String identifier) {
        return identifier.startsWith(USER) ? identifier.substring(USER.length()) : null;
    }

    /** Returns the form in Redis, without what the identifier says; empty if that is all. */
    String encode(String identifier) {
        var ownUser = Objects.equals(user, userOf(identifier)) ? null : user;
        return key == null && ownUser == null && team == null && org == null
                ? ""
                : String.join(SEPARATOR, escape(org), escape(team), escape(ownUser), escape(key));
    }

    private static String escape(@Nullable String name) {
        return name == null ? "" : name.replace("%", "%25").replace(SEPARATOR, "%2F");
    }

    /** Reads the form in Redis; the owner without a chain if the text has another form. */
    static CallOwner decode(String identifier, String text) {
        var parts = text.equals(OTHERS) ? new String[0] : text.split(SEPARATOR, -1);
        if (parts.length != 4) {
            return of(identifier);
        }
        var user = unescape(parts[2]);
        return new CallOwner(unescape(parts[3]), user == null ? userOf(identifier) : user, unescape(parts[1]),
                unescape(parts[0]));
    }

    private static @Nullable String unescape(String text) {
        return text.isEmpty() ? null : text.replace("%2F", SEPARATOR).replace("%25", "%");
    }
}
