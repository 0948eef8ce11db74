package dev.sluice.store.redis;

import static dev.sluice.store.StoreUnderTest.claim;
import static dev.sluice.store.StoreUnderTest.tokens;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

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
import dev.sluice.testing.RealRedis;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/** Decisions that go to Redis together are the same as one after the other. */
class ScriptPipelineTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** @param reservation null for none */
    private record Ask(String identifier, List<WindowClaim> claims, boolean consume, String reservation) {
    }

    private final Vertx vertx = Vertx.vertx();
    private final Map<List<WindowClaim>, ClaimPlan> plans = new ConcurrentHashMap<>();
    private final StoreUnderTest.InRedis redis = new StoreUnderTest.InRedis();

    @AfterEach
    void close() {
        redis.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    /** All asked in one turn of an event loop; the answers in the order of the questions. */
    private List<StoreResult> together(List<Ask> asks) {
        var answers = new ArrayList<CompletableFuture<StoreResult>>();
        asks.forEach(ask -> answers.add(new CompletableFuture<>()));
        vertx.getOrCreateContext().runOnContext(now -> {
            for (int i = 0; i < asks.size(); i++) {
                var ask = asks.get(i);
                var answer = answers.get(i);
                redis.store()
                        .take(ask.identifier(), plans.computeIfAbsent(ask.claims(), ClaimPlan::of), ask.consume(),
                                ask.reservation())
                        .subscribe()
                        .with(answer::complete, answer::completeExceptionally);
            }
        });
        return answers.stream().map(CompletableFuture::join).toList();
    }

    private long calls() {
        var stats = redis.send(Request.cmd(Command.INFO).arg("commandstats")).toString();
        var evalsha = stats.substring(stats.indexOf("cmdstat_evalsha:calls=") + 22);
        return Long.parseLong(evalsha.substring(0, evalsha.indexOf(',')));
    }

    @Test
    void oneIdentityIsDecidedInOrder() {
        redis.take("other", claim("r", 60, 10, 1)); // the script is there
        long before = calls();
        var outcomes = together(
                IntStream.range(0, 1000).mapToObj(i -> new Ask("one", List.of(claim("r", 60, 100, 1)), true, null))
                        .toList());
        for (int i = 0; i < outcomes.size(); i++) {
            assertThat(outcomes.get(i).admitted()).as("request " + i).isEqualTo(i < 100);
            assertThat(outcomes.get(i).windows()[0].used()).isEqualTo(Math.min(i + 1, 100));
        }
        assertThat(calls() - before).as("calls of the script").isLessThan(100);
    }

    /** The store in memory decides one after the other. */
    @Test
    void anyMixtureIsDecidedAsInMemory() {
        var memory = new InMemoryWindowStore(redis::now, StoreUnderTest.EXACT, 64 << 20);
        var random = new Random(5);
        for (int round = 0; round < 30; round++) {
            var asks = new ArrayList<Ask>();
            for (int i = 0; i < 100; i++) {
                asks.add(ask(random, round + "-" + i));
            }
            var together = together(asks);
            for (int i = 0; i < asks.size(); i++) {
                var ask = asks.get(i);
                var alone = memory.takeNow(ask.identifier(), ask.claims(), ask.consume(), ask.reservation());
                assertThat(text(together.get(i))).as("round %d, %d: %s", round, i, ask).isEqualTo(text(alone));
            }
            redis.pass(random.nextInt(3_000_000));
        }
    }

    /** Requests of one identifier that follow each other are decided at once: with the outcomes that each would have had. */
    @Test
    void runsOfTheSameAreDecidedAsInMemory() {
        var memory = new InMemoryWindowStore(redis::now, StoreUnderTest.EXACT, 64 << 20);
        var random = new Random(7);
        var kinds = List.of(List.of(claim("unit", 10, 40, 1)), List.of(claim("several", 10, 100, 7)),
                List.of(claim("burst", 1, 13, 1), claim("unit", 10, 40, 1)), List.of(claim("ring", 60, 20_000, 700)),
                List.of(claim("ring", 60, 20_000, 1), claim("several", 10, 100, 3)), List.of(claim("long", 60, 2_000, 90)),
                List.of(claim("never", 10, 5, 6)));
        for (int round = 0; round < 60; round++) {
            var asks = new ArrayList<Ask>();
            while (asks.size() < 150) {
                var ask = new Ask("caller" + random.nextInt(2), kinds.get(random.nextInt(kinds.size())), random.nextInt(6) > 0,
                        null);
                asks.addAll(Collections.nCopies(1 + random.nextInt(25), ask));
            }
            var together = together(asks);
            for (int i = 0; i < asks.size(); i++) {
                var ask = asks.get(i);
                var alone = memory.takeNow(ask.identifier(), ask.claims(), ask.consume(), null);
                assertThat(text(together.get(i))).as("round %d, %d: %s", round, i, ask).isEqualTo(text(alone));
            }
            redis.pass(random.nextInt(4_000_000));
        }
    }

    private static Ask ask(Random random, String name) {
        var identifier = "caller" + random.nextInt(8);
        return switch (random.nextInt(7)) {
            case 0 -> new Ask(identifier, List.of(claim("several", 10, 20, 1 + random.nextInt(5))), true, null);
            case 1 -> new Ask(identifier, List.of(claim("burst", 1, 3, 1), claim("unit", 10, 12, 1)), true, null);
            case 2 -> new Ask(identifier, List.of(claim("large", 60, 1_000_000, 1 + random.nextInt(300_000))), true, null);
            case 3 -> new Ask(identifier, List.of(claim("unit", 10, 12, 1)), false, null);
            case 4 -> new Ask(identifier, List.of(claim("unit", 10, 12, 1), tokens("t", 60, 5000, 700)), true,
                    String.format("%32s", Integer.toHexString(name.hashCode())).replace(' ', '0'));
            default -> new Ask(identifier, List.of(claim("unit", 10, 12, 1)), true, null);
        };
    }

    private static String text(StoreResult outcome) {
        return outcome.admitted() + " " + outcome.now() + " " + Arrays.toString(outcome.windows());
    }

    /** Redis does not let the script delete what is foreign: neither DEL nor UNLINK is allowed to it. */
    @Test
    void foreignKeyThatCannotBeDeletedFailsOnlyItsOwnDecision() {
        var keys = new WindowKeys(new HashTags("sluice"));
        redis.send(Request.cmd(Command.HSET).arg(keys.window("broken", WindowKeys.windowMember("r", 60))).arg("a").arg("b"));
        redis.send(Request.cmd(Command.SET).arg(keys.window("text", WindowKeys.windowMember("r", 60))).arg("fourteen chars"));
        redis.send(Request.cmd(Command.SET).arg(keys.index("index")).arg("no index"));
        redis.send(Request.cmd(Command.RPUSH).arg(keys.window("list", WindowKeys.windowMember("r", 60))).arg("a").arg("b").arg("~c"));
        redis.send(Request.cmd(Command.ACL).arg("SETUSER").arg("default").arg("-del").arg("-unlink"));
        var identifiers = List.of("broken", "whole", "index", "list", "text");
        var answers = new ArrayList<CompletableFuture<StoreResult>>();
        identifiers.forEach(identifier -> answers.add(new CompletableFuture<>()));
        vertx.getOrCreateContext().runOnContext(now -> {
            for (int i = 0; i < identifiers.size(); i++) {
                var answer = answers.get(i);
                redis.store().take(identifiers.get(i), List.of(claim("r", 60, 10, 1)), true, null).subscribe()
                        .with(answer::complete, answer::completeExceptionally);
            }
        });
        for (int i = 0; i < identifiers.size(); i++) {
            var answer = answers.get(i);
            if ("whole".equals(identifiers.get(i))) {
                assertThat(answer.join().admitted()).isTrue();
            } else {
                assertThatThrownBy(answer::join).as(identifiers.get(i)).hasCauseInstanceOf(StoreUnavailableException.class);
            }
        }
        redis.send(Request.cmd(Command.ACL).arg("SETUSER").arg("default").arg("+@all"));
        assertThat(redis.take("whole", claim("r", 60, 10, 1)).windows()[0].used()).as("counted once").isEqualTo(2);
        assertThat(redis.take("index", claim("r", 60, 10, 1)).windows()[0].used()).as("not counted").isEqualTo(1);
        assertThat(redis.link().up()).isTrue();
    }

    @Test
    void clusterBehindOneAddressIsAskedSlotBySlot() {
        try (var cluster = RealRedis.startCluster()) {
            await().atMost(PATIENCE).until(() -> cluster.send("SET a b").startsWith("+OK"));
            try (var member = new ClusterMember(cluster.url())) {
                var answers = new ArrayList<CompletableFuture<FailoverWindowStore.Outcome>>();
                vertx.getOrCreateContext().runOnContext(now -> {
                    synchronized (answers) {
                        for (int i = 0; i < 300; i++) {
                            answers.add(
                                    member.windows().take("caller" + i % 100, List.of(ClusterMember.requests(2)), true, null)
                                            .subscribeAsCompletionStage());
                        }
                    }
                });
                await().atMost(PATIENCE).until(() -> {
                    synchronized (answers) {
                        return answers.size() == 300;
                    }
                });
                var outcomes = answers.stream().map(CompletableFuture::join).toList();
                assertThat(outcomes).allMatch(answer -> answer.mode() == dev.sluice.api.DecisionMode.REDIS);
                assertThat(outcomes.stream().filter(answer -> answer.result().admitted())).hasSize(200);
            }
        }
    }
}
