package dev.sluice.engine;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

import org.jboss.logging.Logger;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.redis.HashTags;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.Enforcement;
import dev.sluice.store.JointPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.PeriodCalendar;
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
     * @param claims one or more claims of one enforcement, with the fallback of {@link #fallback()}; a {@link ClaimPlan} saves a
     *        look-up for each request
     */
    public record Part(String identifier, String label, List<WindowClaim> claims) {
    }

    private static final Logger LOG = Logger.getLogger(JointLimiter.class);

    private final FailoverWindowStore single;
    private final JointWindowStore joint;
    private final MicrosClock clock;
    private final PeriodCalendar calendar;
    private final boolean enabled;
    private final boolean dryRun;
    private final FallbackPolicy fallback;
    private final List<DecisionListener> listeners;
    private final Map<List<List<WindowClaim>>, JointPlan> plans = new ConcurrentHashMap<>();
    private final Map<List<WindowClaim>, ClaimPlan> singlePlans = new ConcurrentHashMap<>();

    JointLimiter(FailoverWindowStore single, JointWindowStore joint, MicrosClock clock, PeriodCalendar calendar,
            StoreConfig settings,
            List<DecisionListener> listeners) {
        this.single = single;
        this.joint = joint;
        this.clock = clock;
        this.calendar = calendar;
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

    /** Returns the current period of the calendar, for a claim. A claim of an earlier period is decided for the current one, too. */
    public CalendarWindow currentPeriod(CalendarPeriod period) {
        return calendar.at(period, clock.micros());
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
        if (isSingle(parts)) {
            var part = parts.get(0);
            single.take(part.identifier(), plan(part.claims()).at(clock), consume, null,
                    new Callback<>(parts,
                            outcome -> outcome.result() == null
                                    ? uncounted(parts, outcome.mode())
                                    : result(part.identifier(), outcome),
                            onResult, onFailure));
        } else {
            joint.take(request(parts), consume, null,
                    new Callback<>(parts,
                            outcome -> outcome.result() == null ? uncounted(parts, outcome.mode()) : result(outcome),
                            onResult, onFailure));
        }
    }

    /**
     * Receives the outcome of a store.
     *
     * @param <O> type of the outcome
     */
    private final class Callback<O> implements ResultCallback<O> {

        private final long start = System.nanoTime();
        private final List<Part> parts;
        private final Function<O, JointResult> reader;
        private final Consumer<JointResult> resultConsumer;
        private final Consumer<Throwable> failureConsumer;

        Callback(List<Part> parts, Function<O, JointResult> reader, Consumer<JointResult> resultConsumer,
                Consumer<Throwable> failureConsumer) {
            this.parts = parts;
            this.reader = reader;
            this.resultConsumer = resultConsumer;
            this.failureConsumer = failureConsumer;
        }

        @Override
        public void onResult(O outcome) {
            JointResult result;
            try {
                result = reader.apply(outcome);
            } catch (RuntimeException e) {
                onFailure(e);
                return;
            }
            notifyListeners(parts, result, System.nanoTime() - start);
            resultConsumer.accept(result);
        }

        @Override
        public void onFailure(Throwable cause) {
            if (dryRun && cause instanceof StoreUnavailableException) {
                resultConsumer.accept(uncounted(parts, single.mode()));
                return;
            }
            notifyListeners(parts, null, System.nanoTime() - start);
            failureConsumer.accept(cause);
        }
    }

    /** Returns whether the request can be decided as any other one, whose repeated denials are cached. */
    private static boolean isSingle(List<Part> parts) {
        return parts.size() == 1 && parts.get(0).claims().get(0).enforcement() == Enforcement.ENFORCED
                && parts.get(0).claims().get(0).cost() > 0;
    }

    private ClaimPlan plan(List<WindowClaim> claims) {
        return claims instanceof ClaimPlan plan ? plan : ClaimPlanCache.cached(singlePlans, claims, ClaimPlan::of);
    }

    private JointRequest request(List<Part> parts) {
        var plan = ClaimPlanCache.cached(plans, parts.stream().map(Part::claims).toList(), JointPlan::new);
        return new JointRequest(parts.stream().map(Part::identifier).toList(), plan.at(clock));
    }

    private JointResult result(String identifier, FailoverWindowStore.Outcome outcome) {
        var result = outcome.result();
        var decidedAt = MicrosClock.instant(result.now());
        return new JointResult(dryRun || result.admitted(), outcome.mode(), decidedAt,
                List.of(statuses(identifier, outcome.claims(), result.windows(), 0, decidedAt)));
    }

    private JointResult result(JointWindowStore.Outcome outcome) {
        var decidedAt = MicrosClock.instant(outcome.result().now());
        return new JointResult(dryRun || outcome.result().admitted(), outcome.mode(), decidedAt,
                statuses(outcome.request(), outcome.result(), decidedAt));
    }

    /** Returns the status of each claim of each part of a request. */
    static List<List<QuotaStatus>> statuses(JointRequest request, StoreResult result, Instant decidedAt) {
        var parts = request.plan().parts();
        var statuses = new ArrayList<List<QuotaStatus>>(parts.size());
        int from = 0;
        for (int i = 0; i < parts.size(); i++) {
            statuses.add(statuses(request.identifiers().get(i), parts.get(i), result.windows(), from, decidedAt));
            from += parts.get(i).size();
        }
        return statuses;
    }

    /** Returns the status of each claim of an identifier, whose windows begin at an index. */
    static List<QuotaStatus> statuses(String identifier, List<WindowClaim> claims, StoreResult.WindowState[] windows, int from,
            Instant decidedAt) {
        var statuses = new QuotaStatus[claims.size()];
        for (int i = 0; i < statuses.length; i++) {
            statuses[i] = status(identifier, claims.get(i), windows[from + i], decidedAt);
        }
        return List.of(statuses);
    }

    private static QuotaStatus status(String identifier, WindowClaim claim, StoreResult.WindowState state, Instant decidedAt) {
        var retryAt = state.retryAt() > 0 ? Optional.of(MicrosClock.instant(state.retryAt())) : Optional.<Instant>empty();
        if (claim.isConcurrency()) {
            return new QuotaStatus(HashTags.withoutRoot(identifier), claim.resource(), claim.unit(), claim.limit(),
                    Duration.ZERO,
                    Math.max(0, claim.share() - state.used()), retryAt, state.retryAt() != 0, retryAt, null,
                    claim.enforcement() == Enforcement.SHADOW);
        }
        return new QuotaStatus(HashTags.withoutRoot(identifier), claim.resource(), claim.unit(), claim.limit(),
                FailoverWindowStore.windowDuration(claim.span()), Math.max(0, claim.share() - state.used()),
                Optional.of(state.freeAt() == 0 ? decidedAt : MicrosClock.instant(state.freeAt())), state.retryAt() != 0,
                retryAt, claim.calendar() == null ? null : claim.calendar().period(),
                claim.enforcement() == Enforcement.SHADOW);
    }

    private JointResult uncounted(List<Part> parts, DecisionMode mode) {
        long micros = clock.micros();
        var now = MicrosClock.instant(micros);
        var unused = new StoreResult.WindowState(0, 0, 0);
        return new JointResult(true, mode, now, parts.stream()
                .map(part -> part.claims().stream().map(claim -> status(part.identifier(), claim.at(micros), unused, now))
                        .toList())
                .toList());
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
            var decision = result.decision(i, result.allowed());
            if (decision.denied() || result.allowed()) {
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
