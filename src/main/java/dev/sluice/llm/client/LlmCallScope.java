package dev.sluice.llm.client;

import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.protocol.TokenUsage;

/**
 * Says on whose behalf models are called:
 *
 * <pre>
 * LlmCallScope.as("alice", "pro").call(() -&gt; client.chat(body))
 * </pre>
 *
 * It holds for everything that the code inside calls: through REST clients that have {@link LlmRateLimitFilter}, whatever they
 * return, and through methods that are {@link dev.sluice.llm.LlmRateLimited}. A {@code Uni} or {@code Multi} that is put
 * together inside keeps it, wherever and whenever it is subscribed to; what is put together outside never gets it. To an
 * executor of one's own it goes by context propagation ({@code ManagedExecutor}).
 */
public final class LlmCallScope {

    private final String user;
    private final @Nullable String tier;

    private LlmCallScope(String user, @Nullable String tier) {
        this.user = user;
        this.tier = tier;
    }

    /** On behalf of this user, in the first tier. */
    public static LlmCallScope as(String user) {
        return as(user, null);
    }

    /**
     * On behalf of this user.
     *
     * @param user the name, not blank; counted as {@code user:<name>}
     * @param tier one that is not known, or null, is the first
     */
    public static LlmCallScope as(String user, @Nullable String tier) {
        return new LlmCallScope(LlmIdentity.requireUser(user), tier);
    }

    /** Runs this code with the user bound. */
    public <T> T call(Supplier<T> code) {
        return new CallContext(user, tier, CallContext.current().used()).run(code::get);
    }

    /**
     * Tells what the {@link dev.sluice.llm.LlmRateLimited} method in progress has used, as the provider reported it; it is
     * booked in place of the estimate when the method ends. Told several times, it adds up. Outside such a method it does
     * nothing.
     *
     * @param input tokens, cached ones included
     * @param output tokens, reasoning included
     */
    public static void used(long input, long output) {
        used(TokenUsage.of(input, output));
    }

    /**
     * Reports usage like {@link #used(long, long)}, with the parts of the input that have prices of their own.
     *
     * @param input tokens, including those of the other input parameters
     * @param cachedInput tokens read from the provider's cache
     * @param cacheWrite tokens written to the provider's cache, for any time
     * @param longCacheWrite tokens written to the provider's cache for an hour, also part of {@code cacheWrite}
     * @param output tokens, including reasoning
     * @throws IllegalArgumentException if a count is negative or above 100,000,000, or the parts are more than the whole
     */
    public static void used(long input, long cachedInput, long cacheWrite, long longCacheWrite, long output) {
        used(new TokenUsage(input, cachedInput, cacheWrite, longCacheWrite, output));
    }

    private static void used(TokenUsage usage) {
        var listening = CallContext.current().used();
        if (listening != null) {
            listening.add(usage);
        }
    }
}
