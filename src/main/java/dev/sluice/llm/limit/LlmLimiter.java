package dev.sluice.llm.limit;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;

import jakarta.enterprise.context.ApplicationScoped;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.settlement.SettlementQueue;
import io.smallrye.mutiny.Uni;

/**
 * Limits LLM calls: requests, tokens and budget in one decision. Tokens and cost are not known before the call, so an
 * estimate is reserved and later settled with the usage that the provider reports. Thread-safe and non-blocking.
 */
@ApplicationScoped
public class LlmLimiter {

    private final CallbackRateLimiter limiter;
    private final CurrentLlmPolicy policy;
    private final CallAccounting accounting;
    private final ReservationPlanner planner;
    private final CallReports reports;

    LlmLimiter(CallbackRateLimiter limiter, CurrentLlmPolicy policy, LlmConfig settings, Ledger ledger, LlmMetrics metrics,
            SettlementQueue settlements, DetachedReservations detached) {
        this.limiter = limiter;
        this.policy = policy;
        this.accounting = new CallAccounting(ledger, metrics, settlements, policy, settings.maxBodySize().asLongValue());
        var outputEstimates = new OutputEstimates(ledger::readOutputs, ledger::currentHour, System::nanoTime);
        this.planner = new ReservationPlanner(policy::current, accounting::findPrice, outputEstimates,
                settings.unpriced() == LlmConfig.Unpriced.REFUSE, System::nanoTime);
        this.reports = new CallReports(limiter, policy, accounting, outputEstimates, detached);
    }

    /**
     * Checks a call against all limits, reserves its estimated tokens and cost, and takes its slots of calls in flight. If the call is allowed, the
     * {@link AdmittedCall} must be settled or released when it ends.
     *
     * @param callEstimate the call's identity and size
     * @return one decision per subscription, allowed or denied; fails with {@link dev.sluice.api.StoreUnavailableException}
     * if the limits cannot be checked and the fallback policy does not decide
     */
    public Uni<AdmittedCall> admit(LlmCallEstimate callEstimate) {
        return Uni.createFrom().emitter(emitter -> {
            var terminated = new AtomicBoolean();
            emitter.onTermination(() -> terminated.set(true));
            admit(callEstimate, call -> {
                if (terminated.compareAndSet(false, true)) {
                    emitter.complete(call);
                } else if (call.decision().allowed()) {
                    call.release(false); // the caller has cancelled or timed out
                }
            }, emitter::fail);
        });
    }

    /**
     * Checks a call like {@link #admit(LlmCallEstimate)}, without the cost of a {@code Uni}. Exactly one callback is called, once,
     * possibly before this method returns. Callbacks must not throw.
     *
     * @param callEstimate the call's identity and size
     * @param onDecided receives the call, allowed or denied
     * @param onFailure receives the failure
     */
    public void admit(LlmCallEstimate callEstimate, Consumer<AdmittedCall> onDecided, Consumer<Throwable> onFailure) {
        admit(callEstimate, tier -> List.of(), onDecided, onFailure);
    }

    /**
     * Checks a call like {@link #admit(LlmCallEstimate, Consumer, Consumer)}, together with further checks.
     *
     * @param furtherChecks returns the further checks for the caller's effective tier; each costs one unit
     */
    void admit(LlmCallEstimate callEstimate, Function<String, List<ResourceCheck>> furtherChecks,
            Consumer<AdmittedCall> onDecided, Consumer<Throwable> onFailure) {
        PlannedCall planned;
        try {
            planned = planner.plan(callEstimate, furtherChecks);
        } catch (RuntimeException | Error e) {
            onFailure.accept(e);
            return;
        }
        limiter.checkAll(planned.requests(), callEstimate.chain(), decision -> {
            AdmittedCall call;
            try {
                if (!decision.allowed()) {
                    planned.cancel();
                    accounting.countDenial(callEstimate.provider(),
                            CallOwner.of(callEstimate.identifier(), callEstimate.chain()), planned.priceName());
                }
                call = new AdmittedCall(planned, decision, accounting);
            } catch (RuntimeException | Error e) { // the limiter's callbacks must not throw
                decision.slot().release();
                planned.cancel();
                onFailure.accept(e);
                return;
            }
            onDecided.accept(call);
        }, failure -> {
            planned.cancel();
            onFailure.accept(failure);
        });
    }

