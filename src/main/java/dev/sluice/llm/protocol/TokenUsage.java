package dev.sluice.llm.protocol;

/**
 * Tokens used by one call, normalized to the same meaning for all providers. Each count is 0 to {@value #MAX}.
 *
 * @param input all input tokens, including cache reads and cache writes
 * @param cachedInput the input tokens that were read from the provider's cache
 * @param cacheWrite the input tokens that were written to the provider's cache, for any duration
 * @param longCacheWrite the cache writes that are kept for one hour
 * @param output all output tokens, reasoning included
 */
public record TokenUsage(long input, long cachedInput, long cacheWrite, long longCacheWrite, long output) {

    /** Maximum of every count, more than any call uses: a report of more is treated as no report. */
    public static final long MAX = 100_000_000;

    /** No tokens. */
    public static final TokenUsage NONE = new TokenUsage(0, 0, 0, 0, 0);

    /** @throws IllegalArgumentException if a count is out of range, or the parts of the input exceed it */
    public TokenUsage {
        if (input < 0 || input > MAX || output < 0 || output > MAX || cachedInput < 0 || cacheWrite < 0
                || cachedInput + cacheWrite > input || longCacheWrite < 0 || longCacheWrite > cacheWrite) {
            throw new IllegalArgumentException("token counts must be 0 to " + MAX
                    + ", and the parts of the input at most the input");
        }
    }

    /**
     * Creates a usage without cached tokens.
     *
     * @param input the input tokens
     * @param output the output tokens
     * @return the usage
     * @throws IllegalArgumentException if a count is out of range
     */
    public static TokenUsage of(long input, long output) {
        return new TokenUsage(input, 0, 0, 0, output);
    }

    /**
     * Returns the sum of input and output tokens.
     *
     * @return 0 to 2 × {@value #MAX}
     */
    public long total() {
        return input + output;
    }
}
