package dev.sluice.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import io.netty.channel.EventLoop;
import io.vertx.core.Future;
import io.vertx.core.Promise;

/**
 * Measures how long an event loop has listened to its sockets. A timeout in this time is a statement about the peer: a pause
 * of this process (garbage collection, CPU quota, SIGSTOP) and a blocked loop hardly count.
 * <p>
 * While something is watched, the loop ticks. The interval between two ticks counts at most {@value #MAX_INTERVAL_TENTHS} tenths of
 * the tick's period, and counts only at the tick after it: Netty reads its sockets between two ticks, so whatever had arrived
 * in a counted interval has been read. A timer of the same loop does not have that property: after a pause it expires before
 * the sockets are read. The same remedy for the same fault: <a href="https://github.com/sindresorhus/got/pull/525">got</a>;
 * compare the local pause of Cassandra's failure detector (CASSANDRA-9183).
 * <p>
 * Methods may be called on any thread except where they say otherwise.
 */
public final class ListenedClock {

    private static final Logger LOG = Logger.getLogger(ListenedClock.class);
    private static final long MAX_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long MIN_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final int TICKS_PER_TIMEOUT = 20;
    private static final int MAX_INTERVAL_TENTHS = 15;
    /** A wait ends after this many times its timeout of wall-clock time, however little of it was listened. */
    public static final int WALL_FACTOR = 5;
    /** Even then the peer must have been silent for this part of the timeout. */
    private static final int SILENCE_DIVISOR = 2;

    private final EventLoop loop;
    private final LongSupplier nanos;
    private volatile long tickNanos = MAX_TICK_NANOS;
    /** Accessed on the loop only. */
    private final List<BooleanSupplier> watchers = new ArrayList<>();
    private boolean ticking;
    /** Listened time and wall-clock time up to the tick before the last one. */
    private volatile long listened;
    private volatile long wall;
    /** Listened time up to the last tick, and when that was. */
    private volatile long counted;
    private volatile long lastTick;

    /** @param loop whose time is measured */
    public ListenedClock(EventLoop loop) {
        this(loop, System::nanoTime);
    }

    /** @param nanos the wall clock, as {@link System#nanoTime} */
    ListenedClock(EventLoop loop, LongSupplier nanos) {
        this.loop = loop;
        this.nanos = nanos;
        this.lastTick = nanos.getAsLong();
        this.wall = lastTick;
    }

    /** Chooses the period of the ticks for timeouts of this length. */
    void setResolution(long timeoutNanos) {
        tickNanos = Math.max(MIN_TICK_NANOS, Math.min(MAX_TICK_NANOS, timeoutNanos / TICKS_PER_TIMEOUT));
    }

    /**
     * Returns the listened time at a moment, in nanoseconds from an arbitrary origin: where a wait begins.
     *
     * @param now the wall clock's time
     */
    public long at(long now) {
        return counted + capped(now - lastTick);
    }

    /** Returns the listened time of which everything that had arrived has been read. */
    public long listened() {
        return listened;
    }

    /**
     * Returns whether a wait is over: after its timeout of listened time; or after {@value #WALL_FACTOR} times that of wall-clock
     * time, if the peer has been silent for a part of it. An instance that hardly runs, with a peer that responds, goes on waiting.
     *
     * @param timeout in nanoseconds
     * @param startedAt {@link #at} the moment at which it began
     * @param startedAtWall the wall clock's time at that moment
     * @param silence listened nanoseconds for which the peer has been silent
     */
    public boolean isOver(long timeout, long startedAt, long startedAtWall, long silence) {
        return listened - startedAt >= timeout
                || wall - startedAtWall >= WALL_FACTOR * timeout && silence >= timeout / SILENCE_DIVISOR;
    }

    /** Calls a watcher at each tick until it returns false. To be called on the loop, where the watcher is called too. */
    public void watch(BooleanSupplier watcher) {
        watchers.add(watcher);
        if (!ticking) {
            ticking = true;
            lastTick = nanos.getAsLong();
            wall = lastTick;
            listened = counted;
            schedule();
        }
    }

    /** One-shot, and not at a fixed rate: between two ticks the loop selects. */
    private void schedule() {
        loop.schedule(this::tick, tickNanos, TimeUnit.NANOSECONDS);
    }

    /**
     * Fails a future that is not complete after this much listened time.
     *
     * @param what what did not happen in time: the failure's message
     */
    <T> Future<T> within(long millis, Future<T> future, String what) {
        if (future.isComplete()) {
            return future;
        }
        Promise<T> promise = Promise.promise();
        future.onComplete(done -> {
            if (done.succeeded()) {
                promise.tryComplete(done.result());
            } else {
                promise.tryFail(done.cause());
            }
        });
        long startedAtWall = nanos.getAsLong();
        long startedAt = at(startedAtWall);
        long timeout = TimeUnit.MILLISECONDS.toNanos(millis);
        run(() -> watch(() -> {
            if (!future.isComplete() && isOver(timeout, startedAt, startedAtWall, listened - startedAt)) {
                promise.tryFail(new StoreUnavailableException(what + " in " + millis + " ms", null));
            }
            return !promise.future().isComplete();
        }));
        return promise.future();
    }

    private void run(Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
        } else {
            loop.execute(task);
        }
    }

    void tick() {
        long now = nanos.getAsLong();
        listened = counted;
        wall = lastTick;
        counted += capped(now - lastTick);
        lastTick = now;
        int kept = 0;
        for (int i = 0; i < watchers.size(); i++) { // a watcher may add others
            var watcher = watchers.get(i);
            if (callWatcher(watcher)) {
                watchers.set(kept++, watcher);
            }
        }
        watchers.subList(kept, watchers.size()).clear();
        ticking = !watchers.isEmpty() && !loop.isShuttingDown();
        if (ticking) {
            schedule();
        }
    }

    private static boolean callWatcher(BooleanSupplier watcher) {
        try {
            return watcher.getAsBoolean();
        } catch (RuntimeException e) {
            LOG.error("A timeout could not be handled", e);
            return false;
        }
    }

    private long capped(long interval) {
        return Math.max(0, Math.min(interval, tickNanos * MAX_INTERVAL_TENTHS / 10));
    }
}
