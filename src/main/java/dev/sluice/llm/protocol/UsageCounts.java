package dev.sluice.llm.protocol;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

import dev.sluice.llm.protocol.json.JsonFields;

/** Computes with counts that providers report, which may be missing, implausible or inconsistent. Stateless. */
final class UsageCounts {

    private UsageCounts() {
    }

    /** Returns the usage with these counts; null if it is implausible. */
    static TokenUsage toUsage(Long input, Long cachedInput, Long cacheWrite, Long longCacheWrite, Long output) {
        if (input == null && output == null || !isPlausible(input) || !isPlausible(output)) {
            return null;
        }
        long inputTokens = input == null ? 0 : input;
        long cachedTokens = clamp(cachedInput, inputTokens);
        long writtenTokens = clamp(cacheWrite, inputTokens - cachedTokens);
        return new TokenUsage(inputTokens, cachedTokens, writtenTokens, clamp(longCacheWrite, writtenTokens),
                output == null ? 0 : output);
    }

    /** Returns the tokens of all iterations; null if there are more than a usage can have. */
    static TokenUsage total(List<UsageDetails.Iteration> iterations) {
        long input = 0;
        long cachedInput = 0;
        long cacheWrite = 0;
        long longCacheWrite = 0;
        long output = 0;
        for (var iteration : iterations) {
            input += iteration.usage().input();
            cachedInput += iteration.usage().cachedInput();
            cacheWrite += iteration.usage().cacheWrite();
            longCacheWrite += iteration.usage().longCacheWrite();
            output += iteration.usage().output();
        }
        return input > TokenUsage.MAX || output > TokenUsage.MAX
                ? null
                : new TokenUsage(input, cachedInput, cacheWrite, longCacheWrite, output);
    }

    /** Returns the sum of the counts; null if all are missing. */
    static Long sum(Long... counts) {
        Long sum = null;
        for (var count : counts) {
            if (!isPlausible(count)) {
                return JsonFields.INVALID_COUNT;
            }
            if (count != null) {
                sum = sum == null ? count : Long.valueOf(sum + count);
            }
        }
        return sum;
    }

    static <T> T firstNonNull(T first, T second) {
        return first == null ? second : first;
    }

    /** Adds quantities that are part of others: excessive ones are reduced to what is left. */
    static Map<UsageKind, Long> quantities(TokenUsage usage, Map<UsageKind, Long> reported) {
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        long input = usage.input() - usage.cachedInput() - usage.cacheWrite();
        long output = usage.output();
        for (var kind : reported.keySet()) {
            long rest = switch (kind) {
                case CACHE_WRITE_12H -> usage.cacheWrite() - usage.longCacheWrite();
                default -> kind.isInput() ? input : kind.isOutput() ? output : TokenUsage.MAX;
            };
            long quantity = clamp(reported.get(kind), rest);
            if (quantity > 0) {
                quantities.put(kind, quantity);
                input -= kind.isInput() ? quantity : 0;
                output -= kind.isOutput() ? quantity : 0;
            }
        }
        return quantities;
    }

    /** Adds a quantity unless it is missing. */
    static void put(Map<UsageKind, Long> quantities, UsageKind kind, Long count) {
        if (count != null) {
            quantities.merge(kind, count, UsageCounts::plus);
        }
    }

    private static Long plus(Long one, Long other) {
        return isPlausible(one) && isPlausible(other) ? Math.min(one + other, TokenUsage.MAX) : JsonFields.INVALID_COUNT;
    }

    private static boolean isPlausible(Long count) {
        return count == null || count >= 0 && count <= TokenUsage.MAX;
    }

    private static long clamp(Long count, long max) {
        return count == null ? 0 : Math.max(0, Math.min(count, max));
    }
}
