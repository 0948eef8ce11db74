package dev.sluice.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.cluster.InstanceRegistry;
import dev.sluice.store.JointPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.ReservationToken;
import dev.sluice.store.ReservationToken.Location;
import dev.sluice.store.ResponseTimeoutException;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.concurrency.HeldSlots;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.RedisWindowStore;
import io.vertx.core.AsyncResult;

/** Decides on windows of several identifiers, in Redis or by the fallback, as {@link FailoverWindowStore} does for one. */
public final class JointWindowStore {

    /**
     * Outcome of a decision.
     *
     * @param request the request decided, without claims that the fallback does not count, and with the shares that applied
     * @param result null if nothing was decided: {@link DecisionMode#OPEN}
     * @param reservation a {@link ReservationToken}, which each identifier settles; null if nothing was reserved
     */
    public record Outcome(DecisionMode mode, JointRequest request, StoreResult result, String reservation) {

        /** Combines outcomes that all admit the request. Those of an outage determine the mode. */
        private static Outcome combine(List<Outcome> outcomes) {
            var counted = outcomes.stream().filter(outcome -> outcome.result() != null).toList();
            var mode = outcomes.stream().map(Outcome::mode).filter(DecisionMode::isOutage).findFirst()
                    .orElse(DecisionMode.REDIS);
            var token = ReservationToken
                    .combine(outcomes.stream().map(Outcome::reservation).filter(Objects::nonNull).toList());
            if (counted.isEmpty()) {
                return new Outcome(mode, outcomes.get(0).request(), null, token);
            }
            var identifiers = new ArrayList<String>();
            var parts = new ArrayList<List<WindowClaim>>();
            counted.forEach(outcome -> {
                identifiers.addAll(outcome.request().identifiers());
                parts.addAll(outcome.request().plan().parts());
            });
            var windows = counted.stream().flatMap(outcome -> Arrays.stream(outcome.result().windows()))
                    .toArray(StoreResult.WindowState[]::new);
            var now = counted.stream().mapToLong(outcome -> outcome.result().now()).max().orElseThrow();
            return new Outcome(mode, new JointRequest(identifiers, counted.get(0).request().plan().with(parts)),
                    new StoreResult(true, now, windows,
                            HeldSlots.combine(counted.stream().map(outcome -> outcome.result().slot()).toList())),
                    token);
        }
    }

    private final FailoverWindowStore store;
    private final RedisWindowStore redis;
    private final InMemoryWindowStore memory;
    private final InstanceRegistry registry;

    /** @param redis null if windows are kept in memory only */
    public JointWindowStore(FailoverWindowStore store, RedisWindowStore redis, InMemoryWindowStore memory,
            InstanceRegistry registry) {
        this.store = store;
        this.redis = redis;
        this.memory = memory;
        this.registry = registry;
    }

    /**
     * Decides; the callback runs on the calling event loop, if the caller is on one. It receives {@link ClusterDetectedException} if
     * the identifiers are in several slots of a cluster that was not known to be one.
     *
     * @param reservation 32 hexadecimal digits; null if nothing is reserved
     */
    public void take(JointRequest request, boolean consume, String reservation, ResultCallback<Outcome> callback) {
        if (redis != null && redis.spansSlots(request)) {
            new SlotwiseDecision(redis.bySlot(request), consume, reservation, callback).next();
        } else {
            takeTogether(request, consume, reservation, callback);
        }
    }

