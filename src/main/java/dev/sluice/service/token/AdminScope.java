package dev.sluice.service.token;

import java.util.Locale;

/** Scope of an admin token. */
public enum AdminScope {
    /** Queries only. */
    READ,
    /** Queries and changes. */
    WRITE;

    /** Returns the name as in the setting: {@code read}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Returns whether a token of this scope may do what requires another scope. */
    public boolean permits(AdminScope required) {
        return compareTo(required) >= 0;
    }
}
