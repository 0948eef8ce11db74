package dev.sluice.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ObjLongConsumer;

import org.jboss.logging.Logger;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.Quota;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.redis.HashTags;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.Enforcement;
import dev.sluice.store.JointRequest;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.PeriodCalendar;
import dev.sluice.store.ResultCallback;
import io.smallrye.mutiny.Uni;

/** Makes decisions: builds the claims of a request, queries the store and notifies the listeners. */
public final class DefaultRateLimiter implements RateLimiter, CallbackRateLimiter {

    private static final Logger LOG = Logger.getLogger(DefaultRateLimiter.class);

    private final FailoverWindowStore store;
    private final JointWindowStore joint;
    private final MicrosClock clock;
    private final boolean enabled;
    private final boolean dryRun;
    private final ClaimPlanCache planCache;
    private final List<DecisionListener> listeners;
    private final InFlightRequests inFlight;
    private final AcquireQueues queues;

    /**
     * Creates a limiter whose requests do not wait.
     *
     * @param fallback the policy for checks that do not set their own
     */
    public DefaultRateLimiter(FailoverWindowStore store, JointWindowStore joint, MicrosClock clock, FallbackPolicy fallback,
            boolean enabled, boolean dryRun,
            List<DecisionListener> listeners) {
        this(store, joint, clock, PeriodCalendar.UTC, fallback, enabled, dryRun, listeners, new InFlightRequests(),
                (nanos, task) -> task, 0);
    }

    /**
     * @param calendar periods of the time zone
     * @param inFlight counts the requests that hold slots
     * @param maxWaiters maximum number of requests that wait
     */
    DefaultRateLimiter(FailoverWindowStore store, JointWindowStore joint, MicrosClock clock, PeriodCalendar calendar,
            FallbackPolicy fallback,
            boolean enabled, boolean dryRun,
            List<DecisionListener> listeners, InFlightRequests inFlight, AcquireQueues.Timers timers, int maxWaiters) {
        this.store = store;
        this.joint = joint;
        this.clock = clock;
        this.planCache = new ClaimPlanCache(fallback, calendar, clock);
        this.enabled = enabled;
        this.dryRun = dryRun;
        this.listeners = List.copyOf(listeners);
        this.inFlight = inFlight;
        this.queues = new AcquireQueues(this, timers, System::nanoTime, () -> ThreadLocalRandom.current().nextDouble(),
                maxWaiters);
    }

    @Override
    public Uni<Decision> check(RateLimitRequest request) {
        return SlotDelivery.toUni((onDecision, onFailure) -> {
            check(request, onDecision, onFailure);
            return () -> {
            };
        });
    }

    @Override
    public void check(RateLimitRequest request, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
        if (enabled) {
            new Check(List.of(request), IdentityChain.NONE, Mode.TAKE, onDecision, onFailure).start();
        } else {
            onDecision.accept(uncounted(List.of(request), DecisionMode.OFF));
        }
    }

    @Override
    public Uni<Decision> checkAll(List<RateLimitRequest> requests) {
        return CallbackRateLimiter.checkAll(this, requests, IdentityChain.NONE);
    }

    @Override
    public void decideAll(List<RateLimitRequest> requests, IdentityChain chain, Mode mode, Consumer<Decision> onDecision,
            Consumer<Throwable> onFailure) {
        if (enabled) {
            new Check(RequestMerger.merge(requests), chain, mode, onDecision, onFailure).start();
        } else {
            onDecision.accept(uncounted(requests, DecisionMode.OFF));
        }
    }

    @Override
    public Uni<Decision> charge(RateLimitRequest request) {
        return SubscriberContext.completeOn(
                () -> Uni.createFrom().emitter(emitter -> chargeAll(List.of(request), emitter::complete, emitter::fail)));
    }

    @Override
    public boolean isAtomic(List<RateLimitRequest> requests) {
        return joint.isAtomic(requests.stream().map(RateLimitRequest::identifier).distinct().toList());
    }

    @Override
    public Uni<Decision> acquire(RateLimitRequest request, Duration maxWait) {
        if (maxWait.isNegative() || maxWait.compareTo(Quota.MAX_WINDOW) > 0) {
            throw new IllegalArgumentException("maxWait must be from 0 to 31 days (was: " + maxWait + ")");
        }
        return SlotDelivery.toUni((onDecision, onFailure) -> queues.acquire(request, maxWait, onDecision, onFailure));
    }

