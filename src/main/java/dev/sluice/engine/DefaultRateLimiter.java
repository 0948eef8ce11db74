package dev.sluice.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;

import org.jboss.logging.Logger;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.Quota;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.PeriodCalendar;
import dev.sluice.store.ResultCallback;
import io.smallrye.mutiny.Uni;

/** Makes decisions: builds the claims of a request, queries the store and notifies the listeners. */
public final class DefaultRateLimiter implements RateLimiter, CallbackRateLimiter {

    private static final Logger LOG = Logger.getLogger(DefaultRateLimiter.class);

    private final FailoverWindowStore store;
    private final MicrosClock clock;
    private final boolean enabled;
    private final boolean dryRun;
    private final ClaimPlanCache planCache;
    private final List<DecisionListener> listeners;
    private final AcquireQueues queues;

    /**
     * Creates a limiter whose requests do not wait.
     *
     * @param fallback the policy for checks that do not set their own
     */
    public DefaultRateLimiter(FailoverWindowStore store, MicrosClock clock, FallbackPolicy fallback, boolean enabled,
            boolean dryRun,
            List<DecisionListener> listeners) {
        this(store, clock, PeriodCalendar.UTC, fallback, enabled, dryRun, listeners, (nanos, task) -> task, 0);
    }

    /**
     * @param calendar periods of the time zone
     * @param maxWaiters maximum number of requests that wait
     */
    DefaultRateLimiter(FailoverWindowStore store, MicrosClock clock, PeriodCalendar calendar, FallbackPolicy fallback,
            boolean enabled, boolean dryRun,
            List<DecisionListener> listeners, AcquireQueues.Timers timers, int maxWaiters) {
        this.store = store;
        this.clock = clock;
        this.planCache = new ClaimPlanCache(fallback, calendar, clock);
        this.enabled = enabled;
        this.dryRun = dryRun;
        this.listeners = List.copyOf(listeners);
        this.queues = new AcquireQueues(this, timers, System::nanoTime, () -> ThreadLocalRandom.current().nextDouble(),
                maxWaiters);
    }

    @Override
    public Uni<Decision> check(RateLimitRequest request) {
        return SubscriberContext
                .completeOn(() -> Uni.createFrom().emitter(emitter -> check(request, emitter::complete, emitter::fail)));
    }

    @Override
    public void check(RateLimitRequest request, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
        if (enabled) {
            new Check(request, onDecision, onFailure).start();
        } else {
            onDecision.accept(Decision.uncounted(request, DecisionMode.OFF, now()));
        }
    }

    @Override
    public Uni<Decision> acquire(RateLimitRequest request, Duration maxWait) {
        if (maxWait.isNegative() || maxWait.compareTo(Quota.MAX_WINDOW) > 0) {
            throw new IllegalArgumentException("maxWait must be from 0 to 31 days (was: " + maxWait + ")");
        }
        return SubscriberContext.completeOn(() -> Uni.createFrom().emitter(emitter -> emitter
                .onTermination(queues.acquire(request, maxWait, emitter::complete, emitter::fail))));
    }

    /** Decides the requests that wait now; later ones do not wait. */
    void close() {
        queues.close();
    }

    @Override
    public void checkAll(List<RateLimitRequest> requests, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
        if (requests.size() == 1) {
            check(requests.get(0), onDecision, onFailure);
        } else {
            checkAll(requests).subscribe().with(onDecision, onFailure);
        }
    }

    /** A decision in progress. */
    private final class Check implements ResultCallback<FailoverWindowStore.Outcome> {

        private final RateLimitRequest request;
        private final Consumer<Decision> onDecision;
        private final Consumer<Throwable> onError;
        private final long startNanos = System.nanoTime();

        Check(RateLimitRequest request, Consumer<Decision> onDecision, Consumer<Throwable> onError) {
            this.request = request;
            this.onDecision = onDecision;
            this.onError = onError;
        }

        void start() {
            boolean consume = false;
            for (var check : request.checks()) {
                if (check.rate() == Rate.BLOCKED) {
                    complete(Decision.blocked(request, store.mode(), now()));
                    return;
                }
                consume |= check.cost() > 0;
            }
            var plan = planCache.planFor(request.checks());
            if (plan.isEmpty()) {
                complete(Decision.uncounted(request, store.mode(), now()));
                return;
            }
            var reservation = consume && plan.reserved() ? UUID.randomUUID().toString().replace("-", "") : null;
            store.take(request.identifier(), plan, consume, reservation, this);
        }

        @Override
        public void onResult(FailoverWindowStore.Outcome outcome) {
            Decision decision;
            try {
                decision = outcome.result() == null
                        ? uncounted(outcome)
                        : decision(outcome);
            } catch (RuntimeException e) {
                onFailure(e);
                return;
            }
            complete(decision);
        }

        @Override
        public void onFailure(Throwable cause) {
            if (dryRun && cause instanceof StoreUnavailableException) {
                complete(Decision.uncounted(request, store.mode(), now()));
                return;
            }
            notifyListeners(request, (listener, nanos) -> listener.onFailure(request, store.mode(), nanos), startNanos);
            onError.accept(cause);
        }

        private Decision uncounted(FailoverWindowStore.Outcome outcome) {
            var decision = Decision.uncounted(request, outcome.mode(), now());
            return outcome.reservation() == null ? decision : decision.withReservation(outcome.reservation());
        }

        private void complete(Decision decision) {
            var delivered = dryRun ? decision.asDryRun() : decision;
            notifyListeners(request, (listener, nanos) -> listener.onDecision(request, delivered, nanos), startNanos);
            onDecision.accept(delivered);
        }
    }

    private static Decision decision(FailoverWindowStore.Outcome outcome) {
        var result = outcome.result();
        var decidedAt = MicrosClock.instant(result.now());
        var quotas = JointLimiter.statuses(outcome.claims(), result.windows(), 0, decidedAt);
        return new Decision(result.admitted(), !result.admitted(), outcome.mode(), decidedAt, quotas,
                Optional.ofNullable(outcome.reservation()));
    }

    private void notifyListeners(RateLimitRequest request, ObjLongConsumer<DecisionListener> notification, long startNanos) {
        if (!listeners.isEmpty() && !request.identifier().startsWith(DecisionWarmUp.SCRATCH_PREFIX)) {
            long nanos = System.nanoTime() - startNanos;
            for (var listener : listeners) {
                try {
                    notification.accept(listener, nanos);
                } catch (RuntimeException e) {
                    LOG.error("Decision listener failed", e);
                }
            }
        }
    }

    private Instant now() {
        return MicrosClock.instant(clock.micros());
    }

    @Override
    public Uni<Void> settle(String identifier, String reservation, Map<String, Long> used) {
        return reservation == null
                ? Uni.createFrom().voidItem()
                : SubscriberContext.completeOn(() -> store.settle(identifier, reservation, used));
    }
}
