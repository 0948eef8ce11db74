package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static dev.sluice.store.StoreUnderTest.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.Test;

import dev.sluice.redis.HashTags;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.WindowStoreContract;
import dev.sluice.testing.KeyExpiries;
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
