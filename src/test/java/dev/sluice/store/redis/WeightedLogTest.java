package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.cluster.UsageMerger;
import dev.sluice.redis.HashTags;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.memory.InMemoryWindowStore;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/** Logs with large costs: as exact as logs of single units, small, and cheap to change into counters. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WeightedLogTest {

    private static final long SECOND = 1_000_000;
    private static final HashTags TAGS = new HashTags("sluice");
    private static final WindowKeys KEYS = new WindowKeys(TAGS);

    private final StoreUnderTest.InRedis redis = new StoreUnderTest.InRedis();

    @AfterAll
    void close() {
        redis.close();
    }

    private static String text(StoreResult result) {
        return result.admitted() + " " + result.now() + " " + Arrays.toString(result.windows());
    }

    private InMemoryWindowStore memory() {
        return new InMemoryWindowStore(redis::now, StoreUnderTest.EXACT, 64 << 20, StoreUnderTest.MAX_WINDOWS);
    }

    private long length(String identifier, long seconds) {
        return redis.send(Request.cmd(Command.STRLEN).arg(KEYS.window(identifier, WindowKeys.windowMember("r", seconds))))
                .toLong();
    }

    private static long cost(Random random, long limit) {
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> 1;
            case 3 -> 1 + random.nextInt(20);
            case 4 -> 16 + random.nextInt(2);
            case 5 -> 1 + random.nextInt((int) limit);
            case 6 -> 1 + random.nextInt((int) Math.max(1, limit / 20));
            default -> limit / 100 + 17;
        };
    }

    /** The in-memory store is the model. */
    @ParameterizedTest
    @ValueSource(longs = {40, 100, 900, 10_000})
    void anyMixtureOfCostsIsDecidedAsInMemory(long limit) {
        var memory = memory();
        var random = new Random(limit);
        for (int i = 0; i < 4000; i++) {
            redis.pass(switch (random.nextInt(50)) {
                case 0 -> random.nextInt((int) (70 * SECOND));
                case 1 -> 61 * SECOND;
                case 2, 3, 4 -> 0;
                case 5 -> random.nextInt(3);
                default -> random.nextInt((int) (2 * SECOND));
            });
            var claims = new ArrayList<WindowClaim>();
            long current = random.nextInt(20) == 0 ? Math.max(20, limit / 2) : limit;
            claims.add(claim("r", 60, current, cost(random, limit)));
            if (random.nextInt(10) == 0) {
                claims.add(claim("s", 60, limit, cost(random, limit)));
            }
            boolean take = random.nextInt(10) > 0;
            var identifier = "mixed" + limit;
            var expected = memory.takeNow(identifier, claims, take, null);
            var result = redis.store().take(identifier, claims, take, null).await().indefinitely();
            assertThat(text(result)).as("decision %d: %s", i, claims).isEqualTo(text(expected));
            if (i % 50 == 0) {
                assertThat(redis.used(identifier, "r", 60)).isEqualTo(
                        memory.usage(identifier, "r", Duration.ofMinutes(1)).await().indefinitely().used());
            }
        }
    }

    @Test
    void manyEntriesAreDecidedAsInMemory() {
        var memory = memory();
        var random = new Random(3);
        for (int i = 0; i < 3000; i++) {
            redis.pass(random.nextInt(20_000));
            var claims = List.of(claim("r", 60, 10_000, i == 0 ? 17 : 1 + random.nextInt(4)));
            assertThat(text(redis.store().take("entries", claims, true, null).await().indefinitely()))
                    .as("decision %d", i).isEqualTo(text(memory.takeNow("entries", claims, true, null)));
        }
        assertThat(length("entries", 60)).isGreaterThan(910L);
        for (int i = 0; i < 200; i++) {
            redis.pass(random.nextInt(700_000));
            var claims = List.of(claim("r", 60, 10_000, 1 + random.nextInt(300)));
            assertThat(text(redis.store().take("entries", claims, true, null).await().indefinitely()))
                    .as("later decision %d", i).isEqualTo(text(memory.takeNow("entries", claims, true, null)));
        }
    }

    /**
     * Sub-windows count a unit a little longer, and a log with large costs, which stays one, as long as the unit is in the window.
     * The counts agree while all units are recent.
     */
    @Test
    void changesOfFormKeepEveryUnit() {
        var random = new Random(5);
        for (int round = 0; round < 50; round++) {
            var identifier = "form" + round;
            var memory = memory();
            for (int i = 0; i < 60; i++) {
                redis.pass(random.nextInt((int) SECOND));
                long limit = random.nextBoolean() ? 10_000 : 10_001;
                var claims = List.of(claim("r", 600, limit, cost(random, 200)));
                var expected = memory.takeNow(identifier, claims, true, null);
                var result = redis.store().take(identifier, claims, true, null).await().indefinitely();
                assertThat(result.admitted()).as("round %d, decision %d: %s", round, i, claims).isEqualTo(expected.admitted());
                var window = result.windows()[0];
                assertThat(window.used()).isEqualTo(expected.windows()[0].used());
                assertThat(window.freeAt()).isBetween(expected.windows()[0].freeAt() - 10 * SECOND,
                        expected.windows()[0].freeAt());
            }
        }
    }

    @Test
    void costDoesNotDetermineTheSize() {
        var claims = new WindowClaim[8];
        for (int i = 0; i < claims.length; i++) {
            claims[i] = claim("r", 2_678_400 - i, 10_000, 10_000);
        }
        assertThat(redis.take("large", claims).admitted()).isTrue();
        for (var claim : claims) {
            assertThat(length("large", claim.span() / SECOND)).isEqualTo(14);
        }
        for (int i = 0; i < 9_983; i++) {
            redis.take("units", claim("r", 2_678_400, 10_000, 1));
        }
        assertThat(redis.take("units", claim("r", 2_678_400, 10_000, 17)).admitted()).isTrue();
        assertThat(length("units", 2_678_400)).isEqualTo(7 * 9_983 + 14);
        assertThat(redis.used("units", "r", 2_678_400)).isEqualTo(10_000);
        assertThat(redis.take("units", claim("r", 2_678_400, 10_000, 1)).admitted()).isFalse();
    }

    /** The cumulative units of a log have three bytes. */
    @ParameterizedTest
    @ValueSource(longs = {17, 5_000, 9_999})
    void limitsOfMoreUnitsThanALogCanHoldAreExact(long first) {
        var identifier = "huge" + first;
        for (int i = 0; i < 100; i++) {
            redis.take(identifier, claim("units", 600, 10_000, 1));
        }
        redis.take(identifier, claim("r", 600, 10_000, first), claim("units", 600, 10_000, 1));
        long used = 0;
        for (long cost : new long[]{6_000_000, 2_000_000, 400_000, 8_000_000, 1, (1L << 24) - 1, 1L << 24, 1_000_000_000}) {
            used += cost;
            var result = redis.take(identifier, claim("r", 600, 10_000_000_000L, cost),
                    claim("units", 600, 10_000_000_000L, cost));
            assertThat(result.windows()[0].used()).isEqualTo(first + used);
            assertThat(result.windows()[1].used()).isEqualTo(101 + used);
            assertThat(redis.used(identifier, "r", 600)).isEqualTo(first + used);
            assertThat(redis.take(identifier, claim("r", 600, 10_000, 1)).admitted()).isFalse();
            assertThat(redis.take(identifier, claim("units", 600, 101 + used, 1)).admitted()).isFalse();
        }
    }

    /** Otherwise a caller who alternates between two limits has the windows converted each time. */
    @Test
    void formChangesOnce() {
        for (int i = 0; i < 60; i++) {
            redis.pass(10 * SECOND);
            redis.take("once", claim("r", 600, 20_000, 3));
        }
        assertThat(isRing("once")).isTrue();
        for (int i = 0; i < 10; i++) {
            assertThat(redis.take("once", claim("r", 600, 10_000, 1)).windows()[0].used()).isEqualTo(181 + 2 * i);
            assertThat(redis.take("once", claim("r", 600, 20_000, 1)).windows()[0].used()).isEqualTo(182 + 2 * i);
            assertThat(isRing("once")).isFalse();
        }
    }

    private boolean isRing(String identifier) {
        return redis.send(Request.cmd(Command.GETRANGE).arg(KEYS.window(identifier, WindowKeys.windowMember("r", 600))).arg(0)
                .arg(0)).toString().equals("R");
    }

    /** A command of the script costs Redis about the same, whatever it reads; eight per window are those of a few pages. */
    @Test
    void costAndFormDoNotDetermineTheWork() {
        for (int i = 0; i < 624; i++) {
            redis.take("full", eight(10_000, 16));
        }
        for (int i = 0; i < 300; i++) {
            redis.pass(SECOND);
            redis.take("entries", eight(10_000, 17 + i % 3));
        }
        for (var identifier : List.of("full", "entries", "new")) {
            assertThat(commands(identifier, eight(10_001, 1))).isBetween(8, 63);
            assertThat(commands(identifier, eight(10_000, 9_000))).isBetween(8, 63);
            assertThat(commands(identifier, eight(10_001, 5))).isBetween(8, 63);
            assertThat(commands(identifier, eight(10_000, 1))).isBetween(8, 63);
            assertThat(commands(identifier, eight(20_000, 9_000))).isBetween(8, 63);
            assertThat(commands(identifier, eight(20_000, 20_000))).isBetween(8, 63);
        }
    }

    private static WindowClaim[] eight(long limit, long cost) {
        var claims = new WindowClaim[8];
        for (int i = 0; i < claims.length; i++) {
            claims[i] = claim("r", 36_000 + i, limit, cost);
        }
        return claims;
    }

    /** Returns how many commands the script calls for a decision. */
    private int commands(String identifier, WindowClaim... claims) {
        int before = commands();
        redis.take(identifier, claims);
        return commands() - before;
    }

    private int commands() {
        return redis.send(Request.cmd(Command.INFO).arg("commandstats")).toString().lines()
                .filter(line -> line.startsWith("cmdstat_") && !line.startsWith("cmdstat_info"))
                .mapToInt(line -> Integer.parseInt(line.replaceAll(".*:calls=(\\d+),.*", "$1"))).sum();
    }

    @Test
    void groupOfEqualRequestsIsDecidedAsOneByOne() {
        var results = new ArrayList<StoreResult>();
        var pending = new ArrayList<java.util.concurrent.CompletionStage<StoreResult>>();
        for (int i = 0; i < 30; i++) {
            pending.add(redis.store().take("group", List.of(claim("r", 60, 1000, 50)), true, null)
                    .subscribeAsCompletionStage());
        }
        pending.forEach(one -> results.add(one.toCompletableFuture().join()));
        assertThat(results.stream().filter(StoreResult::admitted)).hasSize(20);
        assertThat(redis.used("group", "r", 60)).isEqualTo(1000);
    }

    @Test
    void windowIsShiftedWithAClockThatIsSetBack() {
        redis.take("shift", claim("r", 60, 1000, 3));
        redis.pass(10 * SECOND);
        redis.take("shift", claim("r", 60, 1000, 500));
        redis.pass(10 * SECOND);
        redis.take("shift", claim("r", 60, 1000, 2));
        redis.pass(-3600 * SECOND);
        assertThat(redis.take("shift", claim("r", 60, 1000, 100)).windows()[0].used()).isEqualTo(605);
        redis.pass(40 * SECOND);
        assertThat(redis.query("shift", claim("r", 60, 1000, 1)).windows()[0].used()).isEqualTo(602);
        redis.pass(10 * SECOND);
        assertThat(redis.query("shift", claim("r", 60, 1000, 1)).windows()[0].used()).isEqualTo(102);
        redis.pass(3600 * SECOND);
    }

    @Test
    void lateDecisionIsRefunded() {
        var light = List.of(claim("r", 60, 10_000, 5));
        var heavy = List.of(claim("r", 60, 10_000, 400));
        long first = redis.now();
        redis.take("refund", light.get(0));
        redis.pass(SECOND);
        long second = redis.now();
        redis.take("refund", heavy.get(0));
        redis.take("refund", heavy.get(0));
        redis.pass(SECOND);
        long third = redis.now();
        redis.take("refund", light.get(0));
        redis.store().refund("refund", heavy, second, null).await().indefinitely();
        assertThat(redis.used("refund", "r", 60)).isEqualTo(410);
        redis.store().refund("refund", light, first, null).await().indefinitely();
        assertThat(redis.used("refund", "r", 60)).isEqualTo(405);
        redis.store().refund("refund", light, third, null).await().indefinitely();
        assertThat(redis.used("refund", "r", 60)).isEqualTo(400);
        assertThat(redis.take("refund", claim("r", 60, 10_000, 7)).windows()[0])
                .isEqualTo(new StoreResult.WindowState(407, second + 60 * SECOND, 0));
        redis.store().refund("refund", heavy, second, null).await().indefinitely();
        redis.store().refund("refund", heavy, second, null).await().indefinitely();
        assertThat(redis.used("refund", "r", 60)).isEqualTo(7);
    }

    @Test
    void refundOfTheOnlyEntryLeavesALogOfUnits() {
        redis.take("refund-all", claim("r", 60, 10_000, 2));
        redis.pass(SECOND);
        redis.take("refund-all", claim("r", 60, 10_000, 9000));
        redis.store().refund("refund-all", List.of(claim("r", 60, 10_000, 9000)), redis.now(), null).await().indefinitely();
        assertThat(length("refund-all", 60)).isEqualTo(14);
        assertThat(redis.take("refund-all", claim("r", 60, 10_000, 1)).windows()[0].used()).isEqualTo(3);
    }

    @Test
    void usageOfAnOutageIsMerged() {
        redis.take("merge", claim("r", 60, 10_000, 3));
        redis.take("merge", claim("r", 60, 10_000, 1000));
        redis.pass(SECOND);
        var memory = memory();
        memory.takeUnsynced("merge", List.of(claim("r", 60, 10_000, 2000)), true, null);
        memory.takeUnsynced("merge", List.of(claim("r", 60, 10_000, 4)), true, null);
        memory.takeUnsynced("merge-new", List.of(claim("r", 60, 10_000, 10_000)), true, null);
        new UsageMerger(redis.manager(), memory, TAGS, StoreUnderTest.InRedis.TEST_TIME).merge(redis.connection())
                .toCompletionStage().toCompletableFuture().join();
        assertThat(redis.used("merge", "r", 60)).isEqualTo(3007);
        assertThat(redis.take("merge", claim("r", 60, 10_000, 20)).windows()[0].used()).isEqualTo(3027);
        assertThat(redis.used("merge-new", "r", 60)).isEqualTo(10_000);
        assertThat(length("merge-new", 60)).isEqualTo(14);
        redis.pass(59 * SECOND);
        assertThat(redis.query("merge", claim("r", 60, 10_000, 1)).windows()[0].used()).isEqualTo(2024);
    }

    @Test
    void foreignValueThatEndsLikeAnEntryIsReplaced() {
        var key = KEYS.window("odd", WindowKeys.windowMember("r", 60));
        for (var value : List.of("H234567", "\u0001234567H234567", "\u0001234567\u0001234567HHHHHHH", "HHHHHHHHHHHHHH")) {
            redis.send(Request.cmd(Command.SET).arg(key).arg(value));
            assertThat(redis.used("odd", "r", 60)).as(value).isBetween(0L, 1L << 24);
            assertThat(redis.take("odd", claim("r", 60, 100, 30)).windows()[0].used()).as(value).isLessThanOrEqualTo(100);
            assertThat(redis.take("odd", claim("r", 60, 10, 1)).windows()[0].used()).as(value).isPositive();
            redis.store().reset("odd", null).await().indefinitely();
        }
    }
}
