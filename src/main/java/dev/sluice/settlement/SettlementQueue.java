package dev.sluice.settlement;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import jakarta.inject.Inject;

import org.jboss.logging.Logger;

import dev.sluice.api.RateLimiter;
import dev.sluice.redis.RedisProvider;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.Vertx;

/**
 * Settles reservations and retries failed settlements, with exponential backoff and jitter,
 * {@value #MAX_CONCURRENT_RETRIES} at a time, and as soon as Redis is available again, until the reservation has left its
 * windows.
 * <p>
 * At most {@value #MAX_WAITING} settlements wait; beyond that the oldest are dropped: their units remain counted as
 * reserved until they leave the windows. Settling is idempotent, so a retry after a lost reply does no harm. Thread-safe;
 * only {@link #stop} blocks.
 */
@ApplicationScoped
public class SettlementQueue {

    static final int MAX_WAITING = 10_000;
    static final int MAX_CONCURRENT_RETRIES = 256;

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(2);

    private final RateLimiter limiter;
    private final BooleanSupplier storeAvailable;
    private final RetryTimer retryTimer;
    private final LongSupplier nanoTime;
    private final Counter dropped;
    /** Oldest first. */
    private final Deque<Settlement> waiting = new ArrayDeque<>();
    private final CompletableFuture<Void> idle = new CompletableFuture<>();
    /** Number of consecutive rounds in which every retry failed. */
    private int failedRounds;
    private int inFlight;
    /** The settlements in flight that belong to the current round of retries. */
    private int retriesInFlight;
    private int retriesInRound;
    private int failedInRound;
    /** Settlements that failed after the queue was stopped, and are not retried. */
    private int failedAfterStop;
    private boolean stopped;

    @Inject
    SettlementQueue(RateLimiter limiter, RedisProvider redis, Vertx vertx, MeterRegistry meters) {
        this(limiter, () -> redis.connectionManager() == null || redis.connectionManager().isUp(), RetryTimer.Timers.of(vertx),
                System::nanoTime, () -> ThreadLocalRandom.current().nextDouble(), meters);
        if (redis.connectionManager() != null) {
            redis.connectionManager().onChange(cause -> {
                if (cause == null) {
                    onStoreAvailable();
                }
            });
        }
    }

    /**
     * @param storeAvailable whether a retry can succeed now; {@link #onStoreAvailable} must be called when that becomes
     * true
     * @param random returns numbers from 0 to 1
     */
    public SettlementQueue(RateLimiter limiter, BooleanSupplier storeAvailable, RetryTimer.Timers timers, LongSupplier nanoTime,
            DoubleSupplier random, MeterRegistry meters) {
        this.limiter = limiter;
        this.storeAvailable = storeAvailable;
        this.retryTimer = new RetryTimer(timers, random);
        this.nanoTime = nanoTime;
        this.dropped = Counter.builder("llm_settlements_dropped")
                .description("Settlements that were dropped; their LLM calls and requests remain counted as reserved")
                .register(meters);
        Gauge.builder("llm_settlements_waiting", this, SettlementQueue::waiting)
                .description("Settlements of LLM calls and of rules that wait for an answer, which wait for a retry")
                .register(meters);
    }

    synchronized int waiting() {
        return waiting.size();
    }

    /**
     * Settles a reservation in the background. Never throws or blocks.
     *
     * @param usageByResource used units by resource; resources that are not part of the reservation are ignored
     */
    public void settle(String identifier, String reservation, Map<String, Long> usageByResource) {
        settle(identifier, reservation, usageByResource, () -> {
        });
    }

    /**
     * Settles a reservation in the background. Never throws or blocks.
     *
     * @param usageByResource used units by resource; resources that are not part of the reservation are ignored
     * @param afterAttempt runs when the first attempt has ended, on any thread; must not throw
     */
    public void settle(String identifier, String reservation, Map<String, Long> usageByResource, Runnable afterAttempt) {
        synchronized (this) {
            inFlight++;
        }
        attempt(Settlement.of(identifier, reservation, usageByResource, nanoTime.getAsLong()), false, afterAttempt);
    }

