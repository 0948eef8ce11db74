package dev.sluice.store.redis;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.api.QuotaUnit;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;

/**
 * What Redis has refused, and would refuse again: a window without room gets none before its next unit leaves. Until then the
 * same claims of the same identifier are refused from here.
 * <p>
 * What else can make room is told to all instances: a reset. So nothing is refused from here unless what is told has just been
 * heard ({@link #MAX_STALENESS_NANOS}); and what was refused only for tokens or dollars is not remembered, because every settlement
 * anywhere may make room there. A change of a limit is another claim.
 */
public final class DenialCache {

    /** A reset is known everywhere after so long, or nothing is refused from memory. */
    public static final long MAX_STALENESS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int MAX_IDENTIFIERS = 50_000;
    private static final int MAX_PER_IDENTIFIER = 4;

    /**
     * @param validUntil by Redis's clock: before that, nothing has left any of these windows
     * @param next of the same identifier; null for none
     */
    private record Denial(List<WindowClaim> claims, StoreResult result, long validUntil, Denial next) {

        /** The others that still hold, and not too many. */
        static Denial live(Denial first, List<WindowClaim> except, long now, int max) {
            if (first == null || max == 0) {
                return null;
            }
            return first.validUntil <= now || first.claims.equals(except)
                    ? live(first.next, except, now, max)
                    : new Denial(first.claims, first.result, first.validUntil, live(first.next, except, now, max - 1));
        }
    }

    private final RedisClock clock;
    private final LongSupplier nanoTime;
    private final Cache<String, Denial> denials = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_IDENTIFIERS)
            .build();
    private final LongAdder hits = new LongAdder();
    /** Nothing has been remembered for long: then looking is not worth it. */
    private volatile boolean nonEmpty;
    private volatile long lastUsed;
    private volatile long lastSynced;
    /** How often something was forgotten. */
    private volatile long version;

    /** @param nanoTime as {@link System#nanoTime} */
    public DenialCache(RedisClock clock, LongSupplier nanoTime) {
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.lastSynced = nanoTime.getAsLong() - 2 * MAX_STALENESS_NANOS;
    }

    /** What is to be given to {@link #put} with the answer to a question that is put now. */
    public long version() {
        return version;
    }

    /** Null where Redis has to be asked. */
    public StoreResult get(String identifier, List<WindowClaim> claims) {
        if (!nonEmpty) {
            return null;
        }
        var found = denials.getIfPresent(identifier);
        while (found != null && found.claims != claims && !found.claims.equals(claims)) {
            found = found.next;
        }
        if (found == null) {
            return null;
        }
        long now = nanoTime.getAsLong();
        lastUsed = now;
        if (now - lastSynced > MAX_STALENESS_NANOS || clock.latest(now) >= found.validUntil) {
            return null;
        }
        hits.increment();
        return new StoreResult(false, clock.earliest(now), found.result.windows());
    }

    /** @param expectedVersion what it was when Redis was asked: what was forgotten meanwhile may have concerned this */
    public void put(String identifier, List<WindowClaim> claims, StoreResult result, long expectedVersion) {
        long until = expiry(claims, result);
        if (until <= result.now()) {
            return;
        }
        long now = nanoTime.getAsLong();
        lastUsed = now;
        nonEmpty = true;
        long serverTime = clock.earliest(now);
        denials.asMap().compute(identifier, (name, existing) -> expectedVersion != version
                ? existing
                : new Denial(claims, result, until, Denial.live(existing, claims, serverTime, MAX_PER_IDENTIFIER - 1)));
    }

    /** When the first unit leaves; 0 where something else may make room before. */
    private static long expiry(List<WindowClaim> claims, StoreResult result) {
        long until = Long.MAX_VALUE;
        boolean certain = false;
        for (int i = 0; i < claims.size(); i++) {
            var state = result.windows()[i];
            if (state.freeAt() > 0) {
                until = Math.min(until, state.freeAt());
            }
            certain |= state.retryAt() > 0 && !claims.get(i).reserved() && claims.get(i).unit() == QuotaUnit.REQUESTS;
        }
        return certain ? until : 0;
    }

    public synchronized void evict(String identifier) {
        version++;
        denials.invalidate(identifier);
    }

    public synchronized void evictAll() {
        version++;
        nonEmpty = false;
        denials.invalidateAll();
    }

    /** Whether anybody would miss it if nobody listened to what is told. */
    boolean isNeeded() {
        return nonEmpty && nanoTime.getAsLong() - lastUsed < IDLE_NANOS;
    }

    /** All that was told before this was sent is known. */
    void markSynced(long sentAt) {
        lastSynced = sentAt;
    }

    /** How many refusals came from here. */
    public long hits() {
        return hits.sum();
    }
}
