package dev.sluice.cluster;

import static dev.sluice.redis.ScriptedConnection.await;
import static dev.sluice.redis.ScriptedConnection.response;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.cluster.InstanceRegistry.AnnounceReply;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.ScriptedConnection;
import dev.sluice.store.ResetScope;
import io.vertx.redis.client.impl.types.ErrorType;

/** Membership, losses and resets as one instance concludes them from the replies of Redis. */
class InstanceRegistryTest {

    private static final long SERVER_MICROS = 1_900_000_000_000_000L;
    /** Fields of a script call before its arguments: digest, number of keys, three keys. */
    private static final int FIRST_ARGUMENT = 5;

    private final ScriptedConnection redis = new ScriptedConnection();
    private final InstanceRegistry registry = registry(4);

    @AfterEach
    void close() {
        redis.close();
    }

    private static InstanceRegistry registry(int expected) {
        return new InstanceRegistry(new HashTags("sluice"), expected, LuaScript.SERVER_TIME);
    }

    private static AnnounceReply seen(String... instances) {
        var times = List.of(instances).stream().collect(Collectors.toMap(id -> id, id -> SERVER_MICROS));
        return new AnnounceReply(SERVER_MICROS, InstanceRegistry.NOTHING_LOST, times, List.of());
    }

    /** Prepares a reply of announce.lua. */
    private ScriptedConnection reply(String mark, List<?> instances, List<?> resets) {
        return redis.replyWith(response(List.of(SERVER_MICROS, mark, instances, resets)));
    }

    private AnnounceReply announce(String mark) {
        reply(mark, List.of(), List.of());
        return await(registry.announce(redis.connection()));
    }

    private List<String> lastArguments() {
        var request = redis.lastRequest();
        return request.subList(FIRST_ARGUMENT, request.size());
    }

    @Test
    void expectedNumberOfInstancesSharesTheLimitUntilRedisIsReached() {
        assertThat(registry.size()).isEqualTo(4);
        assertThat(registry.share(100)).isEqualTo(25);
        assertThat(registry.share(2)).as("at least 1").isEqualTo(1);
        assertThat(registry.peers()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 10, 11, 100, 1_000_000_007})
    void sharesOfAllInstancesAddUpToTheLimit(long limit) {
        var ids = new ArrayList<String>();
        var registries = IntStream.range(0, 3).mapToObj(i -> registry(1)).toList();
        registries.forEach(each -> {
            reply("", List.of(), List.of());
            await(each.announce(redis.connection()));
            ids.add(lastArguments().get(0));
        });
        registries.forEach(each -> each.updateMembership(seen(ids.toArray(String[]::new)), true));
        assertThat(registries.stream().mapToLong(each -> each.share(limit)).sum()).isEqualTo(limit);
        assertThat(registries).allSatisfy(each -> assertThat(each.size()).isEqualTo(3));
    }

    @Test
    void knownInstancesAreKeptUntilAllHaveHadTimeForAHeartbeat() {
        registry.updateMembership(seen("a", "b"), true);
        registry.updateMembership(seen("c"), false);
        assertThat(registry.peers()).containsExactlyInAnyOrder("a", "b", "c");
        assertThat(registry.size()).as("with this one").isEqualTo(4);
        registry.updateMembership(seen("c"), true);
        assertThat(registry.peers()).containsExactly("c");
        assertThat(registry.size()).isEqualTo(2);
    }

    @Test
    void heartbeatsAndMarksAreNumberedAndAQueryChangesNothing() {
        announce("");
        assertThat(lastArguments().subList(1, 4)).containsExactly("1", "", "1");
        reply("", List.of(), List.of());
        await(registry.mark(redis.connection()));
        assertThat(lastArguments().subList(1, 4)).as("a mark lists no instance").containsExactly("2", "0-0", "0");
        long acknowledged = registry.acknowledgedAt();
        reply("", List.of(), List.of());
        await(registry.query(redis.connection()));
        assertThat(lastArguments().subList(1, 4)).containsExactly("0", "0-0", "0");
        assertThat(registry.acknowledgedAt()).isEqualTo(acknowledged).isEqualTo(SERVER_MICROS);
    }

    /** The mark found is that of the last acknowledged heartbeat, of an earlier one, of none, or of a later one. */
    @ParameterizedTest
    @CsvSource({"2:777," + Long.MAX_VALUE, "1:777,777", "''," + InstanceRegistry.ALL_LOST, "3:777," + Long.MAX_VALUE,
            "9007199254740991:777," + Long.MAX_VALUE})
    void olderMarkShowsSinceWhenRedisHasLostWrites(String mark, long lostSince) {
        announce("");
        announce("1:500");
        assertThat(announce(mark).lostSince()).isEqualTo(lostSince);
    }

    @Test
    void nothingCountsAsLostBeforeTheFirstAcknowledgedMark() {
        assertThat(announce("").lostSince()).isEqualTo(InstanceRegistry.NOTHING_LOST);
        assertThat(announce("").lostSince()).isEqualTo(InstanceRegistry.ALL_LOST);
    }

    @Test
    void heartbeatThatFailsIsNotAcknowledged() {
        redis.failWith(ErrorType.create("OOM command not allowed"));
        assertThatThrownBy(() -> await(registry.announce(redis.connection()))).hasMessageContaining("OOM");
        assertThat(registry.acknowledgedAt()).isZero();
        assertThat(announce("").lostSince()).as("its mark may be missing").isEqualTo(InstanceRegistry.NOTHING_LOST);
        assertThat(lastArguments().get(1)).as("its number is not used again").isEqualTo("2");
    }

    @Test
    void instancesAreReadWithTheirTimes() {
        reply("", List.of("a", "17", "b", "18"), List.of());
        assertThat(await(registry.announce(redis.connection())).lastSeen()).isEqualTo(Map.of("a", 17L, "b", 18L));
    }

    private static List<Object> reset(String id, String by, String identifier, String resource) {
        return List.of(id, List.of("by", by, "identifier", identifier, "resource", resource));
    }

    @Test
    void resetsOfOtherInstancesAreReceivedOnce() {
        announce("");
        var own = lastArguments().get(0);
        reply("1:1", List.of(), List.of(reset("5-0", "other", "user:a", "api:/a"), reset("6-0", own, "user:b", ""),
                reset("7-0", "other", "", "")));
        assertThat(await(registry.announce(redis.connection())).resets()).containsExactly(new ResetScope("user:a", "api:/a"),
                new ResetScope("", null));
        announce("2:1");
        assertThat(lastArguments().get(2)).as("the last reset received").isEqualTo("7-0");
    }

    /** An instance that has just started has no windows that an earlier reset could concern. */
    @Test
    void resetsFromBeforeTheStartAreSkipped() {
        reply("", List.of(), List.of(reset("5-0", "other", "user:a", "")));
        assertThat(await(registry.announce(redis.connection())).resets()).isEmpty();
        announce("1:1");
        assertThat(lastArguments().get(2)).isEqualTo("5-0");
    }

    @Test
    void clockFollowsRedisAfterTheFirstReply() {
        assertThat(registry.micros()).as("system time").isLessThan(SERVER_MICROS);
        announce("");
        assertThat(registry.micros()).isGreaterThanOrEqualTo(SERVER_MICROS);
    }
}
