package dev.sluice.llm.limit;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
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
import java.util.regex.Pattern;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import jakarta.inject.Inject;

import org.jboss.logging.Logger;

import dev.sluice.api.Quota;
import dev.sluice.api.RateLimiter;
import dev.sluice.redis.RedisProvider;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.Vertx;

/**
 * Settles reservations. A settlement that fails is retried with exponential backoff and jitter, {@value #AT_ONCE} at a time,
 * and as soon as Redis is back, until the reservation has left its windows. At most {@value #MOST} wait; beyond that the oldest
 * are dropped: their calls stay counted as they were reserved, until that leaves its windows. Settling is idempotent, so a
 * retry after a lost reply does no harm. Thread-safe; no method blocks but {@link #stop}.
 */
@ApplicationScoped
class SettlementQueue {

    static final int MOST = 10_000;
    static final int AT_ONCE = 256;
    static final long FIRST_PAUSE_MILLIS = 250;
    static final long LONGEST_PAUSE_MILLIS = 30_000;

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final Duration SHUTDOWN = Duration.ofSeconds(2);
    private static final long NO_TIMER = -1;
    /** A reservation of {@code dev.sluice.store.ReservationToken}: its last group are the lengths of its windows, in seconds. */
    private static final Pattern RESERVATION = Pattern.compile("[a-z]-[0-9a-f]{32}((?:-[1-9]\\d{0,6})+)");

    /** Runs a task later, once. */
    interface Timers {

        long start(long millis, Runnable task);

        void cancel(long timer);
    }

    /** @param until {@link System#nanoTime} when the reservation has left its windows */
    private record Settlement(String identifier, String reservation, Map<String, Long> used, long until) {
    }

    private final RateLimiter limiter;
    private final BooleanSupplier reachable;
    private final Timers timers;
    private final LongSupplier nanoTime;
    private final DoubleSupplier random;
    private final Counter dropped;
    /** Oldest first. */
    private final Deque<Settlement> waiting = new ArrayDeque<>();
    private final CompletableFuture<Void> idle = new CompletableFuture<>();
    private long timer = NO_TIMER;
    /** Rounds in a row in which nothing could be settled. */
    private int failedRounds;
    private int underWay;
    /** Of those under way, the ones of the current round of retries. */
    private int retrying;
    private int retried;
    private int failed;
    /** Settlements that failed after the stop: there is no further attempt. */
    private int lost;
    private boolean stopped;

    @Inject
    SettlementQueue(RateLimiter limiter, RedisProvider redis, Vertx vertx, MeterRegistry meters) {
        this(limiter, () -> redis.connectionManager() == null || redis.connectionManager().isUp(), new Timers() {

            @Override
            public long start(long millis, Runnable task) {
                return vertx.setTimer(millis, now -> task.run());
            }

            @Override
            public void cancel(long timer) {
                vertx.cancelTimer(timer);
            }
        }, System::nanoTime, () -> ThreadLocalRandom.current().nextDouble(), meters);
        if (redis.connectionManager() != null) {
            redis.connectionManager().onChange(cause -> {
                if (cause == null) {
                    reached();
                }
            });
        }
    }

    /**
     * @param reachable whether it makes sense to retry now; {@link #reached} tells when it does again
     * @param random from 0 to 1
     */
    SettlementQueue(RateLimiter limiter, BooleanSupplier reachable, Timers timers, LongSupplier nanoTime, DoubleSupplier random,
            MeterRegistry meters) {
        this.limiter = limiter;
        this.reachable = reachable;
        this.timers = timers;
        this.nanoTime = nanoTime;
        this.random = random;
        this.dropped = Counter.builder("llm_settlements_dropped")
                .description("Calls of language models that stay counted as they were reserved").register(meters);
        Gauge.builder("llm_settlements_waiting", this, SettlementQueue::waiting)
                .description("Calls of language models whose reservations wait to be settled").register(meters);
    }

    synchronized int waiting() {
        return waiting.size();
    }

