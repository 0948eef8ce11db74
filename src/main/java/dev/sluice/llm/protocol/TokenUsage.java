package dev.sluice.llm.protocol;

/**
 * The tokens of one call, as all providers' reports come to mean the same. Each count is from 0 to {@value #MAX}.
 *
 * @param input all input: cached reads and cache writes are parts of it
 * @param cachedInput of the input, what was read from the provider's cache
 * @param cacheWrite of the input, what was written to the provider's cache, for however long
 * @param longCacheWrite of the cache writes, those for an hour
 * @param output all output, reasoning included
 */
public record TokenUsage(long input, long cachedInput, long cacheWrite, long longCacheWrite, long output) {

    /** More tokens than any call has: a report of more is no report. */
    public static final long MAX = 100_000_000;

    public static final TokenUsage NONE = new TokenUsage(0, 0, 0, 0, 0);

    public TokenUsage {
        if (input < 0 || input > MAX || output < 0 || output > MAX || cachedInput < 0 || cacheWrite < 0
                || cachedInput + cacheWrite > input || longCacheWrite < 0 || longCacheWrite > cacheWrite) {
            throw new IllegalArgumentException("counts of tokens are from 0 to " + MAX
                    + ", and the parts of the input are not more than the input");
        }
    }

    /** Input and output without a cache. */
    public static TokenUsage of(long input, long output) {
        return new TokenUsage(input, 0, 0, 0, output);
    }

    /** Input and output together. */
    public long total() {
        return input + output;
    }
}
