package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static dev.sluice.store.StoreUnderTest.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.cluster.UsageMerger;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.memory.InMemoryWindowStore;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/** Representations of windows in Redis: logs that are read in part, counters, and counters of an earlier version. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WindowFormsTest {

    private static final long SECOND = 1_000_000;
    private static final WindowKeys KEYS = new WindowKeys(new HashTags("sluice"));

    private final StoreUnderTest.InRedis redis = new StoreUnderTest.InRedis();

    @AfterAll
    void close() {
        redis.close();
    }

    private static String text(StoreResult result) {
        return result.admitted() + " " + result.now() + " " + Arrays.toString(result.windows());
    }

    /** The in-memory store keeps and reads each log whole. */
    @ParameterizedTest
    @ValueSource(longs = {128, 129, 130, 131, 150, 400, 2000})
    void longLogsAreDecidedAsInMemory(long limit) {
        var memory = new InMemoryWindowStore(redis::now, StoreUnderTest.EXACT, 64 << 20, StoreUnderTest.MAX_WINDOWS);
        var random = new Random(limit);
        long mean = 60 * SECOND / limit;
        for (int i = 0; i < 4000; i++) {
            long gap = i % 1000 < 300 ? mean / 2 : i % 1000 < 990 ? mean : 20 * SECOND;
            redis.pass(random.nextInt((int) (2 * gap)));
            var claims = new ArrayList<WindowClaim>();
            claims.add(claim("r", 60, random.nextInt(50) == 0 ? limit / 2 : limit,
                    random.nextInt(20) == 0 ? random.nextInt((int) limit + 2) : 1));
            if (random.nextInt(10) == 0) {
                claims.add(claim("s", 60, 1_000_000, random.nextInt(100_000)));
            }
            boolean take = random.nextInt(10) > 0;
            var identifier = "long" + limit;
            var expected = memory.takeNow(identifier, claims, take, null);
            var result = redis.store().take(identifier, claims, take, null).await().indefinitely();
            assertThat(text(result)).as("decision %d: %s", i, claims).isEqualTo(text(expected));
            if (i % 100 == 0) {
                assertThat(redis.used(identifier, "r", 60))
                        .isEqualTo(memory.usage(identifier, "r", java.time.Duration.ofMinutes(1)).await().indefinitely()
                                .used());
            }
        }
    }

    @Test
    void logThatIsKeptFullTakesLittleMoreThanItsUnits() {
        for (int i = 0; i < 6000; i++) {
            redis.take("full", claim("r", 60, 1000, 1));
            redis.pass(60_000);
        }
        var key = KEYS.window("full", WindowKeys.windowMember("r", 60));
        assertThat(redis.send(Request.cmd(Command.STRLEN).arg(key)).toLong()).isBetween(7 * 1000L, 7 * 1340L);
    }

    /** Of a log with a large limit only the end is read first; the end of a counter must not be mistaken for one. */
    @ParameterizedTest
    @ValueSource(longs = {100, 1000, 9000})
    void counterWithLoweredLimitKeepsItsCount(long limit) {
        for (var several : List.of(false, true)) {
            var identifier = "lowered" + limit + several;
            for (int i = 0; i < 50; i++) {
                redis.take(identifier, claim("r", 60, 20_000, 1));
                redis.pass(SECOND);
            }
            var claims = several
                    ? new WindowClaim[]{claim("r", 60, limit, 1), claim("s", 60, limit, 1)}
                    : new WindowClaim[]{claim("r", 60, limit, 1)};
            assertThat(redis.query(identifier, claims).windows()[0].used()).isEqualTo(50);
            assertThat(redis.take(identifier, claims).windows()[0].used()).isEqualTo(51);
            assertThat(redis.take(identifier, claims).windows()[0].used()).isEqualTo(52);
            assertThat(redis.take(identifier, claim("r", 60, 20_000, 1)).windows()[0].used()).isEqualTo(53);
            assertThat(redis.used(identifier, "r", 60)).isEqualTo(53);
        }
    }

    private String oldCounter(String identifier, long seconds, long... bucketsAndCounts) {
        var key = KEYS.window(identifier, WindowKeys.windowMember("t", seconds));
        var push = Request.cmd(Command.RPUSH).arg(key);
        long total = 0;
        for (int i = 0; i < bucketsAndCounts.length; i += 2) {
            push.arg(bucketsAndCounts[i]).arg(bucketsAndCounts[i + 1]);
            total += bucketsAndCounts[i + 1];
        }
        redis.send(push.arg("~" + total));
        redis.send(Request.cmd(Command.EXPIRE).arg(key).arg(2 * seconds));
        redis.send(Request.cmd(Command.ZADD).arg(KEYS.index(identifier)).arg(redis.now() / SECOND + 2 * seconds)
                .arg(WindowKeys.windowMember("t", seconds)));
        return key;
    }

    private String type(String key) {
        return redis.send(Request.cmd(Command.TYPE).arg(key)).toString();
    }

    @Test
    void counterOfAnEarlierVersionIsReadAndWrittenInTheNewForm() {
        long bucket = redis.now() / SECOND;
        var key = oldCounter("old", 60, bucket - 100, 70, bucket - 30, 500, bucket - 1, 300);
        assertThat(redis.used("old", "t", 60)).isEqualTo(800);
        assertThat(redis.query("old", claim("t", 60, 20_000, 19_300)).windows()[0])
                .isEqualTo(new StoreResult.WindowState(800, (bucket + 31) * SECOND - 1, (bucket + 31) * SECOND - 1));
        assertThat(type(key)).as("a query changes nothing").isEqualTo("list");
        assertThat(redis.take("old", claim("t", 60, 20_000, 200)).windows()[0].used()).isEqualTo(1000);
        assertThat(type(key)).isEqualTo("string");
        assertThat(redis.used("old", "t", 60)).isEqualTo(1000);
        assertThat(redis.send(Request.cmd(Command.PTTL).arg(key)).toLong()).isPositive();
        assertThat(redis.store().limits("old").await().indefinitely()).isEqualTo(Map.of("t", 1000L));
        redis.at((bucket + 31) * SECOND - 1);
        assertThat(redis.used("old", "t", 60)).isEqualTo(500);
        redis.pass(120 * SECOND);
    }

    @Test
    void counterOfAnEarlierVersionIsSettledMergedAndReset() {
        long bucket = redis.now() / SECOND;
        var key = oldCounter("old-reserved", 60, bucket - 1, 500, bucket, 300);
        var record = KEYS.reservation("old-reserved", WindowKeys.reservationMember("one"));
        redis.send(Request.cmd(Command.HSET).arg(record).arg("60:t").arg((bucket - 1) + ":400"));
        redis.settle("old-reserved", "one", Map.of("t", 100L));
        assertThat(redis.used("old-reserved", "t", 60)).isEqualTo(500);
        assertThat(type(key)).isEqualTo("list");
        var memory = new InMemoryWindowStore(redis::now, StoreUnderTest.EXACT, 64 << 20, StoreUnderTest.MAX_WINDOWS);
        memory.takeUnsynced("old-reserved", List.of(tokens("t", 60, 10_000, 11)), true, null);
        new UsageMerger(redis.manager(), memory, new HashTags("sluice"), StoreUnderTest.InRedis.TEST_TIME)
                .merge(redis.connection())
                .toCompletionStage().toCompletableFuture().join();
        assertThat(redis.used("old-reserved", "t", 60)).isEqualTo(511);
        assertThat(type(key)).isEqualTo("string");
        redis.store().reset("old-reserved", "t").await().indefinitely();
        assertThat(redis.used("old-reserved", "t", 60)).isZero();
    }

    @Test
    void counterOfAnEarlierVersionBecomesALogAndMovesWithTheClock() {
        long bucket = redis.now() / SECOND;
        oldCounter("old-log", 60, bucket - 1, 5, bucket, 3);
        assertThat(redis.take("old-log", claim("t", 60, 10, 1)).windows()[0].used()).isEqualTo(9);
        oldCounter("old-shift", 60, bucket - 20, 500, bucket, 300);
        redis.pass(-600 * SECOND);
        assertThat(redis.take("old-shift", claim("t", 60, 20_000, 1)).windows()[0].used()).isEqualTo(801);
        redis.pass(41 * SECOND);
        assertThat(redis.used("old-shift", "t", 60)).isEqualTo(301);
        redis.pass(600 * SECOND);
    }

    /** A counter sums up all units it ever held; the sum must stay within the exact range of a Lua number. */
    @Test
    void countsStayExactHoweverManyThereWere() {
        long limit = 3L << 50;
        for (int i = 0; i < 200; i++) {
            assertThat(redis.take("large", claim("r", 60, limit, (1L << 50) + i)).admitted()).as("window %d", i).isTrue();
            assertThat(redis.used("large", "r", 60)).isBetween((1L << 50) + i, limit);
            redis.pass(31 * SECOND);
        }
        redis.pass(61 * SECOND);
        assertThat(redis.take("large", claim("r", 60, limit, 3)).windows()[0].used()).isEqualTo(3);
    }

    @Test
    void anyNumberOfWindowsIsReset() {
        int count = 20_000;
        var names = IntStream.range(0, count).mapToObj(i -> WindowKeys.windowMember("r" + i, 60)).toList();
        var keys = new ArrayList<String>();
        keys.add(KEYS.index("many"));
        names.forEach(name -> keys.add(KEYS.window("many", name)));
        keys.add(KEYS.reservation("many", WindowKeys.reservationMember("one")));
        redis.take("many", claim("r0", 60, 3, 1));
        redis.take("many", claim("r19999", 60, 3, 1));
        redis.send(Request.cmd(Command.HSET).arg(keys.get(count + 1)).arg("60:r19999").arg("1:1").arg("60:t").arg("1:1"));
        var script = LuaScript.load(RedisWindowStore.class, "reset.lua");
        redis.connection().eval(script, keys, names).toCompletionStage().toCompletableFuture().join();
        assertThat(redis.store().limits("many").await().indefinitely()).isEmpty();
        assertThat(redis.used("many", "r0", 60) + redis.used("many", "r19999", 60)).isZero();
        assertThat(redis.send(Request.cmd(Command.HKEYS).arg(keys.get(count + 1))).get(0)).hasToString("60:t");
    }
}
