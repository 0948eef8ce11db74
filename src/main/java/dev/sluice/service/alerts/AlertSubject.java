package dev.sluice.service.alerts;

import org.jspecify.annotations.Nullable;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityNames;

/**
 * Identity that an identifier names, and whose settings hold for its alerts. The limits of a member, {@code team:x/user:y}, are the
 * team's.
 *
 * @param name valid name of an identity
 */
record AlertSubject(IdentityKind kind, String name) {

    private static final IdentityKind[] KINDS = IdentityKind.values();
    private static final String[] PREFIXES = prefixes();

    private static String[] prefixes() {
        var prefixes = new String[KINDS.length];
        for (int i = 0; i < prefixes.length; i++) {
            prefixes[i] = KINDS[i].identifier("");
        }
        return prefixes;
    }

    /** Returns whether an identifier is that of a key, user, team or organisation. */
    static boolean isSubject(String identifier) {
        return prefix(identifier) >= 0;
    }

    private static int prefix(String identifier) {
        for (int i = 0; i < PREFIXES.length; i++) {
            if (identifier.startsWith(PREFIXES[i])) {
                return i;
            }
        }
        return -1;
    }

    /**
     * Parses an identifier.
     *
     * @return null if no identity can be stored under it
     */
    static @Nullable AlertSubject of(String identifier) {
        int prefix = prefix(identifier);
        if (prefix < 0) {
            return null;
        }
        var kind = KINDS[prefix];
        var name = identifier.substring(PREFIXES[prefix].length());
        if (kind == IdentityKind.TEAM || kind == IdentityKind.ORG) {
            int member = name.indexOf('/');
            name = member < 0 ? name : name.substring(0, member);
        }
        return IdentityNames.isValid(name) ? new AlertSubject(kind, name) : null;
    }
}
