package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import dev.sluice.service.edge.LoopTimer;
import dev.sluice.testing.EmbeddedConnection;

/** An exchange times out without progress, and only then. */
class ExchangeTimeoutTest {

    private static final long TICK = 100;
    private static final long IDLE = 2000;
    private static final long LONG = 20 * IDLE;

    private final EmbeddedConnection connection = new EmbeddedConnection().open();
    private int idle;
    private int drained;
    private final ExchangeTimeout timeout = new ExchangeTimeout(
            new LoopTimer(connection.channel().eventLoop(), TICK, connection::nanoTime), this::onIdle, this::onDrainEnd);

    private void onIdle() {
        idle++;
        timeout.stop();
    }

    private void onDrainEnd() {
        drained++;
        timeout.stop();
    }

    private void makeProgress() {
        for (long millis = 0; millis < LONG; millis += IDLE / 2) {
            timeout.onProgress();
            connection.advance(IDLE / 2);
        }
    }

    @Test
    void slowUploadAndLongStreamAreNotCut() {
        timeout.start(IDLE);
        makeProgress();
        assertThat(idle).isZero();
    }

    @Test
    void silenceEndsTheExchange() {
        timeout.start(IDLE);
        makeProgress();
        connection.advance(IDLE / 2 - TICK);
        assertThat(idle).isZero();
        connection.advance(3 * TICK);
        assertThat(idle).isEqualTo(1);
    }

    @Test
    void limitOfAResponseReplacesThatOfItsHead() {
        timeout.start(IDLE);
        timeout.setIdleMillis(2 * IDLE);
        connection.advance(2 * IDLE - TICK);
        assertThat(idle).isZero();
        connection.advance(3 * TICK);
        assertThat(idle).isEqualTo(1);
    }

    @Test
    void silenceDoesNotCountWhileTheClientDoesNotRead() {
        timeout.start(IDLE);
        timeout.setSuspended(true);
        connection.advance(LONG);
        timeout.setSuspended(false);
        connection.advance(IDLE - TICK);
        assertThat(idle).isZero();
        connection.advance(3 * TICK);
        assertThat(idle).isEqualTo(1);
    }

    @Test
    void abandonedResponseIsReadForAWhile() {
        timeout.start(LONG);
        timeout.drainFor(IDLE);
        connection.advance(IDLE - TICK);
        assertThat(drained).isZero();
        connection.advance(2 * TICK);
        assertThat(drained).isEqualTo(1);
        assertThat(idle).isZero();
    }

    @Test
    void stoppedTimeoutDoesNotFire() {
        timeout.start(IDLE);
        timeout.drainFor(IDLE);
        timeout.stop();
        connection.advance(LONG);
        assertThat(idle + drained).isZero();
    }
}
