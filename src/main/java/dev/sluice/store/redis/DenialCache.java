package dev.sluice.store.redis;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.api.QuotaUnit;
import dev.sluice.store.JointRequest;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;

/**
 * Negative cache of denials. A denial stays valid until the oldest unit leaves the window: until then, the same claims of the same
 * identifier are denied without a call to Redis.
 * <p>
 * Only a reset, a refund or a settlement can free units earlier. Resets and refunds are published to all instances, so the cache is
 * used only if they were polled within {@link #MAX_STALENESS_NANOS}. Denials caused only by tokens or dollars are not cached, because any settlement on any instance
 * may free units. A changed limit makes a different claim.
 */
public final class DenialCache {

    /** Time after which every instance has received a reset or stopped using its cache. */
    public static final long MAX_STALENESS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int MAX_IDENTIFIERS = 50_000;
    private static final int MAX_PER_IDENTIFIER = 4;

    /**
     * Cached denial, a node of a list per identifier.
     *
     * @param validUntil microseconds by Redis's clock, before which no unit leaves any of these windows
     * @param next denial of the same identifier; null if none
     */
    private record Denial(List<WindowClaim> claims, StoreResult result, long validUntil, Denial next) {

        /** Returns the denials that are still valid, at most {@code max}, without the one of the excepted claims. */
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
    private final Cache<Object, Denial> denials = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_IDENTIFIERS)
            .build();
    /** Denials of requests of several identifiers, by their list. Any eviction of an identifier evicts all of them. */
    private final Cache<Object, Denial> jointDenials = Caffeine.newBuilder().executor(Runnable::run)
            .maximumSize(MAX_IDENTIFIERS).build();
    private final LongAdder hits = new LongAdder();
    /** False while the cache is certainly empty, so that lookups are skipped. */
    private volatile boolean nonEmpty;
    private volatile long lastUsed;
    private volatile long lastSynced;
    /** Number of evictions. */
    private volatile long version;

    /** @param nanoTime as {@link System#nanoTime} */
    public DenialCache(RedisClock clock, LongSupplier nanoTime) {
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.lastSynced = nanoTime.getAsLong() - 2 * MAX_STALENESS_NANOS;
    }

    /** Returns the version to pass to {@link #put} with the result of a request sent now. */
    public long version() {
        return version;
    }

    /**
     * Returns the cached denial.
     *
     * @return null if Redis has to decide
     */
    public StoreResult get(String identifier, List<WindowClaim> claims) {
        return nonEmpty ? get(denials, identifier, claims) : null;
    }

    /**
     * Returns the cached denial of a request of several identifiers.
     *
     * @return null if Redis has to decide
     */
    public StoreResult getJoint(JointRequest request) {
        return nonEmpty ? get(jointDenials, request.identifiers(), request.plan().claims()) : null;
    }

    private StoreResult get(Cache<Object, Denial> cache, Object key, List<WindowClaim> claims) {
        var found = cache.getIfPresent(key);
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

    /**
     * Caches a denial, unless anything was evicted since the request was sent: the eviction may concern this denial.
     *
     * @param expectedVersion the {@link #version} when the request was sent
     */
    public void put(String identifier, List<WindowClaim> claims, StoreResult result, long expectedVersion) {
        put(denials, identifier, claims, result, expectedVersion);
    }

    /**
     * Caches a denial of a request of several identifiers, as {@link #put} does.
     *
     * @param request all of whose claims must fit
     */
    public void putJoint(JointRequest request, StoreResult result, long expectedVersion) {
        put(jointDenials, request.identifiers(), request.plan().claims(), result, expectedVersion);
    }

    private void put(Cache<Object, Denial> cache, Object key, List<WindowClaim> claims, StoreResult result,
            long expectedVersion) {
        long until = expiry(claims, result);
        if (until <= result.now()) {
            return;
        }
        long now = nanoTime.getAsLong();
        lastUsed = now;
        nonEmpty = true;
        long serverTime = clock.earliest(now);
        cache.asMap().compute(key, (name, existing) -> expectedVersion != version
                ? existing
                : new Denial(claims, result, until, Denial.live(existing, claims, serverTime, MAX_PER_IDENTIFIER - 1)));
    }

    /** Returns when the first unit leaves; 0 if units may be freed earlier. */
    private static long expiry(List<WindowClaim> claims, StoreResult result) {
        long until = Long.MAX_VALUE;
        boolean certain = false;
        for (int i = 0; i < claims.size(); i++) {
            var state = result.windows()[i];
            if (claims.get(i).isConcurrency()) {
                if (state.retryAt() != 0) {
                    return 0; // a request may end at any time
                }
                continue;
            }
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
        jointDenials.invalidateAll();
    }

    public synchronized void evictAll() {
        version++;
        nonEmpty = false;
        denials.invalidateAll();
        jointDenials.invalidateAll();
    }

    /** Returns whether the cache was used recently, so that resets have to be polled. */
    boolean isNeeded() {
        return nonEmpty && nanoTime.getAsLong() - lastUsed < IDLE_NANOS;
    }

    /** Records that all resets published before this time were received. */
    void markSynced(long sentAt) {
        lastSynced = sentAt;
    }

    /** Returns the number of denials served from the cache. */
    public long hits() {
        return hits.sum();
    }
}
