package dev.sluice.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

import org.jboss.logging.Logger;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.api.WindowUsage;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.ResetScope;
import dev.sluice.store.ResultCallback;
import io.smallrye.mutiny.Uni;

/** The one place where decisions are made. */
public final class DefaultRateLimiter implements RateLimiter {

    private static final Logger LOG = Logger.getLogger(DefaultRateLimiter.class);

    private final FailoverWindowStore windows;
    private final MicrosClock clock;
    private final boolean enabled;
    private final boolean dryRun;
    private final ClaimPlanCache plans;
    private final List<DecisionListener> listeners;

    /** @param fallback where a demand does not say otherwise */
    public DefaultRateLimiter(FailoverWindowStore windows, MicrosClock clock, FallbackPolicy fallback, boolean enabled,
            boolean dryRun,
            List<DecisionListener> listeners) {
        this.windows = windows;
        this.clock = clock;
        this.plans = new ClaimPlanCache(fallback);
        this.enabled = enabled;
        this.dryRun = dryRun;
        this.listeners = List.copyOf(listeners);
    }

    @Override
    public Uni<Decision> check(RateLimitRequest request) {
        return Uni.createFrom().emitter(emitter -> check(request, emitter::complete, emitter::fail));
    }

    @Override
    public void check(RateLimitRequest request, Consumer<Decision> decided, Consumer<Throwable> failed) {
        if (enabled) {
            new Check(request, decided, failed).begin();
        } else {
            decided.accept(Decision.untouched(request, DecisionMode.OFF, now()));
        }
    }

    /** One decision on its way. */
    private final class Check implements ResultCallback<FailoverWindowStore.Answer> {

        private final RateLimitRequest request;
        private final Consumer<Decision> receiver;
        private final Consumer<Throwable> failure;
        private final long start = System.nanoTime();

        Check(RateLimitRequest request, Consumer<Decision> receiver, Consumer<Throwable> failure) {
            this.request = request;
            this.receiver = receiver;
            this.failure = failure;
        }

        void begin() {
            boolean consume = false;
            for (var demand : request.demands()) {
                if (demand.rate() == Rate.BLOCKED) {
                    decided(Decision.blocked(request, windows.mode(), now()));
                    return;
                }
                consume |= demand.cost() > 0;
            }
            var plan = plans.of(request.demands());
            if (plan.isEmpty()) {
                decided(Decision.untouched(request, windows.mode(), now()));
                return;
            }
            var reservation = consume && plan.reserved() ? UUID.randomUUID().toString().replace("-", "") : null;
            windows.take(request.identifier(), plan, consume, reservation, this);
        }

        @Override
        public void received(FailoverWindowStore.Answer answer) {
            Decision decision;
            try {
                decision = answer.outcome() == null
                        ? Decision.untouched(request, answer.mode(), now()).reserved(answer.reservation())
                        : decision(answer);
            } catch (RuntimeException e) {
                failed(e);
                return;
            }
            decided(decision);
        }

        @Override
        public void failed(Throwable cause) {
            if (dryRun && cause instanceof StoreUnavailableException) {
                decided(Decision.untouched(request, windows.mode(), now()));
                return;
            }
            tell(request, null, windows.mode(), start);
            failure.accept(cause);
        }

        private void decided(Decision decision) {
            var answer = dryRun ? decision.dryRun() : decision;
            tell(request, answer, answer.mode(), start);
            receiver.accept(answer);
        }
    }

    private static Decision decision(FailoverWindowStore.Answer answer) {
        var claims = answer.claims();
        var outcome = answer.outcome();
        var at = MicrosClock.instant(outcome.now());
        var quotas = new ArrayList<QuotaStatus>(claims.size());
        for (int i = 0; i < claims.size(); i++) {
            var claim = claims.get(i);
            var state = outcome.windows()[i];
            boolean denied = state.retryAt() != 0;
            quotas.add(new QuotaStatus(claim.resource(), claim.unit(), claim.limit(), FailoverWindowStore.seconds(claim.span()),
                    Math.max(0, claim.share() - state.used()),
                    state.freeAt() == 0 ? at : MicrosClock.instant(state.freeAt()), denied,
                    state.retryAt() > 0 ? MicrosClock.instant(state.retryAt()) : null));
        }
        return new Decision(outcome.admitted(), !outcome.admitted(), answer.mode(), at, quotas,
                answer.reservation());
    }

    private void tell(RateLimitRequest request, Decision decision, DecisionMode mode, long start) {
        if (!listeners.isEmpty() && !request.identifier().startsWith(DecisionWarmUp.SCRATCH)) {
            long nanos = System.nanoTime() - start;
            for (var listener : listeners) {
                try {
                    listener.decided(request, decision, mode, nanos);
                } catch (RuntimeException e) {
                    LOG.error("A listener failed to hear of a decision", e);
                }
            }
        }
    }

    private Instant now() {
        return MicrosClock.instant(clock.micros());
    }

    @Override
    public Uni<Void> settle(String identifier, String reservation, Map<String, Long> used) {
        return reservation == null ? Uni.createFrom().voidItem() : windows.settle(identifier, reservation, used);
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        return windows.read(store -> store.usage(identifier, resource, window));
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
        return windows.read(store -> store.limits(identifier));
    }

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        return windows.reset(new ResetScope(identifier, resource));
    }

    @Override
    public Uni<Void> reset(String identifier) {
        return windows.reset(new ResetScope(identifier, null));
    }

    @Override
    public Uni<Void> resetAll() {
        return windows.reset(ResetScope.ALL);
    }
}
