package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static dev.sluice.store.StoreUnderTest.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.logging.Level;

import org.junit.jupiter.api.Test;

import dev.sluice.redis.HashTags;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.WindowStoreContract;
import dev.sluice.testing.KeyExpiries;
import dev.sluice.testing.LogRecorder;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

class RedisWindowStoreTest extends WindowStoreContract {

    @Override
    public StoreUnderTest open() {
        return new StoreUnderTest.InRedis();
    }

    private StoreUnderTest.InRedis redis() {
        return (StoreUnderTest.InRedis) store;
    }

    @Test
    void everyKeyExpires() {
        store.take("expiry", claim("short", 10, 10, 1), claim("long", 2_678_400, 10, 1), claim("large", 60, 1_000_000, 5));
        store.take("expiry", claim("large", 60, 10, 1));
        store.take("expiry", claim("short", 10, 1_000_000, 1));
        store.reserve("expiry", "one", tokens("t", 60, 10, 1), tokens("t", 3600, 10, 1));
        assertThat(redis().send(KeyExpiries.matching("sluice:*"))).hasSizeGreaterThanOrEqualTo(7)
                .allSatisfy(key -> assertThat(key.get(1).toLong()).as(key.get(0).toString()).isNotNegative());
    }

    @Test
    void keyOutlivesItsWindow() {
        for (int i = 0; i < 5; i++) {
            store.take("outlives", claim("r", 100, 1000, 1));
            store.pass(45_000_000);
            var key = new WindowKeys(new HashTags("sluice")).window("outlives", WindowKeys.windowMember("r", 100));
            long ttl = redis().send(Request.cmd(Command.PTTL).arg(key)).toLong();
            assertThat(ttl).isBetween(100_000L, 201_000L);
        }
    }

    @Test
    void indexHoldsOnlyLiveWindows() {
        for (int i = 0; i < 50; i++) {
            store.take("index", claim("r" + i, 1, 10, 1));
            store.pass(1_000_000);
        }
        long members = redis().send(Request.cmd(Command.ZCARD).arg(new WindowKeys(new HashTags("sluice")).index("index")))
                .toLong();
        assertThat(members).isLessThan(6);
    }

    @Test
    void scriptsThatRedisHasLostAreSentAgain() {
        assertThat(store.take("script", claim("r", 60, 10, 1)).admitted()).isTrue();
        redis().send(Request.cmd(Command.SCRIPT).arg("FLUSH"));
        assertThat(store.take("script", claim("r", 60, 10, 1)).windows()[0].used()).isEqualTo(2);
        redis().send(Request.cmd(Command.SCRIPT).arg("FLUSH"));
        assertThat(store.used("script", "r", 60)).isEqualTo(2);
    }

    @Test
    void largeLimitTakesLittleMemoryHoweverFull() {
        for (int i = 0; i < 200; i++) {
            store.take("memory", claim("r", 86_400, 1_000_000, 5_000));
            store.pass(432_000_000);
        }
        var key = new WindowKeys(new HashTags("sluice")).window("memory", WindowKeys.windowMember("r", 86_400));
        long bytes = redis().send(Request.cmd(Command.MEMORY).arg("USAGE").arg(key)).toLong();
        assertThat(bytes).isLessThan(4096);
    }

    @Test
    void identifierWithManyWindowsIsResetWhole() {
        for (int i = 0; i < 180; i++) {
            var claims = new WindowClaim[50];
            for (int j = 0; j < claims.length; j++) {
                claims[j] = claim("r" + i + "-" + j, 60, 10, 1);
            }
            store.take("many", claims);
        }
        store.reserve("many", "one", tokens("t", 60, 10, 1));
        assertThat(store.store().limits("many").await().indefinitely()).hasSize(9001);
        store.store().reset("many", null).await().indefinitely();
        assertThat(store.store().limits("many").await().indefinitely()).isEmpty();
        assertThat(store.take("many", claim("r0-0", 60, 10, 1)).windows()[0].used()).isEqualTo(1);
    }

    private RedisWindowStore bounded(int maxWindows) {
        return new RedisWindowStore(((StoreUnderTest.InRedis) store).manager(), new HashTags("sluice"), StoreUnderTest.EXACT,
                maxWindows, Duration.ofSeconds(60), GrantRecorder.NONE, StoreUnderTest.InRedis.TEST_TIME);
    }

    private static StoreResult take(RedisWindowStore bounded, String identifier, WindowClaim... claims) {
        return bounded.take(identifier, List.of(claims), true, null).await().indefinitely();
    }

