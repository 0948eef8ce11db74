package dev.sluice.engine;

import java.util.List;
import java.util.function.Consumer;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import dev.sluice.api.ResourceCheck;
import dev.sluice.identity.chain.IdentityChain;
import io.smallrye.mutiny.Uni;

/**
 * Internal variant of {@link RateLimiter} that reports results to callbacks, for the path of every request: each stage of a
 * {@code Uni} propagates the whole context. Exactly one callback is called, once, possibly before the method returns, on any
 * thread. Callbacks must not throw.
 */
public interface CallbackRateLimiter {

    /** Effect of a decision on the windows. */
    enum Mode {
        /** Takes the costs. A cost of 0 beside others denies nothing. */
        TAKE,
        /** Takes the costs. A cost of 0 beside others denies the request if nothing is left. */
        ASK,
        /** Takes the costs also beyond the limits. */
        CHARGE,
        /** Decides as {@link #TAKE}, and takes nothing. */
        TRY
    }

    /** Decides like {@link RateLimiter#check(RateLimitRequest)}. */
    void check(RateLimitRequest request, Consumer<Decision> onDecision, Consumer<Throwable> onFailure);

    /** Decides like {@link RateLimiter#checkAll(List)}. */
    default void checkAll(List<RateLimitRequest> requests, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
        checkAll(requests, IdentityChain.NONE, onDecision, onFailure);
    }

    /**
     * Decides like {@link RateLimiter#checkAll(List)}.
     *
     * @param chain the chain of the caller: on a Redis Cluster, its identifiers have their windows in the slot of its root
     */
    default void checkAll(List<RateLimitRequest> requests, IdentityChain chain, Consumer<Decision> onDecision,
            Consumer<Throwable> onFailure) {
        decideAll(requests, chain, Mode.TAKE, onDecision, onFailure);
    }

    /**
     * Decides like {@link #checkAll(List, IdentityChain, Consumer, Consumer)}, with another effect.
     *
     * @param mode effect on the windows
     */
    void decideAll(List<RateLimitRequest> requests, IdentityChain chain, Mode mode, Consumer<Decision> onDecision,
            Consumer<Throwable> onFailure);

    /** Charges requests of different identifiers like {@link RateLimiter#charge(RateLimitRequest)}, in one call. */
    default void chargeAll(List<RateLimitRequest> requests, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
        decideAll(requests, IdentityChain.NONE, Mode.CHARGE, onDecision, onFailure);
    }

    /** Returns whether requests are decided together: on a Redis Cluster, their identifiers must be in one slot. */
    default boolean isAtomic(List<RateLimitRequest> requests) {
        return true;
    }

    /** Decides like {@link RateLimiter#checkAll(List)}, for the chain of the caller. Completes on the context of the subscriber. */
    static Uni<Decision> checkAll(CallbackRateLimiter limiter, List<RateLimitRequest> requests, IdentityChain chain) {
        return SlotDelivery.toUni((onDecision, onFailure) -> {
            limiter.checkAll(requests, chain, onDecision, onFailure);
            return () -> {
            };
        });
    }

    /**
     * Returns the callback variant of a rate limiter: the limiter itself if it is one, otherwise an adapter. An application may
     * replace the {@link RateLimiter} bean.
     */
    static CallbackRateLimiter of(RateLimiter limiter) {
        return limiter instanceof CallbackRateLimiter callbacks ? callbacks : new CallbackRateLimiter() {
            @Override
            public void check(RateLimitRequest request, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
                limiter.check(request).subscribe().with(onDecision, onFailure);
            }

            @Override
            public void decideAll(List<RateLimitRequest> requests, IdentityChain chain, Mode mode,
                    Consumer<Decision> onDecision,
                    Consumer<Throwable> onFailure) {
                if (mode == Mode.CHARGE) {
                    // each is taken in any case, so they need not be taken together
                    Uni.join().all(requests.stream().map(limiter::charge).toList()).andFailFast()
                            .map(CallbackRateLimiter::combined).subscribe().with(onDecision, onFailure);
                    return;
                }
                var decided = mode == Mode.TRY ? requests.stream().map(CallbackRateLimiter::query).toList() : requests;
                if (decided.size() == 1) {
                    check(decided.get(0), onDecision, onFailure);
                } else {
                    limiter.checkAll(decided).subscribe().with(onDecision, onFailure);
                }
            }
        };
    }

    /** Returns a request that asks for one unit of each check, and takes nothing. */
    private static RateLimitRequest query(RateLimitRequest request) {
        var checks = request.checks().stream()
                .map(check -> new ResourceCheck(check.resource(), check.rate(), 0).withFallback(check.fallback())).toList();
        return new RateLimitRequest(request.identifier(), request.tier(), request.label(), checks, request.shadow());
    }

    private static Decision combined(List<Decision> decisions) {
        var first = decisions.get(0);
        return new Decision(decisions.stream().allMatch(Decision::allowed), decisions.stream().anyMatch(Decision::denied),
                first.mode(), first.decidedAt(), decisions.stream().flatMap(decision -> decision.quotas().stream()).toList());
    }
}
