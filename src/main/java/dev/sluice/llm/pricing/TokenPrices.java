package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.util.Map;

import dev.sluice.llm.pricing.CostParts.Group;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageKind;

/**
 * Price of one token of each kind in picodollars (10⁻¹² US dollars). Each is at most 2 × 10¹⁰ (the maximum price, doubled
 * for a long cache write), so that the cost of any {@link TokenUsage} fits a {@code long}.
 *
 * @param input input of text, neither read from nor written to a cache
 * @param cachedInput input read from the cache
 * @param cacheWrite input written to the cache for minutes
 * @param longCacheWrite input written to the cache for one hour
 * @param halfDayCacheWrite input written to the cache for twelve hours or more
 * @param output output of text, reasoning included
 */
record TokenPrices(long input, long cachedInput, long cacheWrite, long longCacheWrite, long halfDayCacheWrite, long audioInput,
        long imageInput,
        long output, long audioOutput, long imageOutput) {

    /** Creates prices that are the same for text, audio and images. */
    TokenPrices(long input, long cachedInput, long cacheWrite, long longCacheWrite, long output) {
        this(input, cachedInput, cacheWrite, longCacheWrite, longCacheWrite, input, input, output, output, output);
    }

    /**
     * Converts prices in US dollars per million tokens.
     *
     * @throws IllegalArgumentException if an amount is not a price
     */
    static TokenPrices of(Map<TokenKind, BigDecimal> amounts) {
        long input = price(amounts, TokenKind.INPUT, 0);
        long cacheWrite = price(amounts, TokenKind.CACHE_WRITE, input);
        long output = price(amounts, TokenKind.OUTPUT, 0);
        return new TokenPrices(input, price(amounts, TokenKind.CACHED_INPUT, input), cacheWrite,
                price(amounts, TokenKind.CACHE_WRITE_1H, cacheWrite), price(amounts, TokenKind.CACHE_WRITE_12H, cacheWrite),
                price(amounts, TokenKind.AUDIO_INPUT, input),
                price(amounts, TokenKind.IMAGE_INPUT, input), output, price(amounts, TokenKind.AUDIO_OUTPUT, output),
                price(amounts, TokenKind.IMAGE_OUTPUT, output));
    }

    private static long price(Map<TokenKind, BigDecimal> amounts, TokenKind kind, long otherwise) {
        var amount = amounts.get(kind);
        return amount == null ? otherwise : Money.picodollarsPerToken(amount);
    }

    /** Returns whether no token costs anything. */
    boolean isFree() {
        return equals(new TokenPrices(0, 0, 0, 0, 0));
    }

    /**
     * Adds the parts of a call's cost.
     *
     * @param quantities parts of the input and the output with prices of their own; what exceeds these, as parts of an estimate that
     * was limited may, is not regarded
     */
    void addTo(CostParts.Builder cost, TokenUsage usage, Map<UsageKind, Long> quantities) {
        long uncached = usage.input() - usage.cachedInput() - usage.cacheWrite();
        long audioIn = Math.min(uncached, quantities.getOrDefault(UsageKind.AUDIO_INPUT, 0L));
        long imageIn = Math.min(uncached - audioIn, quantities.getOrDefault(UsageKind.IMAGE_INPUT, 0L));
        long audioOut = Math.min(usage.output(), quantities.getOrDefault(UsageKind.AUDIO_OUTPUT, 0L));
        long imageOut = Math.min(usage.output() - audioOut, quantities.getOrDefault(UsageKind.IMAGE_OUTPUT, 0L));
        long plain = uncached - audioIn - imageIn;
        long shortWrites = usage.cacheWrite() - usage.longCacheWrite();
        long halfDayWrites = Math.min(shortWrites, quantities.getOrDefault(UsageKind.CACHE_WRITE_12H, 0L));
        cost.tokens(TokenKind.INPUT, Group.INPUT, plain, input)
                .tokens(TokenKind.AUDIO_INPUT, Group.INPUT, audioIn, audioInput)
                .tokens(TokenKind.IMAGE_INPUT, Group.INPUT, imageIn, imageInput)
                .tokens(TokenKind.CACHED_INPUT, Group.CACHED_INPUT, usage.cachedInput(), cachedInput)
                .tokens(TokenKind.CACHE_WRITE, Group.CACHE_WRITE, shortWrites - halfDayWrites, cacheWrite)
                .tokens(TokenKind.CACHE_WRITE_1H, Group.CACHE_WRITE, usage.longCacheWrite(), longCacheWrite)
                .tokens(TokenKind.CACHE_WRITE_12H, Group.CACHE_WRITE, halfDayWrites, halfDayCacheWrite)
                .tokens(TokenKind.OUTPUT, Group.OUTPUT, usage.output() - audioOut - imageOut, output)
                .tokens(TokenKind.AUDIO_OUTPUT, Group.OUTPUT, audioOut, audioOutput)
                .tokens(TokenKind.IMAGE_OUTPUT, Group.OUTPUT, imageOut, imageOutput);
    }
}
