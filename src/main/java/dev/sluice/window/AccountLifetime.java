package dev.sluice.window;

import java.util.concurrent.TimeUnit;

import com.github.benmanes.caffeine.cache.Expiry;

/** Two of its longest windows without use; that it is used is noted when half of that is over. */
final class AccountLifetime implements Expiry<String, Account> {

    /** An account that is just being opened has no window yet; it gets its lifetime when it has. */
    private static final long OPENING_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static long nanos(Account account) {
        long span = account.longestSpan();
        return span == 0 ? OPENING_NANOS : 2000 * span;
    }

    @Override
    public long expireAfterCreate(String identifier, Account account, long now) {
        return nanos(account);
    }

    @Override
    public long expireAfterUpdate(String identifier, Account account, long now, long left) {
        return nanos(account);
    }

    @Override
    public long expireAfterRead(String identifier, Account account, long now, long left) {
        long whole = nanos(account);
        return left < whole / 2 || left > whole ? whole : left;
    }
}
