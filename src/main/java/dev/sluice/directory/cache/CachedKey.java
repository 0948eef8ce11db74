package dev.sluice.directory.cache;

import java.util.List;

import org.jspecify.annotations.Nullable;

/** Cached key, or the knowledge that no key has a hash. Thread-safe. */
final class CachedKey extends CachedEntry {

    private final @Nullable ResolvedKey key;
    /** Records on which the key depends. */
    private final List<CachedRecord> records;

    /** @param key the key; null if no key has the hash */
    CachedKey(@Nullable ResolvedKey key, List<CachedRecord> records, Confirmation confirmation, Position read) {
        super(confirmation, read);
        this.key = key;
        this.records = List.copyOf(records);
    }

    @Nullable
    ResolvedKey key() {
        return key;
    }

    /** A change of a record changes the keys that depend on it. */
    @Override
    boolean isInvalid() {
        if (super.isInvalid()) {
            return true;
        }
        for (var record : records) {
            if (record.isInvalid()) {
                return true;
            }
        }
        return false;
    }
}
