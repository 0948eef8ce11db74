package dev.sluice.llm.protocol;

import dev.sluice.api.Identifiers;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/** What the objects of one answer come to. */
abstract class UsageAccumulator {

    private final JsonPaths paths;
    private TokenUsage usage;
    private String model;
    private long contentEvents;
    private boolean finished;

    UsageAccumulator(JsonPaths paths) {
        this.paths = paths;
    }

    static UsageAccumulator of(Provider provider, ProviderOperation.Shape shape) {
        return switch (provider) {
            case OPENAI -> new OpenAiUsage(shape);
            case ANTHROPIC -> new AnthropicUsage();
            case GEMINI -> new GeminiUsage();
        };
    }

    /** One more object: an event of a stream, or the document. */
    abstract void accept(JsonFields facts);

    /** The stream said {@code [DONE]}. */
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

    /** Whether the last event of a stream has come. */
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
     * The usage told so far, in place of what was told before. Counts are null where they are missing. What a part has too
     * much is cut off; an input or output that cannot be true makes it no usage.
     */
    final void usage(Long input, Long cachedInput, Long cacheWrite, Long longCacheWrite, Long output) {
        if (input == null && output == null || !isPlausible(input) || !isPlausible(output)) {
            usage = null;
            return;
        }
        long inputTokens = input == null ? 0 : input;
        long cachedTokens = clamp(cachedInput, inputTokens);
        long writtenTokens = clamp(cacheWrite, inputTokens - cachedTokens);
        usage = new TokenUsage(inputTokens, cachedTokens, writtenTokens, clamp(longCacheWrite, writtenTokens), output == null ? 0 : output);
    }

    /** Null where all are missing. */
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
