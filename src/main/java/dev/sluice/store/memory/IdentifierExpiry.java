package dev.sluice.store.memory;

import java.util.concurrent.TimeUnit;

import com.github.benmanes.caffeine.cache.Expiry;

/** Two of its longest windows without use; that it is used is noted when half of that is over. */
final class IdentifierExpiry implements Expiry<String, IdentifierWindows> {

    /** An account that is just being opened has no window yet; it gets its lifetime when it has. */
    private static final long NEW_ENTRY_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static long nanos(IdentifierWindows windows) {
        long span = windows.longestSpan();
        return span == 0 ? NEW_ENTRY_NANOS : 2000 * span;
    }

    @Override
    public long expireAfterCreate(String identifier, IdentifierWindows windows, long now) {
        return nanos(windows);
    }

    @Override
    public long expireAfterUpdate(String identifier, IdentifierWindows windows, long now, long remaining) {
        return nanos(windows);
    }

    @Override
    public long expireAfterRead(String identifier, IdentifierWindows windows, long now, long remaining) {
        long lifetime = nanos(windows);
        return remaining < lifetime / 2 || remaining > lifetime ? lifetime : remaining;
    }
}
