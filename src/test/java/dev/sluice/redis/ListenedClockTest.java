package dev.sluice.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.StoreUnavailableException;
import io.netty.channel.EventLoop;
import io.vertx.core.Promise;

class ListenedClockTest {

    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long TIMEOUT = 100 * MS;
    private static final long TICK = 5 * MS;

    private long now = 1_000_000 * MS;
    private final AtomicInteger scheduled = new AtomicInteger();
    private final ListenedClock clock = new ListenedClock(loop(), () -> now);
    private final ArrayList<Boolean> watching = new ArrayList<>();

    /** Creates an event loop without timers; the test calls the ticks. */
    private EventLoop loop() {
        return (EventLoop) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[]{EventLoop.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "inEventLoop" -> true;
                    case "isShuttingDown" -> false;
                    case "schedule" -> {
                        scheduled.incrementAndGet();
                        yield null;
                    }
                    default -> throw new AssertionError(method);
                });
    }

    @BeforeEach
    void watch() {
        clock.setResolution(TIMEOUT);
        clock.watch(() -> watching.isEmpty());
    }

    private void tick(long after) {
        now += after;
        clock.tick();
    }

    /** @param requestedAt time of the first request since the peer's last response */
    private boolean isOver(long startedAt, long startedAtWall, long requestedAt) {
        return clock.isOver(TIMEOUT, startedAt, startedAtWall, clock.listened() - requestedAt);
    }

    @Test
    void waitIsOverAfterItsTimeoutWhileTheLoopRuns() {
        long startedAt = clock.at(now);
        long wall = now;
        int ticks = 0;
        while (!isOver(startedAt, wall, startedAt)) {
            tick(TICK);
            ticks++;
        }
        assertThat(ticks * TICK).isEqualTo(TIMEOUT + TICK); // one tick later: by then all has been read
    }

    @Test
    void pauseCountsAsLittleMoreThanATick() {
        long startedAt = clock.at(now);
        long wall = now;
        tick(TICK);
        tick(300 * MS);
        tick(TICK);
        tick(TICK);
        assertThat(isOver(startedAt, wall, startedAt)).isFalse();
        assertThat(clock.listened() - startedAt).isLessThanOrEqualTo(4 * TICK);
    }

    @Test
    void nothingIsOverBeforeTheSocketsAreReadAfterAPause() {
        long startedAt = clock.at(now);
        long wall = now;
        tick(TICK);
        tick(20 * TIMEOUT);
        assertThat(isOver(startedAt, wall, startedAt)).as("at the first tick after the pause").isFalse();
    }

    @Test
    void waitEndsAfterFiveTimesItsTimeoutOfWallClockHoweverSlowTheInstance() {
        long startedAt = clock.at(now);
        long wall = now;
        while (!isOver(startedAt, wall, startedAt)) {
            tick(80 * MS); // a quarter of a CPU, and less
        }
        assertThat(now - wall).isBetween(ListenedClock.WALL_FACTOR * TIMEOUT, ListenedClock.WALL_FACTOR * TIMEOUT + 160 * MS);
    }

    @Test
    void waitForAPeerThatRespondsGoesOnHoweverSlowTheInstance() {
        long startedAt = clock.at(now);
        long wall = now;
        for (int i = 0; i < 10; i++) {
            tick(20 * TIMEOUT);
            assertThat(isOver(startedAt, wall, clock.at(now))).isFalse();
        }
        long requestedAt = clock.at(now);
        while (!isOver(startedAt, wall, requestedAt)) {
            tick(TICK);
        }
        assertThat(clock.listened() - startedAt).as("its timeout, or a silence").isLessThanOrEqualTo(TIMEOUT + TICK);
    }

    @Test
    void ticksOnlyWhileSomethingIsWatched() {
        assertThat(scheduled).hasValue(1);
        tick(TICK);
        assertThat(scheduled).hasValue(2);
        watching.add(false);
        tick(TICK);
        assertThat(scheduled).hasValue(2);
        long startedAt = clock.at(now);
        long wall = now;
        now += 1000 * TIMEOUT;
        clock.watch(() -> true);
        assertThat(scheduled).hasValue(3);
        tick(TICK);
        assertThat(isOver(startedAt, wall, startedAt)).as("idle time is no silence").isFalse();
    }

    @Test
    void watcherThatFailsDoesNotEndTheOthers() {
        var called = new AtomicInteger();
        clock.watch(() -> {
            throw new IllegalStateException("for the test");
        });
        clock.watch(() -> called.incrementAndGet() > 0);
        tick(TICK);
        tick(TICK);
        assertThat(called).hasValue(2);
    }

    @Test
    void futureFailsWhenItsTimeIsOverAndOnlyThen() {
        var late = clock.within(100, Promise.<Void>promise().future(), "Redis did not reply");
        Promise<String> promise = Promise.promise();
        var inTime = clock.within(100, promise.future(), "Redis did not reply");
        tick(10 * TIMEOUT);
        promise.complete("answer");
        for (int i = 0; i < 30; i++) {
            tick(TICK);
        }
        assertThat(late.cause()).isInstanceOf(StoreUnavailableException.class).hasMessage("Redis did not reply in 100 ms");
        assertThat(inTime.result()).isEqualTo("answer");
    }
}
