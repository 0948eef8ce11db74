package dev.sluice.engine;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

import org.jboss.logging.Logger;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.store.Enforcement;
import dev.sluice.store.JointPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;

/**
 * Decides on windows of several identifiers at once, all or nothing, and notifies the listeners. Callbacks run on the calling event
 * loop, if the caller is on one, possibly before the method returns; they must not throw.
 */
public final class JointLimiter {

    /**
     * Claims of one identifier.
     *
     * @param identifier different from that of the other parts
     * @param label name for metrics, from a bounded set
     * @param claims one or more claims of one enforcement, with the fallback of {@link #fallback()}
     */
    public record Part(String identifier, String label, List<WindowClaim> claims) {
    }

    private static final Logger LOG = Logger.getLogger(JointLimiter.class);
    private static final int MAX_PLANS = 2000;

    private final FailoverWindowStore single;
    private final JointWindowStore joint;
    private final MicrosClock clock;
    private final boolean enabled;
    private final boolean dryRun;
    private final FallbackPolicy fallback;
    private final List<DecisionListener> listeners;
    private final Map<List<List<WindowClaim>>, JointPlan> plans = new ConcurrentHashMap<>();

    JointLimiter(FailoverWindowStore single, JointWindowStore joint, MicrosClock clock, StoreConfig settings,
            List<DecisionListener> listeners) {
        this.single = single;
        this.joint = joint;
        this.clock = clock;
        this.enabled = settings.enabled();
        this.dryRun = settings.dryRun();
        this.fallback = settings.fallback();
        this.listeners = List.copyOf(listeners);
    }

    /** Returns how decisions are made at the moment. */
    public DecisionMode mode() {
        return enabled ? single.mode() : DecisionMode.OFF;
    }

    /** Returns whether requests can be denied: limits are neither off nor in a dry run. */
    public boolean isEnforcing() {
        return enabled && !dryRun;
    }

    /**
     * Denies what a rule blocks altogether, and notifies the listeners.
     *
     * @param label name for metrics, from a bounded set
     */
    public Decision block(String identifier, String label, String resource) {
        var request = new RateLimitRequest(identifier, null, label, List.of(new ResourceCheck(resource, Rate.BLOCKED, 1)));
        var blocked = Decision.blocked(request, mode(), MicrosClock.instant(clock.micros()));
        var decision = isEnforcing() ? blocked : blocked.asDryRun();
        if (enabled) {
            listeners.forEach(listener -> notifySafely(() -> listener.onDecision(request, decision, 0)));
        }
        return decision;
    }

    /** Returns the policy that applies while Redis is unavailable. */
    public FallbackPolicy fallback() {
        return fallback;
    }

    /**
     * Decides.
     *
     * @param parts one or more
     * @param consume false: queries only and changes nothing
     * @param onFailure receives {@link StoreUnavailableException} if Redis is unavailable and the fallback is closed
     */
    public void decide(List<Part> parts, boolean consume, Consumer<JointResult> onResult, Consumer<Throwable> onFailure) {
        if (!enabled) {
            onResult.accept(uncounted(parts, DecisionMode.OFF));
            return;
        }
        long start = System.nanoTime();
        var request = request(parts);
        var callback = new ResultCallback<JointWindowStore.Outcome>() {
            @Override
            public void onResult(JointWindowStore.Outcome outcome) {
                JointResult result;
                try {
                    result = outcome.result() == null ? uncounted(parts, outcome.mode()) : result(outcome);
                } catch (RuntimeException e) {
                    onFailure(e);
                    return;
                }
                notifyListeners(parts, result, System.nanoTime() - start);
                onResult.accept(result);
            }

            @Override
            public void onFailure(Throwable cause) {
                if (dryRun && cause instanceof StoreUnavailableException) {
                    onResult.accept(uncounted(parts, single.mode()));
                    return;
                }
                notifyListeners(parts, null, System.nanoTime() - start);
                onFailure.accept(cause);
            }
        };
        if (isSingle(parts)) {
            single.take(request.identifiers().get(0), request.plan().claims(), consume, null, single(request, callback));
        } else {
            joint.take(request, consume, callback);
        }
    }

