package dev.sluice.llm.client;

import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.protocol.TokenUsage;

/**
 * Binds LLM calls to the user they are made for:
 *
 * <pre>
 * LlmCallScope.as("alice", "pro").call(() -&gt; client.chat(body))
 * </pre>
 *
 * Applies to everything the action calls: REST clients with {@link LlmRateLimitFilter}, whatever they return, and methods
 * annotated with {@link dev.sluice.llm.LlmRateLimited}. It does not apply to {@link LlmClient}, which has a user of its
 * own. A {@code Uni} or {@code Multi} assembled inside the scope keeps it, wherever and whenever it is subscribed to; one
 * assembled outside never gets it. Other executors receive it by context propagation ({@code ManagedExecutor}).
 * <p>
 * Immutable and thread-safe.
 */
public final class LlmCallScope {

    private final String user;
    private final @Nullable String tier;

    private LlmCallScope(String user, @Nullable String tier) {
        this.user = user;
        this.tier = tier;
    }

    /**
     * Returns a scope for a user of the first configured tier.
     *
     * @param user the user's name, not blank; counted as {@code user:<name>}
     * @return the scope, to be entered with {@link #call}
     * @throws IllegalArgumentException if {@code user} is null or blank
     */
    public static LlmCallScope as(String user) {
        return as(user, null);
    }

    /**
     * Returns a scope for a user of a tier.
     *
     * @param user the user's name, not blank; counted as {@code user:<name>}
     * @param tier the user's tier; null or an unknown tier is treated as the first configured one
     * @return the scope, to be entered with {@link #call}
     * @throws IllegalArgumentException if {@code user} is null or blank
     */
    public static LlmCallScope as(String user, @Nullable String tier) {
        return new LlmCallScope(LlmIdentity.requireUser(user), tier);
    }

    /**
     * Runs an action in this scope, on the current thread.
     *
     * @param action the code whose LLM calls count for the user
     * @return the action's result
     */
    public <T> T call(Supplier<T> action) {
        return new CallContext(user, tier, CallContext.current().reportedUsage()).run(action::get);
    }

    /**
     * Reports the usage of the current {@link dev.sluice.llm.LlmRateLimited} invocation, as the provider has reported it.
     * It is booked in place of the estimate when the invocation ends. Several reports are added up. Does nothing outside
     * such an invocation.
     *
     * @param inputTokens all input tokens, cached ones included, 0 to 100,000,000
     * @param outputTokens all output tokens, reasoning included, 0 to 100,000,000
     * @throws IllegalArgumentException if a count is out of range
     */
    public static void reportUsage(long inputTokens, long outputTokens) {
        reportUsage(TokenUsage.of(inputTokens, outputTokens));
    }

    /**
     * Reports the usage of the current {@link dev.sluice.llm.LlmRateLimited} invocation, with the cached tokens, which have
     * prices of their own. Otherwise as {@link #reportUsage(long, long)}.
     *
     * @param inputTokens all input tokens, including those of the other input parameters
     * @param cachedInputTokens input tokens read from the provider's cache
     * @param cacheWriteTokens input tokens written to the provider's cache, for any time
     * @param longCacheWriteTokens input tokens written to the provider's cache for an hour; part of {@code cacheWriteTokens}
     * @param outputTokens all output tokens, reasoning included
     * @throws IllegalArgumentException if a count is negative or above 100,000,000, or the parts are more than the whole
     */
    public static void reportUsage(long inputTokens, long cachedInputTokens, long cacheWriteTokens, long longCacheWriteTokens,
            long outputTokens) {
        reportUsage(new TokenUsage(inputTokens, cachedInputTokens, cacheWriteTokens, longCacheWriteTokens, outputTokens));
    }

    private static void reportUsage(TokenUsage usage) {
        var reportedUsage = CallContext.current().reportedUsage();
        if (reportedUsage != null) {
            reportedUsage.add(usage);
        }
    }
}
