package dev.sluice.service.edge;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.EmbeddedConnection;

/** The timer's clock advances only while its event loop runs. */
class LoopTimerTest {

    private static final long TICK = 100;

    private final EmbeddedConnection connection = new EmbeddedConnection().open();
    private final LoopTimer timer = new LoopTimer(connection.channel().eventLoop(), TICK, connection::nanoTime);
    private int ticks;
    private final LoopTimer.Timed timed = new LoopTimer.Timed() {

        @Override
        protected void onTick(long now) {
            ticks++;
        }
    };

    @Test
    void timeAdvancesWithTheTicks() {
        timer.register(timed);
        connection.advance(50 * TICK);
        assertThat(ticks).isEqualTo(50);
        assertThat(timer.now()).isEqualTo(50 * TICK);
    }

    @Test
    void timeOfABlockedEventLoopDoesNotCount() {
        timer.register(timed);
        connection.advance(TICK);
        connection.block(1000 * TICK);
        connection.advance(TICK);
        assertThat(timer.now()).isLessThanOrEqualTo(5 * TICK);
    }

    @Test
    void timeWithoutRegisteredTimeoutsDoesNotCount() {
        timer.register(timed);
        connection.advance(TICK);
        timer.unregister(timed);
        connection.advance(1000 * TICK);
        timer.register(timed);
        assertThat(timer.now()).isLessThanOrEqualTo(3 * TICK);
        connection.advance(TICK);
        assertThat(ticks).isEqualTo(2);
    }

    @Test
    void failureOfOneTimeoutDoesNotStopTheOthers() {
        timer.register(new LoopTimer.Timed() {

            @Override
            protected void onTick(long now) {
                timer.unregister(this);
                throw new IllegalStateException("expected by the test");
            }
        });
        timer.register(timed);
        connection.advance(2 * TICK);
        assertThat(ticks).isEqualTo(2);
    }
}
