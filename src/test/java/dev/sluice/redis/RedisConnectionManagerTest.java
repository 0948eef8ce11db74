package dev.sluice.redis;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.impl.types.ErrorType;

class RedisConnectionManagerTest {

    private static final long AFTER_THE_PREVIOUS = Long.MAX_VALUE;
    private static final long BEFORE_THE_PREVIOUS = Long.MIN_VALUE;

    private static final int MAX_IN_FLIGHT = 5;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final RedisTestServer redis = RedisTestServer.start();
    private final Vertx vertx = Vertx.vertx();
    private final Redis client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
    private final RedisConnectionManager manager = new RedisConnectionManager(vertx, client::connect, new HashTags("sluice"),
            MAX_IN_FLIGHT);
    private final List<Boolean> changes = new CopyOnWriteArrayList<>();

    RedisConnectionManagerTest() {
        manager.onChange(cause -> changes.add(cause == null));
    }

    @AfterEach
    void close() {
        manager.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        redis.close();
    }

    private void start() {
        manager.start().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void requestsInFlightAreBoundedAndFurtherOnesFailAtOnce() {
        start();
        redis.suspend();
        var sent = IntStream.range(0, 20).mapToObj(i -> manager.send(Request.cmd(Command.INCR).arg("n"))).toList();
        assertThat(sent.stream().filter(Future::failed)).hasSize(20 - MAX_IN_FLIGHT)
                .allSatisfy(failed -> assertThat(failed.cause()).isInstanceOf(StoreUnavailableException.class));
        sent.stream().filter(Future::failed).forEach(failed -> manager.reportFailure(failed.cause()));
        assertThat(manager.isUp()).as("overload is no outage").isTrue();
        redis.resume();
        await().until(() -> sent.stream().allMatch(Future::isComplete));
        assertThat(sent.stream().filter(Future::succeeded)).hasSize(MAX_IN_FLIGHT);
        var after = manager.send(Request.cmd(Command.GET).arg("n")).toCompletionStage().toCompletableFuture().join();
        assertThat(after.toInteger()).as("what failed was never sent").isEqualTo(MAX_IN_FLIGHT);
    }

    private static Throwable error(String message) {
        return ErrorType.create(message);
    }

    @Test
    void threeErrorsInARowOpenTheCircuitAndAProbeClosesIt() {
        start();
        manager.reportFailure(error("ERR something"));
        manager.reportFailure(error("ERR something"));
        assertThat(manager.isUp()).isTrue();
        manager.reportFailure(error("ERR something"));
        await().atMost(TIMEOUT).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
    }

    @Test
    void errorsAmongSuccessesDoNotOpenTheCircuit() {
        start();
        for (int i = 0; i < 100; i++) {
            manager.reportFailure(error("ERR something"));
            manager.reportFailure(error("ERR something"));
            manager.reportSuccess();
        }
        assertThat(manager.isUp()).isTrue();
        assertThat(changes).containsExactly(true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"OOM command not allowed when used memory > 'maxmemory'.",
            "READONLY You can't write against a read only replica.",
            "ERR Error running script (call to f_0): @user_script:1: -OOM command not allowed", "LOADING Redis is loading",
            "NOPERM this user has no permissions", "MISCONF Redis is configured to save RDB snapshots"})
    void rejectedWriteOpensTheCircuitAtOnce(String message) {
        start();
        manager.reportFailure(error(message));
        await().atMost(TIMEOUT).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"WRONGTYPE Operation against a key holding the wrong kind of value",
            "TRYAGAIN Multiple keys request"})
    void errorOfOneKeyDoesNotOpenTheCircuit(String message) {
        start();
        for (int i = 0; i < 10; i++) {
            manager.reportFailure(error(message));
            manager.reportRejection(error(message));
        }
        assertThat(manager.isUp()).isTrue();
    }

    @Test
    void silentRedisOpensTheCircuitAndItsResponsesAreNotLost() {
        manager.setReplyTimeout(Duration.ofMillis(50));
        start();
        redis.suspend();
        var sent = manager.send(Request.cmd(Command.INCR).arg("n"));
        await().atMost(TIMEOUT).until(() -> changes.size() == 2);
        redis.resume();
        await().atMost(TIMEOUT).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
        await().atMost(TIMEOUT).until(sent::isComplete);
        assertThat(sent.result().toInteger()).isEqualTo(1);
    }

    /** The responses are in the socket while the event loop is blocked. */
    @Test
    void blockedEventLoopDoesNotOpenTheCircuit() throws InterruptedException {
        manager.setReplyTimeout(Duration.ofMillis(1000)); // much longer than Redis takes on a busy machine
        start();
        for (int round = 0; round < 2; round++) {
            var blocked = new CountDownLatch(1);
            manager.run(() -> {
                manager.send(Request.cmd(Command.PING));
                try {
                    assertThat(new CountDownLatch(1).await(1500, TimeUnit.MILLISECONDS)).isFalse();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                blocked.countDown();
            });
            blocked.await();
            assertThat(manager.send(Request.cmd(Command.PING)).toCompletionStage().toCompletableFuture().join()).isNotNull();
        }
        assertThat(changes).containsExactly(true);
    }

    @Test
    void lateResponsesInARowOpenTheCircuitUntilProbesAreAnsweredInTime() {
        start();
        for (int i = 0; i < 10; i++) {
            manager.reportLate(AFTER_THE_PREVIOUS);
            manager.reportLate(AFTER_THE_PREVIOUS);
            manager.reportSuccess();
        }
        assertThat(manager.isUp()).isTrue();
        for (int i = 0; i < 5; i++) {
            manager.reportLate(AFTER_THE_PREVIOUS);
        }
        await().atMost(TIMEOUT).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
    }

    @Test
    void lateResponsesOfOneStallAreOnePieceOfEvidence() {
        start();
        for (int i = 0; i < 4; i++) {
            manager.reportLate(AFTER_THE_PREVIOUS);
        }
        for (int i = 0; i < 100; i++) {
            manager.reportLate(BEFORE_THE_PREVIOUS);
        }
        manager.send(Request.cmd(Command.PING)).toCompletionStage().toCompletableFuture().join(); // after what was reported
        assertThat(changes).containsExactly(true);
        manager.reportLate(AFTER_THE_PREVIOUS);
        await().atMost(TIMEOUT).until(() -> changes.size() >= 2);
        assertThat(changes).startsWith(true, false);
    }

    @Test
    void lostConnectionOpensTheCircuitAndAnotherClosesIt() {
        start();
        redis.send("CLIENT KILL TYPE normal SKIPME yes");
        await().atMost(TIMEOUT).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
        assertThat(manager.send(Request.cmd(Command.PING)).toCompletionStage().toCompletableFuture().join()).isNotNull();
    }

    @Test
    void nothingIsSentBeforeTheReconnectTaskIsDone() throws InterruptedException {
        var task = Promise.<Void>promise();
        var taskStarted = new CountDownLatch(1);
        manager.onReconnect(connection -> {
            taskStarted.countDown();
            return task.future();
        });
        var started = manager.start();
        assertThat(taskStarted.await(TIMEOUT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(manager.isUp()).isFalse();
        assertThat(manager.send(Request.cmd(Command.PING)).failed()).isTrue();
        task.complete();
        await().until(manager::isUp);
        assertThat(started.succeeded()).isTrue();
    }
}
