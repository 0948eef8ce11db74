package dev.sluice.llm.protocol;

import java.util.Locale;

/**
 * Tier of service in which a call was processed, as the response says. Each has prices of its own.
 *
 * @see <a href="https://platform.openai.com/docs/pricing">OpenAI: pricing by tier</a>
 */
public enum ServiceTier {
    /** Also tiers that are unknown here or cheaper ({@code batch}), or are paid for apart from the call ({@code scale}). */
    STANDARD, FLEX, PRIORITY, ULTRAFAST;

    /**
     * Returns the tier that a response names.
     *
     * @param provider Anthropic's {@code priority} is capacity that is paid for in advance; its tokens have the standard price
     * @param name the tier's name; may be null
     */
    static ServiceTier of(Provider provider, String name) {
        if (name == null) {
            return STANDARD;
        }
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "flex" -> FLEX;
            case "priority" -> provider.is(ProviderType.ANTHROPIC) ? STANDARD : PRIORITY;
            case "ultrafast" -> ULTRAFAST;
            default -> STANDARD;
        };
    }
}
