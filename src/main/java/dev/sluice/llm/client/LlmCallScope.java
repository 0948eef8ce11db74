package dev.sluice.llm.client;

import java.util.function.Supplier;

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
    private final String tier;

    private LlmCallScope(String user, String tier) {
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
    public static LlmCallScope as(String user, String tier) {
        return new LlmCallScope(LlmIdentity.requireUser(user), tier);
    }

    /** Runs this code with the user bound. */
    public <T> T call(Supplier<T> action) {
        return new CallContext(user, tier, CallContext.current().reportedUsage()).run(action::get);
    }

    /**
     * Tells what the {@link dev.sluice.llm.LlmRateLimited} method in progress has used, as the provider reported it; it is
     * booked in place of the estimate when the method ends. Told several times, it adds up. Outside such a method it does
     * nothing.
     *
     * @param inputTokens tokens, cached ones included
     * @param outputTokens tokens, reasoning included
     */
    public static void reportUsage(long inputTokens, long outputTokens) {
        reportUsage(TokenUsage.of(inputTokens, outputTokens));
    }

    /** The same, with the parts that have prices of their own. */
    public static void reportUsage(TokenUsage usage) {
        var reportedUsage = CallContext.current().reportedUsage();
        if (reportedUsage != null) {
            reportedUsage.add(usage);
        }
    }
}
