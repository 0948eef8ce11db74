package dev.sluice.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import dev.sluice.testing.RealRedis;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.impl.types.ErrorType;

class RedisConnectionManagerTest {

    private static final int MOST = 5;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final RealRedis redis = RealRedis.start();
    private final Vertx vertx = Vertx.vertx();
    private final Redis client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
    private final RedisConnectionManager link = new RedisConnectionManager(vertx, client::connect, new HashTags("sluice"),
            MOST);
    private final List<Boolean> changes = new CopyOnWriteArrayList<>();

    RedisConnectionManagerTest() {
        link.onChange(cause -> changes.add(cause == null));
    }

    @AfterEach
    void close() {
        link.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        redis.close();
    }

    private void start() {
        link.start().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void whatWaitsForAnswersIsBoundedAndWhatIsMoreFailsAtOnce() {
        start();
        redis.send("CLIENT PAUSE 1000");
        var sent = IntStream.range(0, 20).mapToObj(i -> link.send(Request.cmd(Command.INCR).arg("n"))).toList();
        assertThat(sent.stream().filter(Future::failed)).hasSize(20 - MOST)
                .allSatisfy(failed -> assertThat(failed.cause()).isInstanceOf(StoreUnavailableException.class));
        sent.stream().filter(Future::failed).forEach(failed -> link.reportFailure(failed.cause()));
        assertThat(link.up()).as("overload is no outage").isTrue();
        await().until(() -> sent.stream().allMatch(Future::isComplete));
        assertThat(sent.stream().filter(Future::succeeded)).hasSize(MOST);
        var after = link.send(Request.cmd(Command.GET).arg("n")).toCompletionStage().toCompletableFuture().join();
        assertThat(after.toInteger()).as("what failed was never sent").isEqualTo(MOST);
    }

    private static Throwable error(String message) {
        return ErrorType.create(message);
    }

    @Test
    void threeErrorsInARowOpenTheCircuitAndAProbeClosesIt() {
        start();
        link.reportFailure(error("ERR something"));
        link.reportFailure(error("ERR something"));
        assertThat(link.up()).isTrue();
        link.reportFailure(error("ERR something"));
        await().atMost(PATIENCE).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
    }

    @Test
    void errorsAmongSuccessesDoNotOpenIt() {
        start();
        for (int i = 0; i < 100; i++) {
            link.reportFailure(error("ERR something"));
            link.reportFailure(error("ERR something"));
            link.reportSuccess();
        }
        assertThat(link.up()).isTrue();
        assertThat(changes).containsExactly(true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"OOM command not allowed when used memory > 'maxmemory'.",
            "READONLY You can't write against a read only replica.",
            "ERR Error running script (call to f_0): @user_script:1: -OOM command not allowed", "LOADING Redis is loading",
            "NOPERM this user has no permissions", "MISCONF Redis is configured to save RDB snapshots"})
    void refusedWriteOpensItAtOnce(String message) {
        start();
        link.reportFailure(error(message));
        await().atMost(PATIENCE).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"WRONGTYPE Operation against a key holding the wrong kind of value",
            "TRYAGAIN Multiple keys request"})
    void errorOfOneKeyDoesNotOpenIt(String message) {
        start();
        for (int i = 0; i < 10; i++) {
            link.reportFailure(error(message));
            link.reportRejection(error(message));
        }
        assertThat(link.up()).isTrue();
    }

    @Test
    void silentRedisOpensItAndItsResponsesAreNotLost() {
        link.setReplyTimeout(Duration.ofMillis(50));
        start();
        redis.send("CLIENT PAUSE 1000");
        var sent = link.send(Request.cmd(Command.INCR).arg("n"));
        await().atMost(PATIENCE).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
        await().atMost(PATIENCE).until(sent::isComplete);
        assertThat(sent.result().toInteger()).isEqualTo(1);
    }

    /** The responses lie in the socket while the loop is blocked. */
    @Test
    void blockedEventLoopDoesNotOpenIt() throws InterruptedException {
        link.setReplyTimeout(Duration.ofMillis(20));
        start();
        for (int round = 0; round < 5; round++) {
            var blocked = new CountDownLatch(1);
            link.run(() -> {
                link.send(Request.cmd(Command.PING));
                try {
                    assertThat(new CountDownLatch(1).await(300, TimeUnit.MILLISECONDS)).isFalse();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                blocked.countDown();
            });
            blocked.await();
            assertThat(link.send(Request.cmd(Command.PING)).toCompletionStage().toCompletableFuture().join()).isNotNull();
        }
        assertThat(changes).containsExactly(true);
    }

    @Test
    void lateResponsesInARowOpenItUntilProbesAreAnsweredInTime() {
        start();
        for (int i = 0; i < 10; i++) {
            link.reportLate();
            link.reportLate();
            link.reportSuccess();
        }
        assertThat(link.up()).isTrue();
        for (int i = 0; i < 5; i++) {
            link.reportLate();
        }
        await().atMost(PATIENCE).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
    }

    @Test
    void lostConnectionOpensItAndAnotherClosesIt() {
        start();
        redis.send("CLIENT KILL TYPE normal SKIPME yes");
        await().atMost(PATIENCE).until(() -> changes.size() == 3);
        assertThat(changes).containsExactly(true, false, true);
        assertThat(link.send(Request.cmd(Command.PING)).toCompletionStage().toCompletableFuture().join()).isNotNull();
    }

    @Test
    void nothingIsSentBeforeWhatIsDoneOnArrivalIsDone() {
        var arrived = Promise.<Void>promise();
        link.onReconnect(channel -> arrived.future());
        var started = link.start();
        await().pollDelay(Duration.ofMillis(300)).until(() -> !link.up());
        assertThat(link.send(Request.cmd(Command.PING)).failed()).isTrue();
        arrived.complete();
        await().until(link::up);
        assertThat(started.succeeded()).isTrue();
    }
}
