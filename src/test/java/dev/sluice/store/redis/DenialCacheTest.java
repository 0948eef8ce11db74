package dev.sluice.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.QuotaUnit;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;

/** Tests which requests are denied from the cache and which need Redis, with time set by the test. */
class DenialCacheTest {

    private static final long START = 1_800_000_000_000_000L;
    private static final long MILLI = 1000;
    private static final long SECOND = 1_000_000;

    private final RedisClock clock = new RedisClock();
    private long nanos = Long.MAX_VALUE - 1_000_000; // System.nanoTime may overflow
    private final DenialCache denials = new DenialCache(clock, () -> nanos);

    @BeforeEach
    void resetsArePolled() {
        clock.update(START, nanos, nanos);
        denials.markSynced(nanos);
    }

    /** Lets time pass without resets. */
    private void pass(long micros) {
        nanos += 1000 * micros;
        denials.markSynced(nanos);
    }

    private static List<WindowClaim> claims(long limit, long cost) {
        return List.of(StoreUnderTest.claim("r", 60, limit, cost));
    }

    private static StoreResult denied(long free, long retry) {
        return new StoreResult(false, START, new StoreResult.WindowState[]{new StoreResult.WindowState(10, free, retry)});
    }

    private void cache(List<WindowClaim> claims, StoreResult result) {
        denials.put("alice", claims, result, denials.version());
    }

    @Test
    void isDeniedUntilTheNextUnitLeaves() {
        cache(claims(10, 1), denied(START + SECOND, START + SECOND));
        pass(SECOND - 2);
        var found = denials.get("alice", claims(10, 1));
        assertThat(found.admitted()).isFalse();
        assertThat(found.now()).isEqualTo(START + SECOND - 2);
        assertThat(found.windows()[0].retryAt()).isEqualTo(START + SECOND);
        pass(1);
        assertThat(denials.get("alice", claims(10, 1))).as("by the upper bound of Redis's time").isNull();
        assertThat(denials.hits()).isEqualTo(1);
    }

    @Test
    void denialOfACalendarWindowIsValidUntilItsPeriodEnds() {
        var day = CalendarWindow.at(CalendarPeriod.DAY, ZoneOffset.UTC, START);
        var today = List.of(claims(10, 1).get(0).in(day));
        cache(today, denied(day.endMicros(), day.endMicros()));
        pass(day.endMicros() - START - 2);
        assertThat(denials.get("alice", today)).isNotNull();
        assertThat(denials.get("alice", ClaimPlan.at(today, day.endMicros()))).as("the next day").isNull();
        pass(1);
        assertThat(denials.get("alice", today)).isNull();
    }

    @Test
    void cacheIsNotUsedWithinTheUncertaintyOfRedisTime() {
        nanos += 50 * 1000 * MILLI;
        clock.update(START, nanos - 20 * 1000 * MILLI, nanos); // it was read at some time in these 20 ms
        denials.markSynced(nanos);
        cache(claims(10, 1), denied(START + SECOND, START + SECOND));
        pass(SECOND - 21 * MILLI);
        assertThat(denials.get("alice", claims(10, 1)).now()).as("Retry-After is counted from the earliest")
                .isEqualTo(START + SECOND - 21 * MILLI);
        pass(MILLI);
        assertThat(denials.get("alice", claims(10, 1))).isNull();
    }

    @Test
    void isNotDeniedWithoutARecentPoll() {
        cache(claims(10, 1), denied(START + SECOND, START + SECOND));
        nanos += DenialCache.MAX_STALENESS_NANOS;
        assertThat(denials.get("alice", claims(10, 1))).isNotNull();
        nanos++;
        assertThat(denials.get("alice", claims(10, 1))).isNull();
        denials.markSynced(nanos);
        assertThat(denials.get("alice", claims(10, 1))).isNotNull();
    }

    @Test
    void otherClaimsAreNotDenied() {
        cache(claims(10, 1), denied(START + SECOND, START + SECOND));
        assertThat(denials.get("alice", claims(11, 1))).as("a raised limit").isNull();
        assertThat(denials.get("alice", claims(10, 2))).as("another cost has another Retry-After").isNull();
        assertThat(denials.get("bob", claims(10, 1))).isNull();
        assertThat(denials.get("alice", List.of(claims(10, 1).get(0), StoreUnderTest.claim("s", 60, 10, 1)))).isNull();
        cache(claims(10, 2), denied(START + SECOND, START + 2 * SECOND));
        assertThat(denials.get("alice", claims(10, 2)).windows()[0].retryAt()).isEqualTo(START + 2 * SECOND);
        assertThat(denials.get("alice", claims(10, 1)).windows()[0].retryAt()).isEqualTo(START + SECOND);
    }

