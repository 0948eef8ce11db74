package dev.sluice.service.edge;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import org.jboss.logging.Logger;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;

/**
 * Checks the timeouts of one event loop periodically, which costs nothing per request. Its clock stops while the event loop is
 * blocked or the process is suspended: time in which nothing could be received is not counted as silence of the other side.
 * <p>
 * Confined to its event loop.
 */
public final class LoopTimer {

    /** Something with a timeout; registered at most once. */
    public abstract static class Timed {

        private Timed previous;
        private Timed next;
        private boolean registered;

        /**
         * Called periodically while registered. May unregister itself.
         *
         * @param now time of the clock in milliseconds
         */
        protected abstract void onTick(long now);
    }

    private static final Logger LOG = Logger.getLogger(LoopTimer.class);

    private final EventLoop loop;
    private final long tickMillis;
    private final LongSupplier nanoTime;
    /** First entry of a circular list: the timer's own. */
    private final Timed head = new Timed() {

        @Override
        protected void onTick(long now) {
            throw new IllegalStateException();
        }
    };
    /** Entry that is checked next. */
    private Timed cursor;
    private long now;
    private long lastTickNanos;
    private ScheduledFuture<?> tick;

    /** @param tickMillis interval at which timeouts are checked */
    public LoopTimer(EventLoop loop, long tickMillis) {
        this(loop, tickMillis, System::nanoTime);
    }

    /** @param nanoTime as {@link System#nanoTime} */
    public LoopTimer(EventLoop loop, long tickMillis, LongSupplier nanoTime) {
        this.loop = loop;
        this.tickMillis = tickMillis;
        this.nanoTime = nanoTime;
        head.next = head;
        head.previous = head;
    }

    /** Returns the time of the clock in milliseconds, with the precision of a tick. */
    public long now() {
        return now;
    }

    /** Begins to call {@link Timed#onTick}; no effect if it is registered already. */
    public void register(Timed timed) {
        if (timed.registered) {
            return;
        }
        timed.registered = true;
        timed.previous = head.previous;
        timed.next = head;
        head.previous.next = timed;
        head.previous = timed;
        if (tick == null) {
            lastTickNanos = nanoTime.getAsLong();
            tick = loop.scheduleAtFixedRate(this::onTick, tickMillis, tickMillis, TimeUnit.MILLISECONDS);
        }
    }

    /** Ends the calls; no effect if it is not registered. */
    public void unregister(Timed timed) {
        if (timed.registered) {
            timed.registered = false;
            timed.previous.next = timed.next;
            timed.next.previous = timed.previous;
            if (cursor == timed) {
                cursor = timed.next;
            }
            timed.previous = null; // a chain of removed entries would keep all of them in memory
            timed.next = null;
        }
    }

    private void onTick() {
        long nanos = nanoTime.getAsLong();
        now += Math.min(TimeUnit.NANOSECONDS.toMillis(nanos - lastTickNanos), 2 * tickMillis);
        lastTickNanos = nanos;
        if (head.next == head) {
            tick.cancel(false);
            tick = null;
            return;
        }
        for (var timed = head.next; timed != head; timed = cursor) {
            cursor = timed.next;
            try {
                timed.onTick(now);
            } catch (RuntimeException e) {
                LOG.error("A timeout could not be handled", e);
            }
        }
        cursor = null;
    }
}
