package dev.sluice.api;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import io.smallrye.mutiny.Uni;

/**
 * Decides whether requests may proceed, in sliding windows that all instances share. A CDI bean; thread-safe. Usage is read and
 * reset by {@link RateLimitAdmin}.
 * <p>
 * A denied request consumes nothing and does not postpone the time at which the next one is allowed. Every decision completes
 * within {@code rate-limit.timeout}, apart from the wait of {@code acquire}; {@code rate-limit.fallback} defines the result while Redis is unavailable. Every
 * subscription to a {@code Uni} of {@code check} or {@code acquire} is a request of its own.
 * <p>
 * A {@code Uni} fails with {@link StoreUnavailableException} if Redis is unavailable and the fallback does not replace it. Subscribed
 * on an event-loop context of Vert.x, it completes on that context; otherwise, it may complete on any thread and must not be
 * blocked there.
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
     * Decides requests of several identifiers atomically, such as those of a user and of the user's team: all of them are granted,
     * or none is. Requests of the same identifier are decided as one.
     *
     * @param requests at least one request
     * @return the decision, allowed if every request is, with the quotas of all of them. Each identifier settles the reservation, if
     *         there is one
     */
    Uni<Decision> checkAll(List<RateLimitRequest> requests);

    /**
     * Counts what has been used already: takes the cost of all checks, also beyond their limits. Later requests are denied until the
     * windows have room again. Costs are counted in sub-windows of 1/60 of a window.
     *
     * @param request the request; checks with a cost of 0, without a limit, or blocked altogether take nothing
     * @return the decision, never null: denied if a window had nothing left before; the cost was taken in any case
     */
    Uni<Decision> charge(RateLimitRequest request);

    /**
     * Decides all checks of a request atomically, as {@link #check(RateLimitRequest)} does, but waits for room in the windows before
     * it denies.
     * <p>
     * A denied request asks again when the time has come that its denial has told ({@link Decision#retryAfter()}). It is denied at
     * once if that time is after {@code maxWait}, if it never fits, or if {@code rate-limit.acquire.max-waiters} requests of this
     * instance already wait. A request that waits consumes nothing and blocks no thread. It does not notice room that a reset or a
     * settlement frees before that time. If the {@code Uni} is cancelled, it is not decided any more; a decision that is in progress
     * at that moment counts.
     * <p>
     * In one instance, requests of the same identifier and the same resources are admitted in the order in which they began to wait,
     * also if a later one costs less. There is no order between instances, nor between requests of different resources. Requests of
     * {@code check} do not queue: those that arrive where there is room are admitted before the ones that wait. Waiting is no promise
     * of room: the result may be a denial.
     *
     * @param request the request
     * @param maxWait longest time to wait, from zero to 31 days; the time that a decision takes is in addition
     * @return the decision, never null
     * @throws IllegalArgumentException if {@code maxWait} is out of range
     */
    Uni<Decision> acquire(RateLimitRequest request, Duration maxWait);

    /**
     * Decides a single resource with the given rate, and waits for room, as {@link #acquire(RateLimitRequest, Duration)} does.
     *
     * @param identifier owner of the window, 1 to 256 characters, verbatim
     * @param resource name of the resource, 1 to 256 characters
     * @param rate the rate that applies
     * @param cost units to consume, from 0 to {@value Quota#MAX_LIMIT}; 0 waits until a unit is left and consumes nothing
     * @param maxWait longest time to wait, from zero to 31 days
     * @return the decision, never null
     * @throws IllegalArgumentException if an argument is out of range
     */
    default Uni<Decision> acquire(String identifier, String resource, Rate rate, long cost, Duration maxWait) {
        return acquire(RateLimitRequest.of(identifier, resource, rate, cost), maxWait);
    }

    /**
     * Settles a reservation: replaces the reserved units by the units that were used, more or fewer. Resources that are absent
     * from {@code used} keep their reserved units. Only the first settlement has an effect, and only on windows that still
     * contain the reservation: those that it has left, or that were reset, stay as they are.
     *
     * @param identifier identifier of the request that reserved
     * @param reservation token of {@link Decision#reservation()}; null has no effect
     * @param used units used, by resource
     */
    Uni<Void> settle(String identifier, @Nullable String reservation, Map<String, Long> used);
}
