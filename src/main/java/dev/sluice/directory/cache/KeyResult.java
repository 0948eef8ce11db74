package dev.sluice.directory.cache;

import org.jspecify.annotations.Nullable;

/**
 * Result of the lookup of a key. Immutable.
 *
 * @param key the key; null if the text is not a valid key: unknown, disabled, expired or rotated out
 */
public record KeyResult(@Nullable ResolvedKey key) {

    /** Result for a text that is not a valid key. */
    public static final KeyResult NONE = new KeyResult(null);
}
