package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static dev.sluice.store.StoreUnderTest.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.cluster.InstanceRegistry;
import dev.sluice.cluster.UsageMerger;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.Repair;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.memory.InMemoryWindowStore;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Repairs Sluice's keys with values of another type or unreadable ones, with limits staying exact. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ForeignKeysTest {

    private static final int LIMIT = 20;
    private static final HashTags HASH_TAGS = new HashTags("sluice");
    private static final WindowKeys KEYS = new WindowKeys(HASH_TAGS);

    /** Values that Sluice never writes. */
    enum Foreign {
        TEXT("SET", "fourteen chars"), LONG_TEXT("SET", "fourteen chars".repeat(1000)), BINARY("SET",
                new byte[13]), LONG_BINARY("SET", new byte[1_000_003]), RING_HEAD("SET", "Rabcdefg"), RING_LIKE("SET",
                        "R" + "z".repeat(7) + "\0\0\0\0\0\0a\0\0\0\0\0\0a"), HASH("HSET", "a",
                                "b"), SET("SADD", "a"), SORTED_SET("ZADD", "1", "a"), LIST("RPUSH", "a", "b",
                                        "~c"), LONG_LIST("RPUSH", "1", "2", "3", "4", "~"), STREAM("XADD", "*", "a", "b");

        private final String command;
        private final List<Object> arguments;

        Foreign(String command, Object... arguments) {
            this.command = command;
            this.arguments = List.of(arguments);
        }

        Request at(String key) {
            var request = Request.cmd(Command.create(command)).arg(key);
            for (var argument : arguments) {
                if (argument instanceof byte[] bytes) {
                    request.arg(Buffer.buffer(bytes));
                } else {
                    request.arg(argument.toString());
                }
            }
            return request;
        }
    }

    private final StoreUnderTest.InRedis redis = new StoreUnderTest.InRedis();
    private final RedisWindowStore other = new RedisWindowStore(redis.manager(), HASH_TAGS, StoreUnderTest.EXACT,
            StoreUnderTest.MAX_WINDOWS,
            java.time.Duration.ofSeconds(20), GrantRecorder.NONE, StoreUnderTest.InRedis.TEST_TIME);

    @AfterAll
    void close() {
        redis.close();
    }

    private void put(Foreign foreign, String key) {
        redis.send(Request.cmd(Command.DEL).arg(key));
        redis.send(foreign.at(key));
    }

    /** Returns how many requests are admitted, made through both stores in turn. */
    private int admitted(String identifier, WindowClaim... claims) {
        int admitted = 0;
        for (int i = 0; i < 3 * LIMIT; i++) {
            var store = i % 2 == 0 ? redis.store() : other;
            admitted += store.take(identifier, List.of(claims), true, null).await().indefinitely().admitted() ? 1 : 0;
        }
        return admitted;
    }

    private static Stream<Arguments> windows() {
        return Stream.of(Foreign.values()).flatMap(foreign -> Stream.of(
                Arguments.of(foreign, "log", List.of(claim("r", 60, LIMIT, 1))),
                Arguments.of(foreign, "costs", List.of(claim("r", 60, 2 * LIMIT, 2))),
                Arguments.of(foreign, "long log", List.of(claim("r", 60, 200, 10))),
                Arguments.of(foreign, "ring", List.of(claim("r", 60, 20_000, 1000))),
                Arguments.of(foreign, "two", List.of(claim("r", 60, LIMIT, 1), claim("r", 3600, 20_000, 1000)))));
    }

    @ParameterizedTest
    @MethodSource("windows")
    void foreignWindowIsResetAndAdmitsExactlyTheLimit(Foreign foreign, String form, List<WindowClaim> claims) {
        var identifier = "window-" + form + foreign;
        for (var claim : claims) {
            put(foreign, KEYS.window(identifier, WindowKeys.windowMember("r", claim.span() / 1_000_000)));
        }
        assertThat(redis.used(identifier, "r", 60)).as("reading repairs nothing").isZero();
        assertThat(admitted(identifier, claims.toArray(WindowClaim[]::new))).isEqualTo(LIMIT);
        assertThat(redis.used(identifier, "r", 60)).isEqualTo(LIMIT * claims.get(0).cost());
        assertThat(redis.store().limits(identifier).await().indefinitely()).containsOnlyKeys("r");
    }

    @ParameterizedTest
    @EnumSource(Foreign.class)
    void foreignIndexIsReset(Foreign foreign) {
        for (long limit : new long[]{LIMIT, 20_000}) {
            var identifier = "index-" + foreign + limit;
            put(foreign, KEYS.index(identifier));
            assertThat(admitted(identifier, claim("r", 60, limit, limit / LIMIT))).isEqualTo(LIMIT);
            assertThat(redis.store().limits(identifier).await().indefinitely()).isEqualTo(Map.of("r", limit));
        }
    }

    @ParameterizedTest
    @EnumSource(value = Foreign.class, names = "HASH", mode = EnumSource.Mode.EXCLUDE)
    void foreignReservationIsReset(Foreign foreign) {
        var identifier = "reservation-" + foreign;
        var record = KEYS.reservation(identifier, WindowKeys.reservationMember("one"));
        put(foreign, record);
        assertThat(redis.reserve(identifier, "one", tokens("t", 60, 1000, 800)).admitted()).isTrue();
        redis.settle(identifier, "one", Map.of("t", 100L));
        assertThat(redis.used(identifier, "t", 60)).isEqualTo(100);
        put(foreign, record);
        redis.settle(identifier, "one", Map.of("t", 1L));
        assertThat(redis.used(identifier, "t", 60)).as("nothing was reserved").isEqualTo(100);
        put(foreign, KEYS.window(identifier, WindowKeys.windowMember("t", 60)));
        redis.settle(identifier, "one", Map.of("t", 1L));
        assertThat(redis.used(identifier, "t", 60)).isZero();
    }

    @ParameterizedTest
    @EnumSource(Foreign.class)
    void grantsAreMergedIntoForeignKeys(Foreign foreign) {
        var memory = new InMemoryWindowStore(redis::now, StoreUnderTest.EXACT, 64 << 20, StoreUnderTest.MAX_WINDOWS);
        var merger = new UsageMerger(redis.manager(), memory, HASH_TAGS, StoreUnderTest.InRedis.TEST_TIME);
        var identifier = "merge-" + foreign;
        var reservation = "0123456789abcdef0123456789abcdef";
        put(foreign, KEYS.index(identifier));
        put(foreign, KEYS.window(identifier, WindowKeys.windowMember("r", 60)));
        put(foreign, KEYS.window(identifier, WindowKeys.windowMember("t", 60)));
        if (foreign != Foreign.HASH) {
            put(foreign, KEYS.reservation(identifier, WindowKeys.reservationMember(reservation)));
        }
        memory.takeUnsynced(identifier, List.of(claim("r", 60, LIMIT, 5), tokens("t", 60, 1000, 300)), true, reservation);
        merger.merge(redis.connection()).toCompletionStage().toCompletableFuture().join();
        redis.settle(identifier, reservation, Map.of("t", 40L));
        assertThat(redis.store().limits(identifier).await().indefinitely()).isEqualTo(Map.of("r", 5L, "t", 40L));
        assertThat(admitted(identifier, claim("r", 60, LIMIT, 1))).isEqualTo(LIMIT - 5);
    }

    private Response eval(String script, List<String> keys, List<String> arguments) {
        return redis.connection()
                .eval(LuaScript.load(script.equals("announce.lua") ? InstanceRegistry.class : ResetPoller.class, script,
                        StoreUnderTest.InRedis.TEST_TIME), keys, arguments)
                .toCompletionStage().toCompletableFuture().join();
    }

    private Response announce(String sequence, String lastId) {
        return eval("announce.lua", List.of("sluice:{fleet}:instances", "sluice:{fleet}:mark:a", "sluice:{fleet}:resets"),
                List.of("a", sequence, lastId, "1"));
    }

    @ParameterizedTest
    @EnumSource(Foreign.class)
    void heartbeatsRepairForeignKeys(Foreign foreign) {
        var lastIds = List.of("", "0-0");
        for (var since : lastIds) {
            put(foreign, "sluice:{fleet}:instances");
            put(foreign, "sluice:{fleet}:mark:a");
            put(foreign, "sluice:{fleet}:resets");
            var reply = announce("7", since);
            assertThat(reply.get(1).toString()).as("no data counts as lost").startsWith("9007199254740991:");
            assertThat(reply.get(2)).hasSize(2);
            assertThat(reply.get(2).get(0)).hasToString("a");
            assertThat(reply.get(3)).isEmpty();
            long sortedSet = foreign == Foreign.SORTED_SET ? 1 : 0; // its members expire like instances
            assertThat(Repair.of(reply).keys()).isEqualTo(3 - sortedSet);
            assertThat(Repair.of(reply).first()).isEqualTo("sluice:{fleet}:mark:a");
            var next = announce("8", since);
            assertThat(next.get(1).toString()).startsWith("7:");
            assertThat(Repair.of(next)).isNull();
        }
        put(foreign, "sluice:{fleet}:resets");
        eval("tell.lua", List.of("sluice:{fleet}:resets"), List.of("b", "user:alice", ""));
        if (foreign != Foreign.STREAM) {
            assertThat(announce("9", "0-0").get(3).get(0).get(1).get(3)).hasToString("user:alice");
        }
    }

    @ParameterizedTest
    @EnumSource(Foreign.class)
    void foreignStreamOfFreedUnitsMeansAllIdentifiers(Foreign foreign) {
        for (var since : List.of("", "0-0")) {
            put(foreign, "sluice:{fleet}:freed");
            var reply = eval("listen.lua", List.of("sluice:{fleet}:freed"), List.of(since));
            assertThat(reply.get(1)).hasToString("0-0");
            assertThat(reply.get(2)).hasToString("");
            eval("tell.lua", List.of("sluice:{fleet}:freed"), List.of("", "user:alice", ""));
            var next = eval("listen.lua", List.of("sluice:{fleet}:freed"), List.of("0-0"));
            assertThat(next.get(2)).hasToString("user:alice");
        }
    }

    @Test
    void decisionsReportRepairs() {
        var claims = ClaimPlan.of(List.of(claim("r", 60, LIMIT, 1), claim("r", 3600, 20_000, 1000)));
        var script = DecisionScript.load(StoreUnderTest.InRedis.TEST_TIME, StoreUnderTest.MAX_WINDOWS, "one");
        var first = KEYS.window("foreign", WindowKeys.windowMember("r", 60));
        put(Foreign.HASH, first);
        put(Foreign.SET, KEYS.window("foreign", WindowKeys.windowMember("r", 3600)));
        for (int i = 0; i < 2; i++) {
            var batch = new DecisionBatch(0);
            for (var identifier : List.of("whole", "foreign", "foreign")) {
                assertThat(batch
                        .add(new PendingDecision(identifier, claims, claims.operation(true, false, StoreUnderTest.EXACT), null,
                                claims.keys(HASH_TAGS, identifier, null), null, null)))
                        .isTrue();
            }
            var reply = batch.send(redis.connection(), script).toCompletionStage().toCompletableFuture().join();
            assertThat(Repair.of(reply)).isEqualTo(i == 0 ? new Repair(2, first) : null);
            assertThat(batch.read(reply).get(1)[1].windows()[1].used()).isEqualTo(2000 * (i + 1));
        }
    }

    @Test
    void foreignIndexIsReadAsNone() {
        var index = KEYS.index("read");
        put(Foreign.HASH, index);
        assertThat(redis.store().limits("read").await().indefinitely()).isEmpty();
        redis.store().reset("read", null).await().indefinitely();
        redis.send(Request.cmd(Command.DEL).arg(index));
        redis.take("read", claim("r", 60, LIMIT, 1));
        redis.send(Request.cmd(Command.ZADD).arg(index).arg(4_000_000_000L).arg("of another program"));
        assertThat(redis.store().limits("read").await().indefinitely()).containsOnlyKeys("r");
    }
}
