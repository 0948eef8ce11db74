package dev.sluice.llm.pricing;

import static java.lang.Math.addExact;
import static java.lang.Math.multiplyExact;

import dev.sluice.llm.protocol.TokenUsage;

/**
 * What one token of each kind costs, in picodollars. None costs more than 2 × 10^10 (the largest price, doubled for a long
 * cache write), so that the cost of any {@link TokenUsage} is a long.
 *
 * @param input neither read from nor written to a cache
 * @param cachedInput read from the cache
 * @param cacheWrite written to the cache for minutes
 * @param longCacheWrite written to the cache for an hour
 */
record TokenPrices(long input, long cachedInput, long cacheWrite, long longCacheWrite, long output) {

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
