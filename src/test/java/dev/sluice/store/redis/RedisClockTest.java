package dev.sluice.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

class RedisClockTest {

    private static final long MICRO = 1000;
    private static final long MILLI = 1_000_000;

    private final RedisClock clock = new RedisClock();
    private final AtomicInteger setBack = new AtomicInteger();

    RedisClockTest() {
        clock.onSetBack(setBack::incrementAndGet);
    }

    @Test
    void isUnknownBeforeTheFirstReply() {
        assertThat(clock.isKnown()).isFalse();
    }

    @Test
    void boundsAreTheTimesOfSendingAndReceiving() {
        clock.update(5_000, 100 * MICRO, 400 * MICRO);

        assertThat(clock.isKnown()).isTrue();
        assertThat(clock.earliest(400 * MICRO)).isEqualTo(5_000);
        assertThat(clock.latest(400 * MICRO)).isEqualTo(5_301);
        assertThat(clock.earliest(1_400 * MICRO)).isEqualTo(6_000);
        assertThat(clock.latest(1_400 * MICRO)).isEqualTo(6_301);
    }

    @Test
    void laterReplyReplacesTheBounds() {
        clock.update(5_000, 0, 900 * MICRO);
        clock.update(6_050, 1_000 * MICRO, 1_100 * MICRO);

        assertThat(clock.latest(1_100 * MICRO) - clock.earliest(1_100 * MICRO)).isEqualTo(101);
        assertThat(setBack).hasValue(0);
    }

    @Test
    void driftWithinTheToleranceIsNoSetBack() {
        clock.update(50_000, 0, 100 * MICRO);
        clock.update(148_000, 100 * MILLI, 100 * MILLI + 100 * MICRO);

        assertThat(setBack).hasValue(0);
    }

    @Test
    void clockThatCannotHaveRunOnWasSetBack() {
        clock.update(50_000, 0, 100 * MICRO);
        clock.update(147_000, 100 * MILLI, 100 * MILLI + 100 * MICRO);

        assertThat(setBack).hasValue(1);
    }

    @Test
    void clockSetForwardIsAccepted() {
        clock.update(50_000, 0, 100 * MICRO);
        clock.update(90_000_000, MILLI, MILLI + 100 * MICRO);

        assertThat(setBack).hasValue(0);
        assertThat(clock.earliest(MILLI + 100 * MICRO)).isEqualTo(90_000_000);
    }
}
