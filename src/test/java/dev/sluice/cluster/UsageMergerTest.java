package dev.sluice.cluster;

import static dev.sluice.store.StoreUnderTest.claim;
import static dev.sluice.store.StoreUnderTest.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.redis.HashTags;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.ReservationToken;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.testing.KeyExpiries;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/** Merging of local usage into Redis, with time set by the test. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class UsageMergerTest {

    /** Bytes of a unit's time in a log. */
    private static final int UNIT = 7;

    private static final long SECOND = 1_000_000;
    private static final long LARGE = 1_000_000;
    private static final String RESERVATION = "0123456789abcdef0123456789abcdef";

    private final StoreUnderTest.InRedis redis = new StoreUnderTest.InRedis();
    private final HashTags keys = new HashTags("sluice");
    private InMemoryWindowStore memory;
    private UsageMerger merger;

    @BeforeEach
    void anInstance() {
        memory = new InMemoryWindowStore(redis::now, StoreUnderTest.EXACT, 64 << 20, StoreUnderTest.MAX_WINDOWS);
        merger = new UsageMerger(redis.manager(), memory, keys, StoreUnderTest.InRedis.TEST_TIME);
    }

    @AfterAll
    void close() {
        redis.close();
    }

    private void granted(String identifier, WindowClaim claim) {
        assertThat(memory.takeUnsynced(identifier, List.of(claim), true, null).admitted()).isTrue();
    }

    private void merge() {
        merger.merge(redis.connection()).toCompletionStage().toCompletableFuture().join();
    }

    private List<Long> log(String identifier, long seconds) {
        var key = new WindowKeys(keys).window(identifier, WindowKeys.windowMember("r", seconds));
        var bytes = redis.send(Request.cmd(Command.GET).arg(key)).toBuffer();
        return IntStream.range(0, bytes.length() / UNIT)
                .mapToObj(i -> new BigInteger(1, bytes.getBytes(UNIT * i, UNIT * (i + 1))).longValueExact()).toList();
    }

    /** Permits granted in a period that has ended are not merged; the rest are merged into the current period. */
    @ParameterizedTest
    @ValueSource(longs = {100, LARGE})
    void outageAcrossMidnightIsMergedIntoEachPeriod(long limit) {
        var identifier = "midnight-" + limit;
        var day = CalendarWindow.at(CalendarPeriod.DAY, ZoneId.of("Europe/Berlin"), redis.now());
        var claim = claim("r", 60, limit, 10).in(day);
        redis.at(day.endMicros() - 20 * SECOND);
        redis.take(identifier, claim);
        redis.at(day.endMicros() - 10 * SECOND);
        granted(identifier, claim);
        redis.at(day.endMicros() + 10 * SECOND);
        granted(identifier, claim);
        granted(identifier, claim);
        redis.at(day.endMicros() + 20 * SECOND);
        redis.take(identifier, claim);
        merge();
        assertThat(used(identifier, day.at(redis.now()))).isEqualTo(30);
        assertThat(redis.take(identifier, claim).windows()[0])
                .isEqualTo(new StoreResult.WindowState(40, day.at(redis.now()).endMicros(), 0));
        redis.at(day.endMicros() - 5 * SECOND);
        assertThat(used(identifier, day)).as("a period that is over").isEqualTo(10);
    }

    /** The instance's clock is ahead of Redis's: the next period has begun for the instance only. */
    @ParameterizedTest
    @ValueSource(longs = {100, LARGE})
    void usageOfThePeriodThatIsAboutToBeginIsKept(long limit) {
        var identifier = "ahead-" + limit;
        var day = CalendarWindow.at(CalendarPeriod.DAY, ZoneId.of("Europe/Berlin"), redis.now());
        redis.at(day.endMicros() + SECOND / 2);
        granted(identifier, claim("r", 60, limit, 7).in(day));
        redis.at(day.endMicros() - SECOND / 2);
        merge();
        redis.at(day.endMicros());
        assertThat(used(identifier, day.at(redis.now()))).isEqualTo(7);
        redis.at(day.at(redis.now()).endMicros() - 1);
        assertThat(used(identifier, day.at(redis.now()))).as("at the end").isEqualTo(7);
    }

    /** A reservation that was made without Redis is settled in Redis, in the period that it was taken from. */
    @Test
    void reservationAcrossMidnightIsSettledAfterTheMerge() {
        var day = CalendarWindow.at(CalendarPeriod.DAY, ZoneId.of("Europe/Berlin"), redis.now());
        var claim = tokens("r", 60, 1000, 300).in(day);
        redis.at(day.endMicros() + SECOND);
        var result = memory.takeUnsynced("reserving", List.of(claim), true, RESERVATION);
        merge();
        var next = day.at(redis.now());
        assertThat(used("reserving", next)).isEqualTo(300);
        var token = ReservationToken.of(ReservationToken.Location.MEMORY, RESERVATION, List.of("reserving"),
                ClaimPlan.at(List.of(claim), result.now()));
        redis.store().settle("reserving", ReservationToken.parse(token.toString()), Map.of("r", 20L)).await().indefinitely();
        assertThat(used("reserving", next)).isEqualTo(20);
    }

    private long used(String identifier, CalendarWindow period) {
        return redis.store().usage(identifier, "r", period).await().indefinitely().used();
    }

    @Test
    void unitsFallIntoTheirPlaces() {
        long start = redis.now();
        for (int i = 0; i < 10; i++) {
            redis.at(start + i * SECOND);
            if (i % 3 == 0) {
                granted("places", claim("r", 60, 10, 1));
            } else {
                redis.take("places", claim("r", 60, 10, 1));
            }
        }
        merge();
        assertThat(log("places", 60)).isEqualTo(LongStream.range(0, 10).map(i -> start + i * SECOND).boxed().toList());
        assertThat(redis.take("places", claim("r", 60, 10, 1)).windows()[0].retryAt()).isEqualTo(start + 60 * SECOND);
    }

    @Test
    void unitsAlreadyInRedisAreNotCountedTwice() {
        long start = redis.now();
        for (int i = 0; i < 5; i++) {
            redis.pass(SECOND);
            var granted = redis.take("twice", claim("r", 60, 10, 2));
            memory.record("twice", List.of(claim("r", 60, 10, 2)), granted, null, 1);
        }
        memory.markUnsyncedSince(start, start);
        merge();
        assertThat(redis.used("twice", "r", 60)).isEqualTo(10);
        var key = new WindowKeys(keys).window("twice", WindowKeys.windowMember("r", 60));
        var five = redis.send(Request.cmd(Command.GETRANGE).arg(key).arg(0).arg(5 * UNIT - 1)).toBuffer();
        redis.send(Request.cmd(Command.SET).arg(key).arg(five));
        memory.markUnsyncedSince(start, start);
        merge();
        assertThat(redis.used("twice", "r", 60)).isEqualTo(10);
    }

    @Test
    void lostWindowIsRestoredAndExpires() {
        granted("gone", claim("r", 60, 10, 4));
        granted("gone", claim("r", 3600, LARGE, 4000));
        merge();
        assertThat(redis.used("gone", "r", 60)).isEqualTo(4);
        assertThat(redis.used("gone", "r", 3600)).isEqualTo(4000);
        assertThat(redis.store().limits("gone").await().indefinitely()).isEqualTo(Map.of("r", 4000L));
        assertThat(redis.send(KeyExpiries.matching("sluice:*gone*"))).isNotEmpty()
                .allSatisfy(key -> assertThat(key.get(1).toLong()).as(key.get(0).toString()).isNotNegative());
    }

    @Test
    void subWindowsAreAddedUp() {
        redis.take("added", claim("r", 60, LARGE, 100));
        granted("added", claim("r", 60, LARGE, 20));
        redis.pass(5 * SECOND);
        granted("added", claim("r", 60, LARGE, 3));
        redis.pass(5 * SECOND);
        redis.take("added", claim("r", 60, LARGE, 400));
        merge();
        assertThat(redis.used("added", "r", 60)).isEqualTo(523);
        assertThat(redis.take("added", claim("r", 60, LARGE, 1)).windows()[0].used()).isEqualTo(524);
        redis.pass(52 * SECOND);
        assertThat(redis.query("added", claim("r", 60, LARGE, 1)).windows()[0].used()).isEqualTo(404);
    }

    @Test
    void formsThatDifferBecomeTheCoarserOne() {
        redis.take("forms", claim("r", 60, LARGE, 100));
        granted("forms", claim("r", 60, 10, 7));
        redis.take("forms", claim("s", 60, 10, 6));
        granted("forms", claim("s", 60, LARGE, 50));
        merge();
        assertThat(redis.used("forms", "r", 60)).isEqualTo(107);
        assertThat(redis.used("forms", "s", 60)).isEqualTo(56);
        assertThat(redis.take("forms", claim("s", 60, 100, 1)).windows()[0].used()).isEqualTo(57);
    }

    @Test
    void expiredUnitsAreNotMerged() {
        granted("left", claim("r", 60, 10, 3));
        granted("left", claim("r", 60, LARGE, 30));
        redis.pass(30 * SECOND);
        granted("left", claim("r", 60, LARGE, 5));
        redis.pass(40 * SECOND);
        merge();
        assertThat(redis.used("left", "r", 60)).isEqualTo(5);
    }

    @Test
    void clockThatIsBehindCutsTheFutureToNow() {
        granted("ahead", claim("r", 60, 10, 3));
        redis.pass(-600 * SECOND);
        merge();
        assertThat(log("ahead", 60)).containsOnly(redis.now()).hasSize(3);
        redis.pass(60 * SECOND);
        assertThat(redis.used("ahead", "r", 60)).isZero();
    }

    /** A counter has no more sub-windows than its window, whatever the clock did. */
    @Test
    void counterIsShiftedWithAClockThatWasSetBack() {
        for (long seconds : new long[]{1, 60}) {
            var identifier = "set-back" + seconds;
            for (int i = 0; i < 60; i++) {
                redis.take(identifier, claim("r", seconds, LARGE, 100));
                redis.pass(seconds * SECOND / 60);
            }
            redis.pass(seconds == 1 ? -SECOND * 9 / 10 : -600 * SECOND);
            for (int i = 0; i < 30; i++) {
                granted(identifier, claim("r", seconds, LARGE, 1));
                redis.pass(seconds * SECOND / 60);
            }
            merge();
            var key = new WindowKeys(keys).window(identifier, WindowKeys.windowMember("r", seconds));
            assertThat(redis.send(Request.cmd(Command.STRLEN).arg(key)).toLong()).isLessThan(910);
            assertThat(redis.query(identifier, claim("r", seconds, LARGE, 1)).windows()[0].used()).isBetween(3000L, 6030L);
            redis.pass(4 * seconds * SECOND);
            assertThat(redis.used(identifier, "r", seconds)).isZero();
        }
    }

    @Test
    void tenThousandUnitsArriveInOrder() {
        var random = new Random(4711);
        for (int i = 0; i < 5_000; i++) {
            redis.pass(random.nextInt(1000));
            granted("many", claim("r", 60, 10_000, 1));
        }
        for (int i = 0; i < 500; i++) {
            redis.pass(1);
            redis.take("many", claim("r", 60, 10_000, 10));
        }
        merge();
        assertThat(log("many", 60)).hasSize(10_000).isSorted();
    }

    @Test
    void usageWhoseMergeFailsIsKept() {
        granted("kept", claim("r", 60, 10, 3));
        redis.send(Request.cmd(Command.SET).arg(new WindowKeys(keys).window("kept", WindowKeys.windowMember("r", 60)))
                .arg("no list"));
        redis.send(Request.cmd(Command.ACL).arg("SETUSER").arg("default").arg("-del").arg("-unlink"));
        granted("another", claim("r", 60, 10, 2));
        merge();
        redis.send(Request.cmd(Command.ACL).arg("SETUSER").arg("default").arg("+@all"));
        assertThat(redis.used("another", "r", 60)).as("is not kept from it").isEqualTo(2);
        redis.send(Request.cmd(Command.DEL).arg(new WindowKeys(keys).window("kept", WindowKeys.windowMember("r", 60))));
        granted("kept", claim("r", 60, 10, 1));
        merge();
        assertThat(redis.used("kept", "r", 60)).isEqualTo(4);
    }

    @Test
    void usageThatMayHaveBeenMergedIsNotCountedTwice() {
        granted("perhaps", claim("r", 60, 10, 3));
        var unsynced = memory.drainUnsynced("perhaps");
        memory.restoreUnsynced("perhaps", unsynced, true);
        merge();
        assertThat(redis.used("perhaps", "r", 60)).isEqualTo(3);
        memory.restoreUnsynced("perhaps", unsynced, false);
        granted("perhaps", claim("r", 60, 10, 1));
        merge();
        assertThat(redis.used("perhaps", "r", 60)).isEqualTo(4);
    }

    @Test
    void lateGrantIsNotCountedTwice() {
        var local = memory.takeNow("late", List.of(claim("r", 60, 10, 2)), true, null);
        redis.pass(SECOND);
        var late = redis.take("late", claim("r", 60, 10, 2));
        memory.moveGrant("late", List.of(claim("r", 60, 10, 2)), local.now(), late.now());
        memory.markUnsyncedSince(local.now(), local.now());
        merge();
        assertThat(redis.used("late", "r", 60)).isEqualTo(2);
    }

    @Test
    void mergedReservationsCanBeSettled() {
        var claims = List.of(tokens("t", 60, 1000, 300), tokens("t", 3600, 10_000, 300));
        memory.takeUnsynced("reserved", claims, true, "5f");
        merge();
        redis.settle("reserved", "5f", Map.of("t", 40L));
        redis.settle("reserved", "5f", Map.of("t", 40L));
        assertThat(redis.used("reserved", "t", 60)).isEqualTo(40);
        assertThat(redis.used("reserved", "t", 3600)).isEqualTo(40);
    }

    @Test
    void randomUnitsOfTwoInstancesAreAllMerged() {
        var random = new Random(42);
        for (int round = 0; round < 50; round++) {
            var identifier = "random" + round;
            var expected = new ArrayList<Long>();
            for (int i = 0; i < 60; i++) {
                redis.pass(1 + random.nextInt(1_000_000));
                expected.add(redis.now());
                if (random.nextBoolean()) {
                    granted(identifier, claim("r", 60, 100, 1));
                } else {
                    redis.take(identifier, claim("r", 60, 100, 1));
                }
                if (random.nextInt(20) == 0) {
                    merge();
                }
            }
            merge();
            long edge = redis.now() - 60 * SECOND;
            assertThat(log(identifier, 60)).isEqualTo(expected.stream().filter(time -> time > edge).toList());
        }
    }
}
