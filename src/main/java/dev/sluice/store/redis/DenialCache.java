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
 * heard ({@link #FRESH_NANOS}); and what was refused only for tokens or dollars is not remembered, because every settlement
 * anywhere may make room there. A change of a limit is another claim.
 */
public final class DenialCache {

    /** A reset is known everywhere after so long, or nothing is refused from memory. */
    public static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int MOST_IDENTIFIERS = 50_000;
    private static final int MOST_EACH = 4;

    /**
     * @param until by Redis's clock: before that, nothing has left any of these windows
     * @param others of the same identifier; null for none
     */
    private record Refused(List<WindowClaim> claims, StoreResult outcome, long until, Refused others) {

        /** The others that still hold, and not too many. */
        static Refused alive(Refused first, List<WindowClaim> but, long now, int most) {
            if (first == null || most == 0) {
                return null;
            }
            return first.until <= now || first.claims.equals(but)
                    ? alive(first.others, but, now, most)
                    : new Refused(first.claims, first.outcome, first.until, alive(first.others, but, now, most - 1));
        }
    }

    private final RedisClock time;
    private final LongSupplier nanos;
    private final Cache<String, Refused> refused = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MOST_IDENTIFIERS)
            .build();
    private final LongAdder answered = new LongAdder();
    /** Nothing has been remembered for long: then looking is not worth it. */
    private volatile boolean any;
    private volatile long lastNeeded;
    private volatile long lastHeard;
    /** How often something was forgotten. */
    private volatile long forgotten;

    /** @param nanos as {@link System#nanoTime} */
    public DenialCache(RedisClock time, LongSupplier nanos) {
        this.time = time;
        this.nanos = nanos;
        this.lastHeard = nanos.getAsLong() - 2 * FRESH_NANOS;
    }

    /** What is to be given to {@link #remember} with the answer to a question that is put now. */
    public long version() {
        return forgotten;
    }

    /** Null where Redis has to be asked. */
    public StoreResult find(String identifier, List<WindowClaim> claims) {
        if (!any) {
            return null;
        }
        var found = refused.getIfPresent(identifier);
        while (found != null && found.claims != claims && !found.claims.equals(claims)) {
            found = found.others;
        }
        if (found == null) {
            return null;
        }
        long now = nanos.getAsLong();
        lastNeeded = now;
        if (now - lastHeard > FRESH_NANOS || time.latest(now) >= found.until) {
            return null;
        }
        answered.increment();
        return new StoreResult(false, time.earliest(now), found.outcome.windows());
    }

    /** @param version what it was when Redis was asked: what was forgotten meanwhile may have concerned this */
    public void remember(String identifier, List<WindowClaim> claims, StoreResult outcome, long version) {
        long until = until(claims, outcome);
        if (until <= outcome.now()) {
            return;
        }
        long now = nanos.getAsLong();
        lastNeeded = now;
        any = true;
        long clock = time.earliest(now);
        refused.asMap().compute(identifier, (name, others) -> version != forgotten
                ? others
                : new Refused(claims, outcome, until, Refused.alive(others, claims, clock, MOST_EACH - 1)));
    }

    /** When the first unit leaves; 0 where something else may make room before. */
    private static long until(List<WindowClaim> claims, StoreResult outcome) {
        long until = Long.MAX_VALUE;
        boolean certain = false;
        for (int i = 0; i < claims.size(); i++) {
            var state = outcome.windows()[i];
            if (state.freeAt() > 0) {
                until = Math.min(until, state.freeAt());
            }
            certain |= state.retryAt() > 0 && !claims.get(i).reserved() && claims.get(i).unit() == QuotaUnit.REQUESTS;
        }
        return certain ? until : 0;
    }

    public synchronized void forget(String identifier) {
        forgotten++;
        refused.invalidate(identifier);
    }

    public synchronized void forgetAll() {
        forgotten++;
        any = false;
        refused.invalidateAll();
    }

    /** Whether anybody would miss it if nobody listened to what is told. */
    boolean needed() {
        return any && nanos.getAsLong() - lastNeeded < QUIET_NANOS;
    }

    /** All that was told before this was sent is known. */
    void heard(long sent) {
        lastHeard = sent;
    }

    /** How many refusals came from here. */
    public long answered() {
        return answered.sum();
    }
}
