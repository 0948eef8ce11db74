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

    /** Ticks only by hand. */
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

    /** @param asked when the peer was asked for the first time since it responded */
    private boolean over(long begun, long begunWall, long asked) {
        return clock.isOver(TIMEOUT, begun, begunWall, clock.listened() - asked);
    }

    @Test
    void waitIsOverAfterItsTimeoutWhileTheLoopRuns() {
        long begun = clock.at(now);
        long wall = now;
        int ticks = 0;
        while (!over(begun, wall, begun)) {
            tick(TICK);
            ticks++;
        }
        assertThat(ticks * TICK).isEqualTo(TIMEOUT + TICK); // one tick later: by then all has been read
    }

    @Test
    void pauseCountsAsLittleMoreThanATick() {
        long begun = clock.at(now);
        long wall = now;
        tick(TICK);
        tick(300 * MS);
        tick(TICK);
        tick(TICK);
        assertThat(over(begun, wall, begun)).isFalse();
        assertThat(clock.listened() - begun).isLessThanOrEqualTo(4 * TICK);
    }

    @Test
    void nothingIsOverBeforeTheSocketsAreReadAfterAPause() {
        long begun = clock.at(now);
        long wall = now;
        tick(TICK);
        tick(20 * TIMEOUT);
        assertThat(over(begun, wall, begun)).as("at the first tick after the pause").isFalse();
    }

    @Test
    void waitEndsAfterFiveTimesItsTimeoutOfWallClockHoweverSlowTheInstance() {
        long begun = clock.at(now);
        long wall = now;
        while (!over(begun, wall, begun)) {
            tick(80 * MS); // a quarter of a CPU, and less
        }
        assertThat(now - wall).isBetween(ListenedClock.WALL_FACTOR * TIMEOUT, ListenedClock.WALL_FACTOR * TIMEOUT + 160 * MS);
    }

    @Test
    void peerThatRespondsIsWaitedForHoweverSlowTheInstance() {
        long begun = clock.at(now);
        long wall = now;
        for (int i = 0; i < 10; i++) {
            tick(20 * TIMEOUT);
            assertThat(over(begun, wall, clock.at(now))).isFalse();
        }
        long asked = clock.at(now);
        while (!over(begun, wall, asked)) {
            tick(TICK);
        }
        assertThat(clock.listened() - begun).as("its timeout, or a silence").isLessThanOrEqualTo(TIMEOUT + TICK);
    }

    @Test
    void ticksOnlyWhileSomethingIsWatched() {
        assertThat(scheduled).hasValue(1);
        tick(TICK);
        assertThat(scheduled).hasValue(2);
        watching.add(false);
        tick(TICK);
        assertThat(scheduled).hasValue(2);
        long begun = clock.at(now);
        long wall = now;
        now += 1000 * TIMEOUT;
        clock.watch(() -> true);
        assertThat(scheduled).hasValue(3);
        tick(TICK);
        assertThat(over(begun, wall, begun)).as("idle time is no silence").isFalse();
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
        var late = clock.within(100, Promise.<Void>promise().future(), "Redis did not answer");
        Promise<String> promise = Promise.promise();
        var inTime = clock.within(100, promise.future(), "Redis did not answer");
        tick(10 * TIMEOUT);
        promise.complete("answer");
        for (int i = 0; i < 30; i++) {
            tick(TICK);
        }
        assertThat(late.cause()).isInstanceOf(StoreUnavailableException.class).hasMessage("Redis did not answer in 100 ms");
        assertThat(inTime.result()).isEqualTo("answer");
    }
}
