package dev.sluice.directory;

import java.util.Locale;

import org.jspecify.annotations.Nullable;

/** Kind of a stored identity. */
public enum IdentityKind {
    KEY, USER, TEAM, ORG;

    private final String label = name().toLowerCase(Locale.ROOT);
    private final String prefix = label + ':';

    /** Returns the name in lower case, as in identifiers: {@code key}. */
    public String label() {
        return label;
    }

    /** Returns the identifier of an identity of this kind: {@code user:alice}. */
    public String identifier(String name) {
        return prefix + name;
    }

    /** Returns the name in an identifier of this kind; null if it has another form. */
    public @Nullable String nameIn(String identifier) {
        if (!identifier.startsWith(prefix)) {
            return null;
        }
        var name = identifier.substring(prefix.length());
        return IdentityNames.isValid(name) ? name : null;
    }
}
