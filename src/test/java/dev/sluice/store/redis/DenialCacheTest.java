package dev.sluice.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.QuotaUnit;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;

/** What is refused from memory, and what Redis has to be asked about, with time set by hand. */
class DenialCacheTest {

    private static final long START = 1_800_000_000_000_000L;
    private static final long MILLI = 1000;
    private static final long SECOND = 1_000_000;

    private final RedisClock time = new RedisClock();
    private long nanos = Long.MAX_VALUE - 1_000_000; // it may turn over
    private final DenialCache refusals = new DenialCache(time, () -> nanos);

    @BeforeEach
    void redisIsHeard() {
        time.update(START, nanos, nanos);
        refusals.markSynced(nanos);
    }

    /** Time passes, and nothing is told. */
    private void pass(long micros) {
        nanos += 1000 * micros;
        refusals.markSynced(nanos);
    }

    private static List<WindowClaim> claims(long limit, long cost) {
        return List.of(StoreUnderTest.claim("r", 60, limit, cost));
    }

    private static StoreResult refused(long free, long retry) {
        return new StoreResult(false, START, new StoreResult.WindowState[]{new StoreResult.WindowState(10, free, retry)});
    }

    private void remember(List<WindowClaim> claims, StoreResult outcome) {
        refusals.put("alice", claims, outcome, refusals.version());
    }

    @Test
    void isRefusedUntilItsNextUnitLeaves() {
        remember(claims(10, 1), refused(START + SECOND, START + SECOND));
        pass(SECOND - 2);
        var found = refusals.get("alice", claims(10, 1));
        assertThat(found.admitted()).isFalse();
        assertThat(found.now()).isEqualTo(START + SECOND - 2);
        assertThat(found.windows()[0].retryAt()).isEqualTo(START + SECOND);
        pass(1);
        assertThat(refusals.get("alice", claims(10, 1))).as("by the latest that it can be there").isNull();
        assertThat(refusals.hits()).isEqualTo(1);
    }

    @Test
    void doubtAboutRedisTimeIsOnTheSideOfAsking() {
        nanos += 50 * 1000 * MILLI;
        time.update(START, nanos - 20 * 1000 * MILLI, nanos); // it was read at some time in these 20 ms
        refusals.markSynced(nanos);
        remember(claims(10, 1), refused(START + SECOND, START + SECOND));
        pass(SECOND - 21 * MILLI);
        assertThat(refusals.get("alice", claims(10, 1)).now()).as("Retry-After is counted from the earliest")
                .isEqualTo(START + SECOND - 21 * MILLI);
        pass(MILLI);
        assertThat(refusals.get("alice", claims(10, 1))).isNull();
    }

    @Test
    void isNotRefusedWhereNothingWasHeardForAWhile() {
        remember(claims(10, 1), refused(START + SECOND, START + SECOND));
        nanos += DenialCache.MAX_STALENESS_NANOS;
        assertThat(refusals.get("alice", claims(10, 1))).isNotNull();
        nanos++;
        assertThat(refusals.get("alice", claims(10, 1))).isNull();
        refusals.markSynced(nanos);
        assertThat(refusals.get("alice", claims(10, 1))).isNotNull();
    }

    @Test
    void otherClaimsAreOtherQuestions() {
        remember(claims(10, 1), refused(START + SECOND, START + SECOND));
        assertThat(refusals.get("alice", claims(11, 1))).as("a raised limit").isNull();
        assertThat(refusals.get("alice", claims(10, 2))).as("another cost has another Retry-After").isNull();
        assertThat(refusals.get("bob", claims(10, 1))).isNull();
        assertThat(refusals.get("alice", List.of(claims(10, 1).get(0), StoreUnderTest.claim("s", 60, 10, 1)))).isNull();
        remember(claims(10, 2), refused(START + SECOND, START + 2 * SECOND));
        assertThat(refusals.get("alice", claims(10, 2)).windows()[0].retryAt()).isEqualTo(START + 2 * SECOND);
        assertThat(refusals.get("alice", claims(10, 1)).windows()[0].retryAt()).isEqualTo(START + SECOND);
    }

