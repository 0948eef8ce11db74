package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.llm.protocol.Provider;
import io.smallrye.mutiny.Uni;

/**
 * Limits calls with callers' own keys that the provider has not accepted yet. They count against the client's address: in all
 * windows that a call of the address has, and in {@code llm:<provider>:unproven}, all or nothing. So that invented keys have one
 * set of windows for an address, the key itself has none. Thread-safe and non-blocking.
 */
@ApplicationScoped
public class UnprovenCallLimiter {

    private final LlmLimiter calls;
    private final CallbackRateLimiter limiter;
    private final CurrentLlmPolicy policy;

    UnprovenCallLimiter(LlmLimiter calls, CallbackRateLimiter limiter, CurrentLlmPolicy policy) {
        this.calls = calls;
        this.limiter = limiter;
        this.policy = policy;
    }

    /**
     * Checks a call, and reserves its estimated tokens and cost, as {@link LlmLimiter#admit(LlmCallEstimate, Consumer, Consumer)}
     * does.
     *
     * @param callEstimate size of the call, with the identifier of the client's address
     * @param onDecided receives the call, allowed or denied
     * @param onFailure receives the failure
     */
    public void admit(LlmCallEstimate callEstimate, Consumer<AdmittedCall> onDecided, Consumer<Throwable> onFailure) {
        calls.admit(callEstimate, tier -> policy.current().unprovenCallRule(callEstimate.provider()).singleUnitChecks(tier),
                onDecided, onFailure);
    }

    /**
     * Checks a call that uses no tokens, such as a list of models.
     *
     * @param provider the provider that is called
     * @param address identifier of the client's address
     * @param tier tier of the address
     * @return one decision per subscription; fails like {@link LlmLimiter#checkFreeCall}
     */
    public Uni<Decision> checkFreeCall(Provider provider, String address, String tier) {
        return check(provider, address, tier, true);
    }

    /**
     * Checks any other request, which has no window of its own once the key is proven.
     *
     * @param provider the provider that is called
     * @param address identifier of the client's address
     * @param tier tier of the address
     * @return one decision per subscription; fails like {@link LlmLimiter#checkFreeCall}
     */
    public Uni<Decision> checkOther(Provider provider, String address, String tier) {
        return check(provider, address, tier, false);
    }

    private Uni<Decision> check(Provider provider, String address, String tier, boolean isFreeCall) {
        return Uni.createFrom().emitter(emitter -> {
            var snapshot = policy.current();
            var effectiveTier = snapshot.tiers().effective(tier);
            var rule = snapshot.unprovenCallRule(provider);
            List<ResourceCheck> checks = new ArrayList<>(rule.singleUnitChecks(effectiveTier));
            if (isFreeCall) {
                checks.addAll(snapshot.freeCallRule(provider).singleUnitChecks(effectiveTier));
            }
            limiter.check(new RateLimitRequest(address, effectiveTier, rule.resource(), checks), emitter::complete,
                    emitter::fail);
        });
    }
}
