package dev.sluice.service.llm;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * Denial of a call by a limit.
 *
 * @param quota the most restrictive quota
 * @param kind what the quota counts, which is known even if the rate is {@link dev.sluice.api.Rate#BLOCKED}
 * @param requestedUnits number of units that the call has requested from the quota
 * @param unproven whether the provider has not accepted the caller's key yet, so that the call counts against the address
 * @param mostlyOutput whether most of what the call has requested from the quota is output
 * @param reason message of a denial that does not depend on the usage; null for another one
 */
record CallDenial(Provider provider, Decision decision, QuotaStatus quota, LimitKind kind, long requestedUnits,
        boolean unproven, String reason, boolean mostlyOutput) {

    static CallDenial of(AdmittedCall call, boolean unproven) {
        var quota = call.decision().mostRestrictive().orElseThrow();
        var kind = call.kindOf(quota);
        var reason = call.deniedAsUnpriced()
                ? call.unpricedMessage()
                : quota.window().isZero() && kind != LimitKind.CONCURRENCY ? "Calls of this model are not allowed" : null;
        return new CallDenial(call.provider(), call.decision(), quota, kind, call.requestedUnits(quota),
                unproven, reason, isMostlyOutput(kind, call.estimatedUsage()));
    }

    private static boolean isMostlyOutput(LimitKind kind, TokenUsage usage) {
        return switch (kind) {
            case REQUESTS, INPUT_TOKENS, CONCURRENCY -> false;
            case OUTPUT_TOKENS -> true;
            case TOKENS, BUDGET -> usage.output() > usage.input();
        };
    }

    /** Returns the denial of a call that uses no tokens. */
    static CallDenial ofFreeCall(Provider provider, Decision decision, boolean unproven) {
        var quota = decision.mostRestrictive().orElseThrow();
        return new CallDenial(provider, decision, quota, LimitKind.REQUESTS, 1, unproven,
                quota.window().isZero() ? "Calls that use no tokens are not allowed" : null, false);
    }
}
