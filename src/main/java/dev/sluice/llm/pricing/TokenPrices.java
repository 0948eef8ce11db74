package dev.sluice.llm.pricing;

import static java.lang.Math.addExact;
import static java.lang.Math.multiplyExact;

import java.math.BigDecimal;
import java.util.Map;

import dev.sluice.llm.protocol.TokenUsage;

/**
 * Price of one token of each kind in picodollars (10⁻¹² US dollars). Each is at most 2 × 10¹⁰ (the maximum price, doubled
 * for a long cache write), so that the cost of any {@link TokenUsage} fits a {@code long}.
 *
 * @param input input neither read from nor written to a cache
 * @param cachedInput input read from the cache
 * @param cacheWrite input written to the cache for minutes
 * @param longCacheWrite input written to the cache for one hour
 * @param output output, reasoning included
 */
record TokenPrices(long input, long cachedInput, long cacheWrite, long longCacheWrite, long output) {

    /**
     * Converts prices in US dollars per million tokens.
     *
     * @throws IllegalArgumentException if an amount is not a price
     */
    static TokenPrices of(Map<TokenKind, BigDecimal> amounts) {
        var cacheWrite = amounts.get(TokenKind.CACHE_WRITE);
        return new TokenPrices(Money.picodollarsPerToken(amounts.get(TokenKind.INPUT)),
                Money.picodollarsPerToken(amounts.get(TokenKind.CACHED_INPUT)),
                Money.picodollarsPerToken(cacheWrite),
                Money.picodollarsPerToken(amounts.getOrDefault(TokenKind.CACHE_WRITE_1H, cacheWrite)),
                Money.picodollarsPerToken(amounts.get(TokenKind.OUTPUT)));
    }

    long cost(TokenUsage usage) {
        long plain = usage.input() - usage.cachedInput() - usage.cacheWrite();
        long shortWrites = usage.cacheWrite() - usage.longCacheWrite();
        long cost = multiplyExact(plain, input);
        cost = addExact(cost, multiplyExact(usage.cachedInput(), cachedInput));
        cost = addExact(cost, multiplyExact(shortWrites, cacheWrite));
        cost = addExact(cost, multiplyExact(usage.longCacheWrite(), longCacheWrite));
        return addExact(cost, multiplyExact(usage.output(), output));
    }
}