    /** Decides the requests that wait now; later ones do not wait. */
    void close() {
        queues.close();
    }

    /** A decision in progress, on one or several identifiers. */
    private final class Check {

        private final List<RateLimitRequest> requests;
        private final IdentityChain chain;
        private final Mode mode;
        private final Consumer<Decision> onDecision;
        private final Consumer<Throwable> onError;
        private final long startNanos = System.nanoTime();
        private boolean hasShadow;
        /** True if a cost of 0, beside others, asks for one unit. */
        private boolean asks;

        /** @param requests requests of different identifiers or shadow rules */
        Check(List<RateLimitRequest> requests, IdentityChain chain, Mode mode, Consumer<Decision> onDecision,
                Consumer<Throwable> onError) {
            this.requests = requests;
            this.chain = chain;
            this.mode = mode;
            this.onDecision = onDecision;
            this.onError = onError;
        }

        void start() {
            boolean consume = false;
            boolean anyFree = false;
            for (var request : requests) {
                hasShadow |= request.shadow();
                for (var check : request.checks()) {
                    if (check.rate() == Rate.BLOCKED && !request.shadow()) {
                        complete(Decision.blocked(request, store.mode(), now()));
                        return;
                    }
                    consume |= check.cost() > 0;
                    anyFree |= check.cost() == 0;
                }
            }
            asks = mode == Mode.ASK && consume && anyFree;
            if (requests.size() == 1 && !hasShadow && !asks && !(mode == Mode.CHARGE && consume)) {
                var request = requests.get(0);
                take(storedIdentifier(request), planCache.planFor(request, consume), consume);
            } else {
                takeAll(consume);
            }
        }

        private void takeAll(boolean consume) {
            var identifiers = new ArrayList<String>(requests.size());
            var parts = new ArrayList<ClaimPlan>(requests.size());
            for (var request : requests) {
                var plan = mode == Mode.CHARGE && consume
                        ? planCache.chargePlan(request.checks())
                        : planCache.planFor(request, consume);
                if (!plan.isEmpty()) { // otherwise unlimited
                    identifiers.add(storedIdentifier(request));
                    parts.add(plan);
                }
            }
            if (parts.isEmpty() || parts.size() == 1 && !asks && parts.get(0).get(0).enforcement() == Enforcement.ENFORCED) {
                take(parts.isEmpty() ? null : identifiers.get(0), parts.isEmpty() ? ClaimPlan.of(List.of()) : parts.get(0),
                        consume);
                return;
            }
            var plan = planCache.jointPlan(parts, asks);
            joint.take(new JointRequest(identifiers, plan), consume && mode != Mode.TRY, reservation(plan.reserved(), consume),
                    new Callback<>(outcome -> outcome.result() == null
                            ? unlimited(outcome.mode(), outcome.reservation())
                            : decision(outcome)) {
                        @Override
                        public void onFailure(Throwable cause) {
                            if (cause instanceof ClusterDetectedException) {
                                takeAll(consume);
                            } else {
                                super.onFailure(cause);
                            }
                        }
                    });
        }

        /** Returns the id of a reservation; null if nothing is reserved. In the mode ASK no answer is known, so nothing is settled. */
        private String reservation(boolean reserved, boolean consume) {
            return reserved && consume && (mode == Mode.TAKE || mode == Mode.CHARGE) ? newReservation() : null;
        }

        /** Returns the identifier under which the windows are stored. */
        private String storedIdentifier(RateLimitRequest request) {
            var identifier = request.identifier();
            return chain == IdentityChain.NONE || !joint.isSharded() || !chain.contains(identifier)
                    ? identifier
                    : HashTags.inSlotOf(chain.root(), identifier);
        }

        private void take(String identifier, ClaimPlan plan, boolean consume) {
            if (plan.isEmpty()) {
                complete(uncounted(requests, store.mode()));
                return;
            }
            store.take(identifier, plan, consume && mode != Mode.TRY, reservation(plan.reserved(), consume),
                    new Callback<>(outcome -> outcome.result() == null
                            ? unlimited(outcome.mode(), outcome.reservation())
                            : decision(identifier, outcome)));
        }

        /**
         * Receives the outcome of a store.
         *
         * @param <O> type of the outcome
         */
        private class Callback<O> implements ResultCallback<O> {