    /** Returns whether the request can be decided as any other one, whose repeated denials are cached. */
    private static boolean isSingle(List<Part> parts) {
        return parts.size() == 1 && parts.get(0).claims().get(0).enforcement() == Enforcement.ENFORCED
                && parts.get(0).claims().get(0).cost() > 0;
    }

    private static ResultCallback<FailoverWindowStore.Outcome> single(JointRequest request,
            ResultCallback<JointWindowStore.Outcome> callback) {
        return new ResultCallback<>() {
            @Override
            public void onResult(FailoverWindowStore.Outcome outcome) {
                var decided = outcome.result() == null || outcome.claims() == request.plan().claims()
                        ? request
                        : new JointRequest(request.identifiers(), new JointPlan(List.of(outcome.claims())));
                callback.onResult(new JointWindowStore.Outcome(outcome.mode(), decided, outcome.result()));
            }

            @Override
            public void onFailure(Throwable cause) {
                callback.onFailure(cause);
            }
        };
    }

    private JointRequest request(List<Part> parts) {
        var claims = parts.stream().map(Part::claims).toList();
        var plan = plans.get(claims);
        if (plan == null) {
            plan = new JointPlan(claims);
            if (plans.size() >= MAX_PLANS) {
                plans.clear();
            }
            plans.put(claims, plan);
        }
        return new JointRequest(parts.stream().map(Part::identifier).toList(), plan);
    }

    private JointResult result(JointWindowStore.Outcome outcome) {
        var plan = outcome.request().plan();
        var decidedAt = MicrosClock.instant(outcome.result().now());
        var results = plan.split(outcome.result());
        var quotas = new ArrayList<List<QuotaStatus>>(results.size());
        for (int i = 0; i < results.size(); i++) {
            var statuses = new ArrayList<QuotaStatus>(2);
            for (int j = 0; j < plan.parts().get(i).size(); j++) {
                statuses.add(status(plan.parts().get(i).get(j), results.get(i).windows()[j], decidedAt));
            }
            quotas.add(statuses);
        }
        return new JointResult(dryRun || outcome.result().admitted(), outcome.mode(), decidedAt, quotas);
    }

    static QuotaStatus status(WindowClaim claim, StoreResult.WindowState state, Instant decidedAt) {
        return new QuotaStatus(claim.resource(), claim.unit(), claim.limit(),
                FailoverWindowStore.windowDuration(claim.span()), Math.max(0, claim.share() - state.used()),
                Optional.of(state.freeAt() == 0 ? decidedAt : MicrosClock.instant(state.freeAt())), state.retryAt() != 0,
                state.retryAt() > 0 ? Optional.of(MicrosClock.instant(state.retryAt())) : Optional.empty());
    }

    private JointResult uncounted(List<Part> parts, DecisionMode mode) {
        var now = MicrosClock.instant(clock.micros());
        var unused = new StoreResult.WindowState(0, 0, 0);
        return new JointResult(true, mode, now, parts.stream()
                .map(part -> part.claims().stream().map(claim -> status(claim, unused, now)).toList()).toList());
    }

    /**
     * Notifies of the decision on each part. A part that would have fitted, of a request that is denied, was not decided.
     *
     * @param result null if the decision has failed
     */
    private void notifyListeners(List<Part> parts, JointResult result, long nanos) {
        for (int i = 0; i < parts.size(); i++) {
            var part = parts.get(i);
            var request = new RateLimitRequest(part.identifier(), null, part.label(), List.of());
            if (result == null) {
                listeners.forEach(listener -> notifySafely(() -> listener.onFailure(request, single.mode(), nanos)));
                continue;
            }
            var quotas = result.quotas().get(i);
            boolean denied = quotas.stream().anyMatch(QuotaStatus::denied);
            if (denied || result.allowed()) {
                var decision = new Decision(result.allowed(), denied, result.mode(), result.decidedAt(), quotas);
                listeners.forEach(listener -> notifySafely(() -> listener.onDecision(request, decision, nanos)));
            }
        }
    }

    private static void notifySafely(Runnable notification) {
        try {
            notification.run();
        } catch (RuntimeException e) {
            LOG.error("Decision listener failed", e);
        }
    }
}