    private void takeTogether(JointRequest request, boolean consume, String reservation, ResultCallback<Outcome> callback) {
        if (redis == null) {
            var result = memory.takeNow(request, consume, reservation);
            callback.onResult(outcome(DecisionMode.MEMORY, request, result, Location.MEMORY, reservation));
            return;
        }
        if (!redis.available()) {
            deliverFallback(new StoreUnavailableException("Redis is unavailable", null), request, consume,
                    Location.MEMORY, reservation, callback);
            return;
        }
        var denials = request.plan().isEnforced() ? store.denials() : null;
        var cached = denials == null ? null : denials.getJoint(request);
        if (cached != null) {
            callback.onResult(new Outcome(DecisionMode.REDIS, request, cached, null));
            return;
        }
        long version = denials == null ? 0 : denials.version();
        redis.take(request, consume, reservation, new ResultCallback<>() {
            @Override
            public void onResult(StoreResult result) {
                if (denials != null && !result.admitted()) {
                    denials.putJoint(request.at(result.now()), result, version);
                }
                callback.onResult(outcome(DecisionMode.REDIS, request, result, Location.REDIS, reservation));
            }

            @Override
            public void onFailure(Throwable cause) {
                if (redis.spansSlots(request)) { // a cluster behind one address, which has executed nothing
                    callback.onFailure(new ClusterDetectedException());
                } else {
                    deliverFallback(cause, request, consume, Location.BOTH, reservation, callback);
                }
            }
        });
    }

    /** Returns whether one call decides on windows of these identifiers. */
    boolean isAtomic(List<String> identifiers) {
        return redis == null || !redis.spansSlots(identifiers);
    }

    /** Returns whether the identifiers of a chain are stored in the slot of its root. */
    boolean isSharded() {
        return redis != null && redis.isSharded();
    }

    /**
     * Decision on identifiers of several slots of a Redis Cluster, which no call can decide together: one after the other, up to the
     * first denial, which refunds what the earlier ones have taken.
     */
    private final class SlotwiseDecision implements ResultCallback<Outcome> {

        private final List<JointRequest> requests;
        private final boolean consume;
        private final String reservation;
        private final ResultCallback<Outcome> callback;
        private final List<Outcome> granted = new ArrayList<>();

        SlotwiseDecision(List<JointRequest> requests, boolean consume, String reservation, ResultCallback<Outcome> callback) {
            this.requests = requests;
            this.consume = consume;
            this.reservation = reservation;
            this.callback = callback;
        }

        void next() {
            takeTogether(requests.get(granted.size()), consume, reservation, this);
        }

        @Override
        public void onResult(Outcome outcome) {
            if (outcome.result() != null && !outcome.result().admitted()) {
                refund();
                callback.onResult(outcome);
                return;
            }
            granted.add(outcome);
            if (granted.size() < requests.size()) {
                next();
            } else {
                callback.onResult(Outcome.combine(granted));
            }
        }

        @Override
        public void onFailure(Throwable cause) {
            refund();
            callback.onFailure(cause);
        }

        private void refund() {
            if (consume) {
                granted.stream().filter(outcome -> outcome.result() != null)
                        .forEach(outcome -> outcome.result().slot().release());
                granted.stream().filter(outcome -> outcome.mode() == DecisionMode.REDIS)
                        .forEach(outcome -> JointWindowStore.this.refund(outcome.request(), outcome.result(), reservation));
            }
        }
    }

    private void deliverFallback(Throwable failure, JointRequest request, boolean consume, Location location,
            String reservation,
            ResultCallback<Outcome> callback) {
        Outcome outcome;
        try {
            outcome = decideByFallback(failure, request, consume, location, reservation);
        } catch (RuntimeException e) {
            callback.onFailure(e);
            return;
        }
        callback.onResult(outcome);
    }

    private Outcome decideByFallback(Throwable failure, JointRequest request, boolean consume, Location location,
            String reservation) {
        var timeout = consume && failure instanceof ResponseTimeoutException late ? late : null;
        if (request.plan().claims().stream().anyMatch(claim -> claim.fallback() == FallbackPolicy.CLOSED)) {
            if (timeout != null) {
                timeout.lateResult().onSuccess(late -> refund(request.at(late.now()), late, reservation));
            }
            if (request.plan().isShadow()) { // denies nothing, whatever happens
                return new Outcome(DecisionMode.OPEN, request, null, null);
            }
            throw new StoreUnavailableException("Redis is unavailable", failure);
        }
        var local = withShares(request);
        if (local == null) {
            return new Outcome(DecisionMode.OPEN, request, null, token(location, reservation, request));
        }
        var result = memory.takeNow(local, consume, reservation);
        var decided = local.at(result.now());
        if (consume && timeout == null) {
            forEachTaken(decided, result,
                    (identifier, claims) -> memory.addUnsynced(identifier, claims, result.now(), reservation));
        } else if (timeout != null) {
            timeout.lateResult().onComplete(late -> reconcile(request, decided, result, late, reservation));
        }
        return new Outcome(DecisionMode.LOCAL, decided, result,
                result.admitted() ? token(location, reservation, request.at(result.now())) : null);
    }

