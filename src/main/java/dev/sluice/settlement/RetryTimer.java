package dev.sluice.settlement;

import java.util.function.DoubleSupplier;

import io.vertx.core.Vertx;

/** Timer for the next retry, with exponential backoff and jitter. Not thread-safe. */
public final class RetryTimer {

    static final long MIN_BACKOFF_MILLIS = 250;
    static final long MAX_BACKOFF_MILLIS = 30_000;

    private static final int MAX_DOUBLINGS = 16;
    private static final long NO_TIMER = -1;

    /** One-shot timers. */
    public interface Timers {

        long start(long millis, Runnable task);

        void cancel(long timer);

        static Timers of(Vertx vertx) {
            return new Timers() {

                @Override
                public long start(long millis, Runnable task) {
                    return vertx.setTimer(millis, now -> task.run());
                }

                @Override
                public void cancel(long timer) {
                    vertx.cancelTimer(timer);
                }
            };
        }
    }

    private final Timers timers;
    private final DoubleSupplier random;
    private long timer = NO_TIMER;

    /** @param random returns numbers from 0 to 1 */
    RetryTimer(Timers timers, DoubleSupplier random) {
        this.timers = timers;
        this.random = random;
    }

    boolean isScheduled() {
        return timer != NO_TIMER;
    }

    /**
     * Schedules a retry after 50 to 100 percent of the backoff.
     *
     * @param failures number of consecutive failures, each of which doubles the backoff
     */
    void schedule(int failures, Runnable retry) {
        long backoff = Math.min(MAX_BACKOFF_MILLIS, MIN_BACKOFF_MILLIS << Math.min(failures, MAX_DOUBLINGS));
        timer = timers.start(Math.max(1, (long) (backoff * (0.5 + random.getAsDouble() / 2))), retry);
    }

    void cancel() {
        if (timer != NO_TIMER) {
            timers.cancel(timer);
            timer = NO_TIMER;
        }
    }
}
