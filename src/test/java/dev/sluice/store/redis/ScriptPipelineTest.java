package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static dev.sluice.store.StoreUnderTest.tokens;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.cluster.ClusterMember;
import dev.sluice.engine.FailoverWindowStore;
import dev.sluice.redis.HashTags;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/** Decisions made in one batch are the same as one after the other. */
class ScriptPipelineTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    /** @param reservation null if nothing is reserved */
    private record TakeRequest(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
    }

    private final Vertx vertx = Vertx.vertx();
    private final Map<List<WindowClaim>, ClaimPlan> plans = new ConcurrentHashMap<>();
    private final StoreUnderTest.InRedis redis = new StoreUnderTest.InRedis();

    @AfterEach
    void close() {
        redis.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    /** Makes all requests in one turn of an event loop; returns the results in the same order. */
    private List<StoreResult> decideTogether(List<TakeRequest> requests) {
        var results = new ArrayList<CompletableFuture<StoreResult>>();
        requests.forEach(request -> results.add(new CompletableFuture<>()));
        vertx.getOrCreateContext().runOnContext(now -> {
            for (int i = 0; i < requests.size(); i++) {
                var request = requests.get(i);
                var result = results.get(i);
                redis.store()
                        .take(request.identifier(), plans.computeIfAbsent(request.claims(), ClaimPlan::of), request.consume(),
                                request.reservation())
                        .subscribe()
                        .with(result::complete, result::completeExceptionally);
            }
        });
        return results.stream().map(CompletableFuture::join).toList();
    }

    private long calls() {
        var stats = redis.send(Request.cmd(Command.INFO).arg("commandstats")).toString();
        var evalsha = stats.substring(stats.indexOf("cmdstat_evalsha:calls=") + 22);
        return Long.parseLong(evalsha.substring(0, evalsha.indexOf(',')));
    }

    @Test
    void oneIdentityIsDecidedInOrder() {
        redis.take("other", claim("r", 60, 10, 1)); // loads the script
        long before = calls();
        var results = decideTogether(
                IntStream.range(0, 1000).mapToObj(i -> new TakeRequest("one", List.of(claim("r", 60, 100, 1)), true, null))
                        .toList());
        for (int i = 0; i < results.size(); i++) {
            assertThat(results.get(i).admitted()).as("request " + i).isEqualTo(i < 100);
            assertThat(results.get(i).windows()[0].used()).isEqualTo(Math.min(i + 1, 100));
        }
        assertThat(calls() - before).as("calls of the script").isLessThan(100);
    }

    /** The in-memory store decides one after the other. */
    @Test
    void anyMixtureIsDecidedAsInMemory() {
        var memory = new InMemoryWindowStore(redis::now, StoreUnderTest.EXACT, 64 << 20, StoreUnderTest.MAX_WINDOWS);
        var random = new Random(5);
        // Loads the script: a call that Redis rejects for want of it is sent again, after calls that were sent meanwhile.
        redis.take("other", claim("r", 60, 10, 1));
        for (int round = 0; round < 30; round++) {
            var requests = new ArrayList<TakeRequest>();
            for (int i = 0; i < 100; i++) {
                requests.add(randomRequest(random, round + "-" + i));
            }
            var together = decideTogether(requests);
            for (int i = 0; i < requests.size(); i++) {
                var request = requests.get(i);
                var alone = memory.takeNow(request.identifier(), request.claims(), request.consume(), request.reservation());
                assertThat(text(together.get(i))).as("round %d, %d: %s", round, i, request).isEqualTo(text(alone));
            }
            redis.pass(random.nextInt(3_000_000));
        }
    }

    /** Consecutive equal requests of one identifier are decided as a group, with the results of single decisions. */
    @Test
    void runsOfEqualRequestsAreDecidedAsInMemory() {
        var memory = new InMemoryWindowStore(redis::now, StoreUnderTest.EXACT, 64 << 20, StoreUnderTest.MAX_WINDOWS);
        var random = new Random(7);
        redis.take("other", claim("r", 60, 10, 1)); // loads the script
        var kinds = List.of(List.of(claim("unit", 10, 40, 1)), List.of(claim("several", 10, 100, 7)),
                List.of(claim("burst", 1, 13, 1), claim("unit", 10, 40, 1)), List.of(claim("ring", 60, 20_000, 700)),
                List.of(claim("ring", 60, 20_000, 1), claim("several", 10, 100, 3)), List.of(claim("long", 60, 2_000, 90)),
                List.of(claim("never", 10, 5, 6)));
        for (int round = 0; round < 60; round++) {
            var requests = new ArrayList<TakeRequest>();
            while (requests.size() < 150) {
                var request = new TakeRequest("caller" + random.nextInt(2), kinds.get(random.nextInt(kinds.size())),
                        random.nextInt(6) > 0,
                        null);
                requests.addAll(Collections.nCopies(1 + random.nextInt(25), request));
            }
            var together = decideTogether(requests);
            for (int i = 0; i < requests.size(); i++) {
                var request = requests.get(i);
                var alone = memory.takeNow(request.identifier(), request.claims(), request.consume(), null);
                assertThat(text(together.get(i))).as("round %d, %d: %s", round, i, request).isEqualTo(text(alone));
            }
            redis.pass(random.nextInt(4_000_000));
        }
    }

    private static TakeRequest randomRequest(Random random, String name) {
        var identifier = "caller" + random.nextInt(8);
        return switch (random.nextInt(7)) {
            case 0 -> new TakeRequest(identifier, List.of(claim("several", 10, 20, 1 + random.nextInt(5))), true, null);
            case 1 -> new TakeRequest(identifier, List.of(claim("burst", 1, 3, 1), claim("unit", 10, 12, 1)), true, null);
            case 2 ->
                new TakeRequest(identifier, List.of(claim("large", 60, 1_000_000, 1 + random.nextInt(300_000))), true, null);
            case 3 -> new TakeRequest(identifier, List.of(claim("unit", 10, 12, 1)), false, null);
            case 4 -> new TakeRequest(identifier, List.of(claim("unit", 10, 12, 1), tokens("t", 60, 5000, 700)), true,
                    String.format("%32s", Integer.toHexString(name.hashCode())).replace(' ', '0'));
            default -> new TakeRequest(identifier, List.of(claim("unit", 10, 12, 1)), true, null);
        };
    }

    private static String text(StoreResult outcome) {
        return outcome.admitted() + " " + outcome.now() + " " + Arrays.toString(outcome.windows());
    }

    /** The script cannot delete foreign values: neither DEL nor UNLINK is permitted. */
    @Test
    void foreignKeyThatCannotBeDeletedFailsOnlyItsOwnDecision() {
        var keys = new WindowKeys(new HashTags("sluice"));
        redis.send(Request.cmd(Command.HSET).arg(keys.window("broken", WindowKeys.windowMember("r", 60))).arg("a").arg("b"));
        redis.send(Request.cmd(Command.SET).arg(keys.window("text", WindowKeys.windowMember("r", 60))).arg("fourteen chars"));
        redis.send(Request.cmd(Command.SET).arg(keys.index("index")).arg("no index"));
        redis.send(Request.cmd(Command.RPUSH).arg(keys.window("list", WindowKeys.windowMember("r", 60))).arg("a").arg("b")
                .arg("~c"));
        redis.send(Request.cmd(Command.ACL).arg("SETUSER").arg("default").arg("-del").arg("-unlink"));
        var identifiers = List.of("broken", "whole", "index", "list", "text");
        var results = new ArrayList<CompletableFuture<StoreResult>>();
        identifiers.forEach(identifier -> results.add(new CompletableFuture<>()));
        vertx.getOrCreateContext().runOnContext(now -> {
            for (int i = 0; i < identifiers.size(); i++) {
                var result = results.get(i);
                redis.store().take(identifiers.get(i), List.of(claim("r", 60, 10, 1)), true, null).subscribe()
                        .with(result::complete, result::completeExceptionally);
            }
        });
        for (int i = 0; i < identifiers.size(); i++) {
            var result = results.get(i);
            if ("whole".equals(identifiers.get(i))) {
                assertThat(result.join().admitted()).isTrue();
            } else {
                assertThatThrownBy(result::join).as(identifiers.get(i)).hasCauseInstanceOf(StoreUnavailableException.class);
            }
        }
        redis.send(Request.cmd(Command.ACL).arg("SETUSER").arg("default").arg("+@all"));
        assertThat(redis.take("whole", claim("r", 60, 10, 1)).windows()[0].used()).as("counted once").isEqualTo(2);
        assertThat(redis.take("index", claim("r", 60, 10, 1)).windows()[0].used()).as("not counted").isEqualTo(1);
        assertThat(redis.manager().isUp()).isTrue();
    }

    @Test
    void clusterBehindOneAddressIsQueriedSlotBySlot() {
        try (var cluster = RedisTestServer.startCluster()) {
            await().atMost(TIMEOUT).until(() -> cluster.send("SET a b").startsWith("+OK"));
            try (var member = new ClusterMember(cluster.url())) {
                var futures = new ArrayList<CompletableFuture<FailoverWindowStore.Outcome>>();
                vertx.getOrCreateContext().runOnContext(now -> {
                    synchronized (futures) {
                        for (int i = 0; i < 300; i++) {
                            futures.add(
                                    member.store().take("caller" + i % 100, List.of(ClusterMember.requests(2)), true, null)
                                            .subscribeAsCompletionStage());
                        }
                    }
                });
                await().atMost(TIMEOUT).until(() -> {
                    synchronized (futures) {
                        return futures.size() == 300;
                    }
                });
                var results = futures.stream().map(CompletableFuture::join).toList();
                assertThat(results).allMatch(result -> result.mode() == dev.sluice.api.DecisionMode.REDIS);
                assertThat(results.stream().filter(result -> result.result().admitted())).hasSize(200);
            }
        }
    }
}
