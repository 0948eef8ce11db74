package dev.sluice.store.memory;

import java.util.concurrent.TimeUnit;

import com.github.benmanes.caffeine.cache.Expiry;

/** Two of its longest windows without use; that it is used is noted when half of that is over. */
final class IdentifierExpiry implements Expiry<String, IdentifierWindows> {

    /** An account that is just being opened has no window yet; it gets its lifetime when it has. */
    private static final long OPENING_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static long nanos(IdentifierWindows account) {
        long span = account.longestSpan();
        return span == 0 ? OPENING_NANOS : 2000 * span;
    }

    @Override
    public long expireAfterCreate(String identifier, IdentifierWindows account, long now) {
        return nanos(account);
    }

    @Override
    public long expireAfterUpdate(String identifier, IdentifierWindows account, long now, long left) {
        return nanos(account);
    }

    @Override
    public long expireAfterRead(String identifier, IdentifierWindows account, long now, long left) {
        long whole = nanos(account);
        return left < whole / 2 || left > whole ? whole : left;
    }
}
