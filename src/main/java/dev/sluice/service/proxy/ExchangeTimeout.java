package dev.sluice.service.proxy;

import dev.sluice.service.edge.LoopTimer;

/** Time limits of an exchange: time without progress, and time to read a response that nobody receives any more. */
final class ExchangeTimeout extends LoopTimer.Timed {

    private final LoopTimer timer;
    private final Runnable onIdle;
    private final Runnable onDrainEnd;
    private long activeAt;
    private long idleMillis;
    private long drainDeadline = Long.MAX_VALUE;
    private boolean suspended;

    /**
     * @param onIdle runs if there has been no progress for too long
     * @param onDrainEnd runs at the end of {@link #drainFor}
     */
    ExchangeTimeout(LoopTimer timer, Runnable onIdle, Runnable onDrainEnd) {
        this.timer = timer;
        this.onIdle = onIdle;
        this.onDrainEnd = onDrainEnd;
    }

    void start(long maxIdleMillis) {
        idleMillis = maxIdleMillis;
        onProgress();
        timer.register(this);
    }

    void stop() {
        timer.unregister(this);
    }

    void onProgress() {
        activeAt = timer.now();
    }

    void setIdleMillis(long maxIdleMillis) {
        idleMillis = maxIdleMillis;
    }

    /** Suspends the time without progress: the client does not read, which has a timeout of its own. */
    void setSuspended(boolean suspended) {
        this.suspended = suspended;
        onProgress();
    }

    void drainFor(long millis) {
        drainDeadline = timer.now() + millis;
    }

    @Override
    protected void onTick(long now) {
        if (now >= drainDeadline) {
            onDrainEnd.run();
        } else if (!suspended && now - activeAt > idleMillis) {
            onIdle.run();
        }
    }
}