    /** Never throws, and never waits. */
    void settle(String identifier, String reservation, Map<String, Long> used) {
        synchronized (this) {
            underWay++;
        }
        attempt(new Settlement(identifier, reservation, used,
                nanoTime.getAsLong() + TimeUnit.SECONDS.toNanos(longestWindow(reservation))), false);
    }

    /** In seconds. */
    private static long longestWindow(String reservation) {
        var text = RESERVATION.matcher(reservation);
        long longest = Quota.MAX_WINDOW.toSeconds();
        return text.matches()
                ? Math.min(longest,
                        Arrays.stream(text.group(1).substring(1).split("-")).mapToLong(Long::parseLong).max().orElse(longest))
                : longest;
    }

    private void attempt(Settlement settlement, boolean retry) {
        try {
            limiter.settle(settlement.identifier(), settlement.reservation(), settlement.used()).subscribe().with(
                    done -> ended(settlement, retry, true), failure -> ended(settlement, retry, false));
        } catch (RuntimeException | Error e) {
            LOG.error("A reservation could not be settled, and will be tried again", e);
            ended(settlement, retry, false);
        }
    }

    private void ended(Settlement settlement, boolean retry, boolean settled) {
        boolean next;
        synchronized (this) {
            underWay--;
            if (!settled) {
                later(settlement);
            }
            next = retry && endedRetry(settled) && !waiting.isEmpty();
            if (!next) {
                schedule();
            }
            if (stopped && underWay == 0 && !next) {
                idle.complete(null);
            }
        }
        if (next) {
            round();
        }
    }

    /** Whether the round has come to its end, and the next one may follow at once. */
    private boolean endedRetry(boolean settled) {
        failed += settled ? 0 : 1;
        if (--retrying > 0) {
            return false;
        }
        failedRounds = failed == retried ? failedRounds + 1 : 0;
        return failed == 0 || stopped;
    }

    private void later(Settlement settlement) {
        if (stopped) {
            dropped.increment();
            lost++;
            return;
        }
        if (waiting.size() == MOST) {
            waiting.removeFirst();
            dropped.increment();
        }
        waiting.addLast(settlement);
    }

    private void schedule() {
        if (!stopped && timer == NO_TIMER && retrying == 0 && !waiting.isEmpty() && reachable.getAsBoolean()) {
            long pause = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(failedRounds, 16));
            timer = timers.start(Math.max(1, (long) (pause * (0.5 + random.getAsDouble() / 2))), this::round);
        }
    }

    /** Redis is back. */
    synchronized void reached() {
        failedRounds = 0;
        cancelTimer();
        schedule();
    }

    private void cancelTimer() {
        if (timer != NO_TIMER) {
            timers.cancel(timer);
            timer = NO_TIMER;
        }
    }

    /** Retries those that have waited longest. */
    private void round() {
        List<Settlement> round = new ArrayList<>();
        synchronized (this) {
            if (!stopped) {
                cancelTimer();
            }
            if (retrying > 0) {
                return;
            }
            long now = nanoTime.getAsLong();
            while (round.size() < AT_ONCE && !waiting.isEmpty()) {
                var settlement = waiting.removeFirst();
                if (settlement.until() - now > 0) {
                    round.add(settlement);
                }
            }
            failed = 0;
            retried = round.size();
            retrying = retried;
            underWay += retried;
            if (stopped && underWay == 0) {
                idle.complete(null);
            }
        }
        round.forEach(settlement -> attempt(settlement, true));
    }

    /** Tries once more what waits, for up to two seconds; to be called before the link to Redis is closed. */
    void stop(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(90) ShutdownEvent stopping) {
        stop(SHUTDOWN);
    }

    void stop(Duration patience) {
        synchronized (this) {
            cancelTimer();
            stopped = true;
        }
        round();
        try {
            idle.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException e) {
            // logged below
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
        int left;
        synchronized (this) {
            left = lost + waiting.size() + underWay;
            dropped.increment(waiting.size());
            waiting.clear();
        }
        if (left > 0) {
            LOG.warnf("Calls of language models stay counted as they were reserved, because Sluice stops: calls=%d", left);
        }
    }
}
