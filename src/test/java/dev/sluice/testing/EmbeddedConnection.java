package dev.sluice.testing;

import java.util.concurrent.TimeUnit;

import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;

/** Connection without a socket whose time the test advances: {@link #nanoTime} and that of the tasks of its event loop. */
public final class EmbeddedConnection {

    private final EmbeddedChannel channel = new EmbeddedChannel(false, false);
    private long nanos = Long.MAX_VALUE - 1_000_000; // System.nanoTime may overflow

    public EmbeddedConnection() {
        channel.freezeTime();
    }

    /** Adds the handlers and makes the connection active. */
    public EmbeddedConnection open(ChannelHandler... handlers) {
        channel.pipeline().addLast(handlers);
        try {
            channel.register();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return this;
    }

    public EmbeddedChannel channel() {
        return channel;
    }

    /** As {@link System#nanoTime}. */
    public long nanoTime() {
        return nanos;
    }

    /** Advances the time in steps of a millisecond and runs the tasks that become due. */
    public void advance(long millis) {
        for (long i = 0; i < millis; i++) {
            block(1);
            channel.runPendingTasks();
        }
    }

    /** Advances the time while the event loop is blocked, so that no task runs. */
    public void block(long millis) {
        nanos += TimeUnit.MILLISECONDS.toNanos(millis);
        channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
    }

    /**
     * Advances the time until the connection is closed.
     *
     * @return the milliseconds that have passed; more than the maximum if the connection stays open
     */
    public long millisToClose(long maxMillis) {
        long passed = 0;
        while (channel.isOpen() && passed <= maxMillis) {
            advance(1);
            passed++;
        }
        return passed;
    }
}
