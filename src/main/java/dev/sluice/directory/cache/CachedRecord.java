package dev.sluice.directory.cache;

import org.jspecify.annotations.Nullable;

import dev.sluice.directory.IdentityAttributes;

/** Cached user, team or organisation, or the knowledge that there is none of the name. Thread-safe. */
final class CachedRecord extends CachedEntry {

    private final String name;
    private final long revision;
    private final @Nullable IdentityAttributes attributes;

    /**
     * @param revision its revision; 0 if there is no record
     * @param attributes its attributes; null if there is no record
     */
    CachedRecord(String name, long revision, @Nullable IdentityAttributes attributes, Confirmation confirmation,
            Position read) {
        super(confirmation, read);
        this.name = name;
        this.revision = revision;
        this.attributes = attributes;
    }

    String name() {
        return name;
    }

    long revision() {
        return revision;
    }

    @Nullable
    IdentityAttributes attributes() {
        return attributes;
    }
}
