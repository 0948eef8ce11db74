package dev.sluice.api;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

import io.smallrye.mutiny.Uni;

/**
 * Decides, in sliding windows that all instances share, whether something may go ahead.
 * <p>
 * A refusal consumes nothing and postpones nothing. A decision is bounded in time, whatever Redis does: what happens when it
 * does not answer is {@code rate-limit.fallback}. Each subscription to a {@code Uni} of {@code check} counts once.
 * <p>
 * Failures: {@link StoreUnavailableException} where Redis is out of reach and the fallback does not answer in its place.
 */
public interface RateLimiter {

    /** Decides all demands of the request together: all are granted, or none is. */
    Uni<Decision> check(RateLimitRequest request);

    /**
     * The same for who waits by callbacks: on the path of a request every stage of a {@code Uni} costs. One of the two is called
     * once, perhaps before this returns, and must not throw.
     */
    default void check(RateLimitRequest request, Consumer<Decision> decided, Consumer<Throwable> failed) {
        check(request).subscribe().with(decided, failed);
    }

    /**
     * Decides one resource under a rate of its own.
     *
     * @param identifier 1 to 256 characters, verbatim: {@code user:alice}, {@code ip:203.0.113.9}, or anything of yours
     * @param resource 1 to 256 characters
     * @param cost units; 0 asks what 1 would be answered and consumes nothing
     * @throws IllegalArgumentException if an argument is out of range
     */
    default Uni<Decision> check(String identifier, String resource, Rate rate, long cost) {
        return check(RateLimitRequest.of(identifier, resource, rate, cost));
    }

    /**
     * Decides requests of different identifiers one after the other, up to the first that is refused. Each is all or nothing;
     * together they are not: what the earlier ones took stays taken.
     *
     * @param requests at least one
     */
    default Uni<Decision> checkAll(List<RateLimitRequest> requests) {
        var decision = check(requests.get(0));
        for (var next : requests.subList(1, requests.size())) {
            decision = decision.chain(so -> so.allowed() ? check(next).map(so::combineWith) : Uni.createFrom().item(so));
        }
        return decision;
    }

    /** The same by callbacks. */
    default void checkAll(List<RateLimitRequest> requests, Consumer<Decision> decided, Consumer<Throwable> failed) {
        if (requests.size() == 1) {
            check(requests.get(0), decided, failed);
        } else {
            checkAll(requests).subscribe().with(decided, failed);
        }
    }

    /**
     * Corrects what a decision reserved to what was used, up or down. What a resource is not named for keeps what was
     * reserved. A reservation is settled once: a second time, and where it has left its windows or they were reset, nothing
     * happens.
     *
     * @param identifier whose decision it was
     * @param reservation {@link Decision#reservation()}; null does nothing
     * @param used units by resource
     */
    Uni<Void> settle(String identifier, String reservation, Map<String, Long> used);

    /** What the window of this length holds now. Never changes anything. */
    Uni<WindowUsage> usage(String identifier, String resource, Duration window);

    /** For each resource the identifier has used: the units in its longest window. */
    Uni<Map<String, Long>> usageByResource(String identifier);

    /** Forgets what was counted for the identifier on one resource. */
    Uni<Void> reset(String identifier, String resource);

    /** Forgets everything that was counted for the identifier. */
    Uni<Void> reset(String identifier);

    /** Forgets every window of everybody. */
    Uni<Void> resetAll();
}
