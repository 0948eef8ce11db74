package dev.sluice.llm.client;

import java.util.concurrent.atomic.AtomicReference;

import dev.sluice.llm.protocol.TokenUsage;

/** Usage reported by an {@code @LlmRateLimited} method; several reports are added up. Thread-safe. */
final class ReportedUsage {

    private final AtomicReference<TokenUsage> sum = new AtomicReference<>();

    void add(TokenUsage usage) {
        sum.accumulateAndGet(usage, (sumSoFar, added) -> sumSoFar == null ? added : plus(sumSoFar, added));
    }

    /** Returns the sum; null if nothing has been reported. */
    TokenUsage get() {
        return sum.get();
    }

    private static TokenUsage plus(TokenUsage one, TokenUsage other) {
        return new TokenUsage(one.input() + other.input(), one.cachedInput() + other.cachedInput(),
                one.cacheWrite() + other.cacheWrite(), one.longCacheWrite() + other.longCacheWrite(),
                one.output() + other.output());
    }
}