    private static String token(Location location, String reservation, JointRequest request) {
        return reservation == null
                ? null
                : ReservationToken.of(location, reservation, request.identifiers(), request.plan().claims()).toString();
    }

    private static Outcome outcome(DecisionMode mode, JointRequest request, StoreResult result, Location location,
            String reservation) {
        var decided = request.at(result.now());
        return new Outcome(mode, decided, result, result.admitted() ? token(location, reservation, decided) : null);
    }

    /** Returns the claims that are decided locally, with this instance's shares; null if there are none. */
    private JointRequest withShares(JointRequest request) {
        var identifiers = new ArrayList<String>();
        var parts = new ArrayList<List<WindowClaim>>();
        for (int i = 0; i < request.identifiers().size(); i++) {
            var local = request.plan().parts().get(i).stream().filter(claim -> claim.fallback() == FallbackPolicy.LOCAL)
                    .map(claim -> claim.withShare(registry.share(claim.limit()))).toList();
            if (!local.isEmpty()) {
                identifiers.add(request.identifiers().get(i));
                parts.add(local);
            }
        }
        return parts.isEmpty() ? null : new JointRequest(identifiers, request.plan().with(parts));
    }

    /** Receives the identifier and the claims of a part that was taken. */
    private interface TakenPart {

        void accept(String identifier, List<WindowClaim> claims);
    }

    private static void forEachTaken(JointRequest request, StoreResult result, TakenPart action) {
        var results = request.plan().split(result);
        for (int i = 0; i < results.size(); i++) {
            var taken = JointPlan.taken(request.plan().parts().get(i), results.get(i));
            if (!taken.isEmpty()) {
                action.accept(request.identifiers().get(i), taken);
            }
        }
    }

    /** Part of a request: no two parts of an identifier concern the same resource. */
    private record PartKey(String identifier, String resource) {
    }

    private static Map<PartKey, List<WindowClaim>> taken(JointRequest request, StoreResult result) {
        var taken = new HashMap<PartKey, List<WindowClaim>>();
        forEachTaken(request, result,
                (identifier, claims) -> taken.put(new PartKey(identifier, claims.get(0).resource()), claims));
        return taken;
    }

    /** Counts what was granted locally in Redis exactly once, given Redis's late reply, and refunds what only Redis has granted. */
    private void reconcile(JointRequest request, JointRequest local, StoreResult granted, AsyncResult<StoreResult> late,
            String reservation) {
        var here = taken(local, granted);
        var there = late.failed()
                ? Map.<PartKey, List<WindowClaim>>of()
                : taken(request.at(late.result().now()), late.result());
        here.forEach((part, claims) -> {
            if (there.containsKey(part)) {
                memory.moveGrant(part.identifier(), claims, granted.now(), late.result().now());
            } else {
                memory.addUnsynced(part.identifier(), claims, granted.now(), reservation);
            }
        });
        there.forEach((part, claims) -> {
            if (!here.containsKey(part) && (!granted.admitted() || local.identifiers().contains(part.identifier()))) {
                store.refund(part.identifier(), claims, late.result().now(), reservation);
            }
        });
    }

    private void refund(JointRequest request, StoreResult late, String reservation) {
        forEachTaken(request, late, (identifier, claims) -> store.refund(identifier, claims, late.now(), reservation));
    }
}
