package dev.sluice.directory;

import java.util.Locale;

/** Kind of a stored identity. */
public enum IdentityKind {
    KEY, USER, TEAM, ORG;

    /** Returns the name in lower case, as in identifiers: {@code key}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Returns the identifier of an identity of this kind: {@code user:alice}. */
    public String identifier(String name) {
        return label() + ':' + name;
    }
}
