package dev.sluice.api;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

import io.smallrye.mutiny.Uni;

/**
 * Decides whether requests may proceed, in sliding windows that all instances share. A CDI bean; thread-safe.
 * <p>
 * A denied request consumes nothing and does not postpone the time at which the next one is allowed. Every decision completes
 * within {@code rate-limit.timeout}; {@code rate-limit.fallback} defines the result while Redis is unavailable. Every
 * subscription to a {@code Uni} of {@code check} is a request of its own.
 * <p>
 * A {@code Uni} fails with {@link StoreUnavailableException} if Redis is unavailable and the fallback does not replace it.
 */
public interface RateLimiter {

    /**
     * Decides all checks of a request atomically: all are granted, or none is.
     *
     * @param request the request
     * @return the decision, never null
     */
    Uni<Decision> check(RateLimitRequest request);

    /**
     * Decides like {@link #check(RateLimitRequest)}, with callbacks: avoids the cost of {@code Uni} stages per request. Exactly
     * one callback is called, once, possibly before this method returns. Callbacks must not throw.
     *
     * @param request the request
     * @param onDecision receives the decision
     * @param onFailure receives the failure
     */
    default void check(RateLimitRequest request, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
        check(request).subscribe().with(onDecision, onFailure);
    }

    /**
     * Decides a single resource with the given rate.
     *
     * @param identifier owner of the window, 1 to 256 characters, verbatim: {@code user:alice}, {@code ip:203.0.113.9} or any
     *        other
     * @param resource name of the resource, 1 to 256 characters
     * @param rate the rate that applies
     * @param cost units to consume, from 0 to {@value Quota#MAX_LIMIT}; 0 decides as if it were 1 and consumes nothing
     * @return the decision, never null
     * @throws IllegalArgumentException if an argument is out of range
     */
    default Uni<Decision> check(String identifier, String resource, Rate rate, long cost) {
        return check(RateLimitRequest.of(identifier, resource, rate, cost));
    }

    /**
     * Decides requests of different identifiers one after the other, up to the first denial. Each request is atomic; the sequence
     * is not: units consumed by earlier requests stay consumed.
     *
     * @param requests at least one request
     * @return the combined decision, allowed if every request is; it reports the quotas of the requests that were decided
     */
    default Uni<Decision> checkAll(List<RateLimitRequest> requests) {
        var decision = check(requests.get(0));
        for (var next : requests.subList(1, requests.size())) {
            decision = decision.chain(previous -> previous.allowed()
                    ? check(next).map(previous::combineWith)
                    : Uni.createFrom().item(previous));
        }
        return decision;
    }

    /**
     * Decides like {@link #checkAll(List)}, with callbacks.
     *
     * @param requests at least one request
     * @param onDecision receives the decision
     * @param onFailure receives the failure
     */
    default void checkAll(List<RateLimitRequest> requests, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
        if (requests.size() == 1) {
            check(requests.get(0), onDecision, onFailure);
        } else {
            checkAll(requests).subscribe().with(onDecision, onFailure);
        }
    }

    /**
     * Settles a reservation: replaces the reserved units by the units that were used, more or fewer. Resources that are absent
     * from {@code used} keep their reserved units. Only the first settlement has an effect, and only on windows that still
     * contain the reservation: those that it has left, or that were reset, stay as they are.
     *
     * @param identifier identifier of the request that reserved
     * @param reservation {@link Decision#reservation()}; null has no effect
     * @param used units used, by resource
     */
    Uni<Void> settle(String identifier, String reservation, Map<String, Long> used);

    /**
     * Returns the usage of one window. Consumes nothing.
     *
     * @param identifier owner of the window
     * @param resource name of the resource
     * @param window length of the window, as in its quota
     */
    Uni<WindowUsage> usage(String identifier, String resource, Duration window);

    /**
     * Returns the usage of an identifier.
     *
     * @param identifier owner of the windows
     * @return the units in the longest window of each resource, by resource; empty if nothing is counted
     */
    Uni<Map<String, Long>> usageByResource(String identifier);

    /**
     * Resets the windows of an identifier on one resource.
     *
     * @param identifier owner of the windows
     * @param resource name of the resource
     */
    Uni<Void> reset(String identifier, String resource);

    /**
     * Resets all windows of an identifier.
     *
     * @param identifier owner of the windows
     */
    Uni<Void> reset(String identifier);

    /** Resets all windows of all identifiers. */
    Uni<Void> resetAll();
}
