package dev.sluice.llm.protocol;

import dev.sluice.api.Identifiers;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/** Accumulates the usage reported in the JSON objects of one response. */
abstract class UsageAccumulator {

    private final JsonPaths paths;
    private TokenUsage usage;
    private String model;
    private long contentEvents;
    private boolean finished;

    UsageAccumulator(JsonPaths paths) {
        this.paths = paths;
    }

    /** Reads one more object: an event of a stream, or the document. */
    abstract void accept(JsonFields facts);

    /** Handles the {@code [DONE]} marker of a stream. */
    void onDoneMarker() {
    }

    final JsonPaths paths() {
        return paths;
    }

    final TokenUsage usage() {
        return usage;
    }

    final String model() {
        return model;
    }

    final long contentEvents() {
        return contentEvents;
    }

    /** Returns whether the last event of a stream has been received. */
    final boolean finished() {
        return finished;
    }

    final void markFinished() {
        finished = true;
    }

    final void countContent() {
        contentEvents++;
    }

    final void model(String name) {
        if (name != null && Identifiers.isValid(name)) {
            model = name;
        }
    }

    /**
     * Replaces the usage reported so far. Missing counts are null. Excessive parts of the input are reduced to the input;
     * an implausible input or output invalidates the report.
     */
    final void usage(Long input, Long cachedInput, Long cacheWrite, Long longCacheWrite, Long output) {
        if (input == null && output == null || !isPlausible(input) || !isPlausible(output)) {
            usage = null;
            return;
        }
        long inputTokens = input == null ? 0 : input;
        long cachedTokens = clamp(cachedInput, inputTokens);
        long writtenTokens = clamp(cacheWrite, inputTokens - cachedTokens);
        usage = new TokenUsage(inputTokens, cachedTokens, writtenTokens, clamp(longCacheWrite, writtenTokens),
                output == null ? 0 : output);
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

    static Long firstNonNull(Long first, Long second) {
        return first == null ? second : first;
    }

    private static boolean isPlausible(Long count) {
        return count == null || count >= 0 && count <= TokenUsage.MAX;
    }

    private static long clamp(Long count, long max) {
        return count == null ? 0 : Math.max(0, Math.min(count, max));
    }
}
