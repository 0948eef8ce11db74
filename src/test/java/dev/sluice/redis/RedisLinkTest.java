package dev.sluice.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.testing.RealRedis;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;

class RedisLinkTest {

    private static final int MOST = 5;

    private final RealRedis redis = RealRedis.start();
    private final Vertx vertx = Vertx.vertx();
    private final Redis client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
    private final RedisLink link = new RedisLink(vertx, client::connect, new KeySpace("sluice"), MOST);
    private final List<Boolean> changes = new CopyOnWriteArrayList<>();

    RedisLinkTest() {
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
        sent.stream().filter(Future::failed).forEach(failed -> link.failed(failed.cause()));
        assertThat(link.up()).as("overload is no outage").isTrue();
        await().until(() -> sent.stream().allMatch(Future::isComplete));
        assertThat(sent.stream().filter(Future::succeeded)).hasSize(MOST);
        var after = link.send(Request.cmd(Command.GET).arg("n")).toCompletionStage().toCompletableFuture().join();
        assertThat(after.toInteger()).as("what failed was never sent").isEqualTo(MOST);
    }

    @Test
    void threeFailuresInARowTakeItDownAndAProbeUpAgain() {
        start();
        var failure = new StoreUnavailableException("no answer", null);
        link.failed(failure);
        link.failed(failure);
        assertThat(link.up()).isTrue();
        link.failed(failure);
        assertThat(link.up()).isFalse();
        assertThat(link.send(Request.cmd(Command.PING)).failed()).as("fails at once").isTrue();
        await().until(link::up);
        assertThat(changes).containsExactly(true, false, true);
    }

    @Test
    void failuresAmongManySuccessesDoNot() {
        start();
        for (int i = 0; i < 100; i++) {
            link.failed(new StoreUnavailableException("no answer", null));
            for (int j = 0; j < 4; j++) {
                link.succeeded();
            }
        }
        assertThat(link.up()).isTrue();
        assertThat(changes).containsExactly(true);
    }

    @Test
    void linkThatFlapsHasToProveItself() {
        var arrivals = new CopyOnWriteArrayList<Long>();
        link.onArrival(channel -> {
            arrivals.add(System.nanoTime());
            return Future.succeededFuture();
        });
        start();
        for (int i = 0; i < 3; i++) {
            link.refused(new IllegalStateException("OOM"));
            await().until(link::up);
        }
        // One more probe each time, each of which comes a while after the one before.
        var waits = IntStream.range(1, arrivals.size()).mapToObj(i -> Duration.ofNanos(arrivals.get(i) - arrivals.get(i - 1)))
                .toList();
        assertThat(waits).hasSize(3);
        assertThat(waits.get(2)).isGreaterThanOrEqualTo(Duration.ofMillis(1000));
    }

    @Test
    void nothingIsSentBeforeWhatIsDoneOnArrivalIsDone() {
        var arrived = Promise.<Void>promise();
        link.onArrival(channel -> arrived.future());
        var started = link.start();
        await().pollDelay(Duration.ofMillis(300)).until(() -> !link.up());
        assertThat(link.send(Request.cmd(Command.PING)).failed()).isTrue();
        arrived.complete();
        await().until(link::up);
        assertThat(started.succeeded()).isTrue();
    }
}