    private void attempt(Settlement settlement, boolean retry, Runnable afterAttempt) {
        try {
            limiter.settle(settlement.identifier(), settlement.reservation(), settlement.usageByResource()).subscribe().with(
                    done -> onAttemptEnded(settlement, retry, true, afterAttempt),
                    failure -> onAttemptEnded(settlement, retry, false, afterAttempt));
        } catch (RuntimeException | Error e) {
            LOG.error("Reservation could not be settled and will be retried", e);
            onAttemptEnded(settlement, retry, false, afterAttempt);
        }
    }

    private void onAttemptEnded(Settlement settlement, boolean retry, boolean settled, Runnable afterAttempt) {
        afterAttempt.run();
        boolean startNextRound;
        synchronized (this) {
            inFlight--;
            if (!settled) {
                enqueue(settlement);
            }
            startNextRound = retry && onRetryEnded(settled) && !waiting.isEmpty();
            if (!startNextRound) {
                scheduleRetry();
            }
            if (stopped && inFlight == 0 && !startNextRound) {
                idle.complete(null);
            }
        }
        if (startNextRound) {
            retryOldest();
        }
    }

    /** Returns whether the round has ended, and the next one may follow at once. */
    private boolean onRetryEnded(boolean settled) {
        failedInRound += settled ? 0 : 1;
        if (--retriesInFlight > 0) {
            return false;
        }
        failedRounds = failedInRound == retriesInRound ? failedRounds + 1 : 0;
        return failedInRound == 0 || stopped;
    }

    private void enqueue(Settlement settlement) {
        if (stopped) {
            dropped.increment();
            failedAfterStop++;
            return;
        }
        if (waiting.size() == MAX_WAITING) {
            waiting.removeFirst();
            dropped.increment();
        }
        waiting.addLast(settlement);
    }

    private void scheduleRetry() {
        if (!stopped && !retryTimer.isScheduled() && retriesInFlight == 0 && !waiting.isEmpty()
                && storeAvailable.getAsBoolean()) {
            retryTimer.schedule(failedRounds, this::retryOldest);
        }
    }

    /** Schedules a retry with the shortest backoff, because Redis is available again. */
    synchronized void onStoreAvailable() {
        failedRounds = 0;
        retryTimer.cancel();
        scheduleRetry();
    }

    /** Starts a round of retries with the settlements that have waited longest. */
    private void retryOldest() {
        List<Settlement> round = new ArrayList<>();
        synchronized (this) {
            if (!stopped) {
                retryTimer.cancel();
            }
            if (retriesInFlight > 0) {
                return;
            }
            long now = nanoTime.getAsLong();
            while (round.size() < MAX_CONCURRENT_RETRIES && !waiting.isEmpty()) {
                var settlement = waiting.removeFirst();
                if (!settlement.isExpired(now)) {
                    round.add(settlement);
                }
            }
            failedInRound = 0;
            retriesInRound = round.size();
            retriesInFlight = retriesInRound;
            inFlight += retriesInRound;
            if (stopped && inFlight == 0) {
                idle.complete(null);
            }
        }
        round.forEach(settlement -> attempt(settlement, true, () -> {
        }));
    }

    /** Retries the waiting settlements once, for up to two seconds. Must run before the Redis connection is closed. */
    void stop(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(90) ShutdownEvent stopping) {
        stop(SHUTDOWN_TIMEOUT);
    }

    void stop(Duration timeout) {
        synchronized (this) {
            retryTimer.cancel();
            stopped = true;
        }
        retryOldest();
        try {
            idle.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException e) {
            // the unsettled reservations are logged below
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
        int unsettled;
        synchronized (this) {
            unsettled = failedAfterStop + waiting.size() + inFlight;
            dropped.increment(waiting.size());
            waiting.clear();
        }
        if (unsettled > 0) {
            LOG.warnf("Reservations remain counted because Sluice is stopping: reservations=%d", unsettled);
        }
    }
}