    @Test
    void windowsPerIdentifierAreBounded() {
        var bounded = bounded(3);
        long start = store.now();
        assertThat(take(bounded, "bound", claim("a", 60, 10, 1), claim("b", 30, 20_000, 1)).admitted()).isTrue();
        assertThat(take(bounded, "bound", claim("c", 600, 10, 1)).admitted()).isTrue();
        var log = LogRecorder.start(Level.WARNING, false);
        try {
            for (int i = 0; i < 3; i++) {
                take(bounded, "bound", claim("z", 60, 10, 1));
            }
            assertThat(log.records()).singleElement().asString().contains("rate-limit.max-windows-per-identifier=3 ");
        } finally {
            log.close();
        }
        // The key of the shortest window expires after two lengths and a second; the index keeps whole seconds.
        long room = (start / 1_000_000 + 61) * 1_000_000;
        for (var claim : List.of(claim("d", 60, 10, 1), claim("d", 60, 20_000, 5), claim("d", 60, 100, 20))) {
            var denied = take(bounded, "bound", claim);
            assertThat(denied.admitted()).isFalse();
            assertThat(denied.windows()[0]).isEqualTo(new StoreResult.WindowState(claim.limit(), room, room));
        }
        var several = take(bounded, "bound", claim("a", 60, 10, 1), claim("d", 60, 10, 1));
        assertThat(several.admitted()).isFalse();
        assertThat(several.windows()[0]).as("has room").isEqualTo(
                new StoreResult.WindowState(1, start + 60_000_000, 0));
        assertThat(several.windows()[1].retryAt()).isEqualTo(room);
        assertThat(store.used("bound", "a", 60)).isEqualTo(1);
        assertThat(store.query("bound", claim("d", 60, 10, 1)).admitted()).isTrue();
        assertThat(take(bounded, "other", claim("d", 60, 10, 1)).admitted()).isTrue();
        var never = take(bounded, "fresh", claim("a", 60, 9, 1), claim("b", 60, 9, 1), claim("c", 60, 9, 1),
                claim("d", 60, 9, 1));
        assertThat(never.windows()[3].retryAt()).isEqualTo(StoreResult.NEVER);
        store.at(room);
        redis().send(Request.cmd(Command.DEL).arg(new WindowKeys(new HashTags("sluice")).window("bound", "30:b")));
        assertThat(take(bounded, "bound", claim("d", 60, 10, 1)).admitted()).isTrue();
        assertThat(take(bounded, "bound", claim("e", 60, 10, 1)).admitted()).isFalse();
        bounded.reset("bound", "d").await().indefinitely();
        assertThat(take(bounded, "bound", claim("e", 60, 10, 1)).admitted()).isTrue();
    }

    @Test
    void reservationsTakeNoRoomOfWindows() {
        var bounded = bounded(3);
        for (int i = 0; i < 20; i++) {
            bounded.take("reserving", List.of(tokens("t", 60, 100_000, 10)), true, "reservation" + i).await().indefinitely();
        }
        assertThat(take(bounded, "reserving", claim("a", 60, 10, 1), claim("b", 60, 10, 1)).admitted()).isTrue();
        assertThat(take(bounded, "reserving", claim("c", 60, 10, 1)).admitted()).isFalse();
        bounded.reset("reserving", "t").await().indefinitely();
        assertThat(take(bounded, "reserving", claim("c", 60, 10, 1)).admitted()).isTrue();
        store.settle("reserving", "reservation0", java.util.Map.of("t", 50L));
        assertThat(store.used("reserving", "t", 60)).as("was reset").isZero();
    }

    @Test
    void reservationsInTheIndexAreBounded() {
        var index = new WindowKeys(new HashTags("sluice")).index("reservations");
        long offset = 1L << 40;
        long soon = offset + store.now() / 1_000_000 + 10;
        store.take("reservations", claim("r", 86_400, 3, 1));
        for (int from = 0; from < 10_500; from += 500) {
            var add = Request.cmd(Command.ZADD).arg(index);
            for (int i = from; i < from + 500; i++) {
                add.arg(soon + i).arg("r:other" + i);
            }
            redis().send(add);
        }
        store.reserve("reservations", "one", tokens("t", 86_400, 1000, 1));
        assertThat(redis().send(Request.cmd(Command.ZCARD).arg(index)).toLong()).isEqualTo(10_002);
        assertThat(redis().send(Request.cmd(Command.ZSCORE).arg(index).arg("86400:r"))).isNotNull();
        assertThat(redis().send(Request.cmd(Command.ZSCORE).arg(index).arg("r:one"))).isNotNull();
        assertThat(redis().send(Request.cmd(Command.ZSCORE).arg(index).arg("r:other0"))).as("expires first").isNull();
    }

    @Test
    void identifierLiesInOneOf256Slots() {
        var keys = new WindowKeys(new HashTags("sluice"));
        var tag = keys.index("user:alice").substring(0, "sluice:{00}".length());
        assertThat(keys.window("user:alice", "60:r")).startsWith(tag + ":w:60:10:user:alice:r");
        assertThat(List.of(keys.window("{x}", "60:r"), keys.window("a}", "60:r")))
                .allSatisfy(key -> assertThat(key).matches("sluice:\\{[0-9a-f]{2}\\}:w:60:.*"));
    }
}