    @Test
    void anyUnitThatLeavesEndsTheDenial() {
        var two = List.of(StoreUnderTest.claim("burst", 1, 5, 1), StoreUnderTest.claim("hourly", 3600, 100, 1));
        cache(two, new StoreResult(false, START, new StoreResult.WindowState[]{
                new StoreResult.WindowState(5, START + SECOND, START + SECOND),
                new StoreResult.WindowState(50, START + 300 * MILLI, 0)}));
        pass(299 * MILLI);
        assertThat(denials.get("alice", two)).isNotNull();
        pass(MILLI);
        assertThat(denials.get("alice", two)).as("what remains of the other has changed").isNull();
    }

    @Test
    void denialThatASettlementMayEndIsNotCached() {
        var tokens = List.of(StoreUnderTest.tokens("t", 60, 1000, 100));
        cache(tokens, denied(START + SECOND, START + SECOND));
        assertThat(denials.get("alice", tokens)).isNull();
        var unreserved = List.of(new WindowClaim("t", 60_000_000, 1000, QuotaUnit.TOKENS, 1, false));
        cache(unreserved, denied(START + SECOND, START + SECOND));
        assertThat(denials.get("alice", unreserved)).as("requested by /v1/check").isNull();
        var both = List.of(StoreUnderTest.claim("r", 60, 10, 1), StoreUnderTest.tokens("t", 60, 1000, 100));
        cache(both, new StoreResult(false, START, new StoreResult.WindowState[]{
                new StoreResult.WindowState(10, START + SECOND, START + SECOND),
                new StoreResult.WindowState(5, START + 2 * SECOND, 0)}));
        assertThat(denials.get("alice", both)).as("no room for the request itself").isNotNull();
    }

    @Test
    void costThatNeverFitsIsNotCached() {
        cache(claims(10, 11), denied(START + SECOND, StoreResult.NEVER));
        assertThat(denials.get("alice", claims(10, 11))).isNull();
    }

    @Test
    void resetEndsTheDenial() {
        cache(claims(10, 1), denied(START + SECOND, START + SECOND));
        denials.evict("bob");
        assertThat(denials.get("alice", claims(10, 1))).isNotNull();
        denials.evict("alice");
        assertThat(denials.get("alice", claims(10, 1))).isNull();
        cache(claims(10, 1), denied(START + SECOND, START + SECOND));
        denials.evictAll();
        assertThat(denials.get("alice", claims(10, 1))).isNull();
        cache(claims(10, 1), denied(START + SECOND, START + SECOND));
        assertThat(denials.get("alice", claims(10, 1))).isNotNull();
    }

    @Test
    void denialRequestedBeforeAResetIsNotCached() {
        long version = denials.version();
        denials.evict("bob");
        denials.put("alice", claims(10, 1), denied(START + SECOND, START + SECOND), version);
        assertThat(denials.get("alice", claims(10, 1))).isNull();
    }

    @Test
    void clockSetBackIsDetected() {
        var setBack = new AtomicInteger();
        clock.onSetBack(setBack::incrementAndGet);
        nanos += 1_000_000 * MILLI;
        clock.update(START + 1000 * MILLI, nanos - 1000 * MILLI, nanos);
        assertThat(setBack).hasValue(0);
        clock.update(START + 990 * MILLI, nanos, nanos);
        assertThat(setBack).as("by 10 ms").hasValue(1);
        clock.update(START + 5000 * MILLI, nanos, nanos);
        assertThat(setBack).as("set forward").hasValue(1);
    }

    @Test
    void isNeededWhileRequestsAreDenied() {
        assertThat(denials.isNeeded()).isFalse();
        cache(claims(10, 1), denied(START + 60 * SECOND, START + 60 * SECOND));
        assertThat(denials.isNeeded()).isTrue();
        pass(2 * SECOND);
        assertThat(denials.isNeeded()).isFalse();
        denials.get("alice", claims(10, 1));
        assertThat(denials.isNeeded()).isTrue();
    }
}
