package dev.sluice.directory.cache;

import org.jspecify.annotations.Nullable;

import dev.sluice.directory.IdentityAttributes;

/** Cached user, team or organisation, or the knowledge that there is none of the name. Thread-safe. */
final class CachedRecord extends CachedEntry {

    private final String name;
    private final @Nullable IdentityAttributes attributes;

    /** @param attributes its attributes; null if there is no record */
    CachedRecord(String name, @Nullable IdentityAttributes attributes, Confirmation confirmation, Position read) {
        super(confirmation, read);
        this.name = name;
        this.attributes = attributes;
    }

    String name() {
        return name;
    }

    @Nullable
    IdentityAttributes attributes() {
        return attributes;
    }
}