            private final Function<O, Decision> reader;

            Callback(Function<O, Decision> reader) {
                this.reader = reader;
            }

            @Override
            public void onResult(O outcome) {
                Decision decision;
                try {
                    decision = reader.apply(outcome);
                } catch (RuntimeException e) {
                    onFailure(e);
                    return;
                }
                complete(decision);
            }

            @Override
            public void onFailure(Throwable cause) {
                fail(cause);
            }
        }

        private void fail(Throwable cause) {
            if (dryRun && cause instanceof StoreUnavailableException) {
                complete(uncounted(requests, store.mode()));
                return;
            }
            var mode = store.mode();
            notifyListeners(requests.get(0), (listener, nanos) -> {
                if (listener instanceof ChainDecisionListener chained) {
                    chained.onFailure(requests.get(0), chain, mode, nanos);
                } else {
                    listener.onFailure(requests.get(0), mode, nanos);
                }
            }, startNanos);
            onError.accept(cause);
        }

        /** Returns the decision of a fallback that allows every request. */
        private Decision unlimited(DecisionMode mode, String reservation) {
            var decision = uncounted(requests, mode);
            return reservation == null ? decision : decision.withReservation(reservation);
        }

        private void complete(Decision decision) {
            var complete = hasShadow ? withBlockedShadows(decision) : decision;
            var delivered = inFlight.count(requests, dryRun ? complete.asDryRun() : complete);
            if (hasShadow) {
                notifyOfEach(delivered);
            } else {
                notify(requests.get(0), delivered);
            }
            onDecision.accept(delivered);
        }

        /** A rule that blocks has no window, so the store knows nothing of it. */
        private Decision withBlockedShadows(Decision decision) {
            var complete = decision;
            for (var request : requests) {
                if (request.shadow()) {
                    complete = complete.with(Decision.blocked(request, decision.mode(), decision.decidedAt()).quotas());
                }
            }
            return complete;
        }

        /** Notifies of the decision on each shadow rule, unless another rule has denied the request, and then on the others. */
        private void notifyOfEach(Decision decision) {
            RateLimitRequest enforced = null;
            for (var request : requests) {
                if (!request.shadow()) {
                    enforced = enforced == null ? request : enforced;
                    continue;
                }
                var ofRule = decision.on(quota -> quota.shadow() && quota.identifier().equals(request.identifier())
                        && request.checks().stream().anyMatch(check -> check.resource().equals(quota.resource())));
                if (decision.allowed() || ofRule.denied()) {
                    notify(request, ofRule);
                }
            }
            if (enforced != null) {
                notify(enforced, decision.on(quota -> !quota.shadow()));
            }
        }

        private void notify(RateLimitRequest request, Decision decision) {
            notifyListeners(request, (listener, nanos) -> {
                if (listener instanceof ChainDecisionListener chained) {
                    chained.onDecision(request, chain, decision, nanos);
                } else {
                    listener.onDecision(request, decision, nanos);
                }
            }, startNanos);
        }
    }

    private Decision uncounted(List<RateLimitRequest> requests, DecisionMode mode) {
        return Decision.uncounted(requests, mode, now());
    }

    private static String newReservation() {
        return UUID.randomUUID().toString().replace("-", "");
    }

    private static Decision decision(String identifier, FailoverWindowStore.Outcome outcome) {
        var result = outcome.result();
        var decidedAt = MicrosClock.instant(result.now());
        var quotas = JointLimiter.statuses(identifier, outcome.claims(), result.windows(), 0, decidedAt);
        return new Decision(result.admitted(), !result.admitted(), outcome.mode(), decidedAt, quotas,
                Optional.ofNullable(outcome.reservation()), result.slot());
    }

    private static Decision decision(JointWindowStore.Outcome outcome) {
        var result = outcome.result();
        var decidedAt = MicrosClock.instant(result.now());
        var quotas = new ArrayList<QuotaStatus>(result.windows().length);
        JointLimiter.statuses(outcome.request(), result, decidedAt).forEach(quotas::addAll);
        boolean denied = !result.admitted() || quotas.stream().anyMatch(QuotaStatus::denied);
        return new Decision(result.admitted(), denied, outcome.mode(), decidedAt, quotas,
                Optional.ofNullable(outcome.reservation()), result.slot());
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