    /**
     * Returns whether a model may be called ({@code rate-limit.llm.<name>.models}).
     *
     * @param provider the provider that is called
     * @param model the model's name; empty if it is not known
     */
    public boolean allows(Provider provider, String model) {
        return policy.current().allows(provider, model);
    }

    /**
     * Settles a deferred call and books it. A call is booked once, however often and on however many instances it is settled.
     *
     * @param call the call
     * @param requestId idempotency key of the call
     * @param usage its usage; null for what was reserved, which is booked as estimated
     * @param details what else determines the cost; not regarded without usage
     * @param responseModel the model that has answered; may be null
     */
    public void settleDeferred(DeferredCall call, String requestId, TokenUsage usage, UsageDetails details,
            String responseModel) {
        var reserved = new ReservedUsage(call.provider(), call.model(), accounting.findPrice(call.provider(), call.model()),
                call.usage(), call.details());
        var bill = usage == null
                ? accounting.bill(reserved, call.usage(), call.details(), responseModel, true)
                : accounting.bill(reserved, usage, details, responseModel, false);
        settle(call, bill.usage(), bill.nanodollars());
        accounting.bookOnce(call.provider(), call.ledgerIdentifier(), call.owner(), call.model(), bill, requestId, -1, () -> {
        })
                .subscribe().with(written -> {
                }, failure -> {
                });
    }

    /**
     * Settles a deferred call that has failed and costs nothing.
     *
     * @param call the call
     */
    public void releaseDeferred(DeferredCall call) {
        settle(call, TokenUsage.NONE, 0);
        accounting.countFailure(call.provider(), call.owner(), accounting.findPrice(call.provider(), call.model()), false);
    }

    private void settle(DeferredCall call, TokenUsage usage, long nanodollars) {
        accounting.settleDetached(call.windows().identifiers(), call.reservation(), call.windows().units(usage, nanodollars));
    }

    /**
     * Checks a call that uses no tokens, such as a list of models, against the rate of such calls. Nothing is booked.
     *
     * @param provider the provider that is called
     * @param identifier the caller's identifier, as stored
     * @param tier the caller's tier; null or an unknown tier is treated as the first configured one
     * @return one decision per subscription; fails like {@link #admit}
     */
    public Uni<Decision> checkFreeCall(Provider provider, String identifier, String tier) {
        return Uni.createFrom().emitter(emitter -> {
            var snapshot = policy.current();
            var effectiveTier = snapshot.tiers().effective(tier);
            var rule = snapshot.freeCallRule(provider);
            limiter.check(
                    new RateLimitRequest(identifier, effectiveTier, rule.resource(), rule.singleUnitChecks(effectiveTier)),
                    emitter::complete, emitter::fail);
        });
    }

    /**
     * Books usage of a call made elsewhere. Settles its reservation; without one, the usage is counted in the windows of tokens and
     * cost of the caller's tier and levels, also beyond their limits.
     *
     * @param call the call
     * @return completes when the usage has been written, or buffered because Redis is unavailable
     */
    public Uni<Void> report(ExternalCall call) {
        return reports.report(call);
    }

    /**
     * Leaves the end of a call to {@link #report}, as {@link AdmittedCall#detach} does, and keeps the windows of its reservation.
     *
     * @param call an admitted call
     * @return the token with which the usage is reported; null if nothing was reserved
     */
    public Uni<@Nullable String> detach(AdmittedCall call) {
        return reports.detach(call);
    }
}