    @Test
    void anyUnitThatLeavesEndsIt() {
        var two = List.of(StoreUnderTest.claim("burst", 1, 5, 1), StoreUnderTest.claim("hourly", 3600, 100, 1));
        remember(two, new StoreResult(false, START, new StoreResult.WindowState[]{
                new StoreResult.WindowState(5, START + SECOND, START + SECOND), new StoreResult.WindowState(50, START + 300 * MILLI, 0)}));
        pass(299 * MILLI);
        assertThat(refusals.get("alice", two)).isNotNull();
        pass(MILLI);
        assertThat(refusals.get("alice", two)).as("what remains of the other has changed").isNull();
    }

    @Test
    void whatASettlementMayEndIsNotRemembered() {
        var tokens = List.of(StoreUnderTest.tokens("t", 60, 1000, 100));
        remember(tokens, refused(START + SECOND, START + SECOND));
        assertThat(refusals.get("alice", tokens)).isNull();
        var unreserved = List.of(new WindowClaim("t", 60_000_000, 1000, QuotaUnit.TOKENS, 1, false));
        remember(unreserved, refused(START + SECOND, START + SECOND));
        assertThat(refusals.get("alice", unreserved)).as("asked for by /v1/check").isNull();
        var both = List.of(StoreUnderTest.claim("r", 60, 10, 1), StoreUnderTest.tokens("t", 60, 1000, 100));
        remember(both, new StoreResult(false, START, new StoreResult.WindowState[]{
                new StoreResult.WindowState(10, START + SECOND, START + SECOND), new StoreResult.WindowState(5, START + 2 * SECOND, 0)}));
        assertThat(refusals.get("alice", both)).as("no room for the request itself").isNotNull();
    }

    @Test
    void costThatNeverFitsIsNotRemembered() {
        remember(claims(10, 11), refused(START + SECOND, StoreResult.NEVER));
        assertThat(refusals.get("alice", claims(10, 11))).isNull();
    }

    @Test
    void resetEndsIt() {
        remember(claims(10, 1), refused(START + SECOND, START + SECOND));
        refusals.evict("bob");
        assertThat(refusals.get("alice", claims(10, 1))).isNotNull();
        refusals.evict("alice");
        assertThat(refusals.get("alice", claims(10, 1))).isNull();
        remember(claims(10, 1), refused(START + SECOND, START + SECOND));
        refusals.evictAll();
        assertThat(refusals.get("alice", claims(10, 1))).isNull();
        remember(claims(10, 1), refused(START + SECOND, START + SECOND));
        assertThat(refusals.get("alice", claims(10, 1))).isNotNull();
    }

    @Test
    void refusalThatWasAskedForBeforeAResetIsNotRemembered() {
        long version = refusals.version();
        refusals.evict("somebody");
        refusals.put("alice", claims(10, 1), refused(START + SECOND, START + SECOND), version);
        assertThat(refusals.get("alice", claims(10, 1))).isNull();
    }

    @Test
    void clockThatWasSetBackIsNoticed() {
        var setBack = new AtomicInteger();
        time.onSetBack(setBack::incrementAndGet);
        nanos += 1_000_000 * MILLI;
        time.update(START + 1000 * MILLI, nanos - 1000 * MILLI, nanos);
        assertThat(setBack).hasValue(0);
        time.update(START + 990 * MILLI, nanos, nanos);
        assertThat(setBack).as("by 10 ms").hasValue(1);
        time.update(START + 5000 * MILLI, nanos, nanos);
        assertThat(setBack).as("set forward").hasValue(1);
    }

    @Test
    void isNeededWhileSomebodyIsRefused() {
        assertThat(refusals.isNeeded()).isFalse();
        remember(claims(10, 1), refused(START + 60 * SECOND, START + 60 * SECOND));
        assertThat(refusals.isNeeded()).isTrue();
        pass(2 * SECOND);
        assertThat(refusals.isNeeded()).isFalse();
        refusals.get("alice", claims(10, 1));
        assertThat(refusals.isNeeded()).isTrue();
    }
}
