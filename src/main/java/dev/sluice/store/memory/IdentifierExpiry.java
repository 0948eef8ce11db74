package dev.sluice.store.memory;

import java.util.concurrent.TimeUnit;

import com.github.benmanes.caffeine.cache.Expiry;

/**
 * Expires an identifier after two of its longest windows without use. To save writes, a use extends the lifetime only when half of
 * it has passed.
 */
final class IdentifierExpiry implements Expiry<String, CacheEntry> {

    /** Lifetime of a new entry, which has no windows yet. */
    private static final long NEW_ENTRY_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static long nanos(CacheEntry entry) {
        long span = entry.windows().longestSpan();
        return span == 0 ? NEW_ENTRY_NANOS : 2000 * span;
    }

    @Override
    public long expireAfterCreate(String identifier, CacheEntry entry, long now) {
        return nanos(entry);
    }

    @Override
    public long expireAfterUpdate(String identifier, CacheEntry entry, long now, long remaining) {
        return nanos(entry);
    }

    @Override
    public long expireAfterRead(String identifier, CacheEntry entry, long now, long remaining) {
        long lifetime = nanos(entry);
        return remaining < lifetime / 2 || remaining > lifetime ? lifetime : remaining;
    }
}
