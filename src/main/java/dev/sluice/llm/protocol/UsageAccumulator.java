package dev.sluice.llm.protocol;

import dev.sluice.api.Identifiers;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/** What the objects of one answer come to. */
abstract class UsageAccumulator {

    private final JsonPaths wanted;
    private TokenUsage usage;
    private String model;
    private long contents;
    private boolean finished;

    UsageAccumulator(JsonPaths wanted) {
        this.wanted = wanted;
    }

    static UsageAccumulator of(Provider provider, ProviderOperation.Shape shape) {
        return switch (provider) {
            case OPENAI -> new OpenAiUsage(shape);
            case ANTHROPIC -> new AnthropicUsage();
            case GEMINI -> new GeminiUsage();
        };
    }

    /** One more object: an event of a stream, or the document. */
    abstract void take(JsonFields facts);

    /** The stream said {@code [DONE]}. */
    void done() {
    }

    final JsonPaths wanted() {
        return wanted;
    }

    final TokenUsage usage() {
        return usage;
    }

    final String model() {
        return model;
    }

    final long contents() {
        return contents;
    }

    /** Whether the last event of a stream has come. */
    final boolean finished() {
        return finished;
    }

    final void finish() {
        finished = true;
    }

    final void content() {
        contents++;
    }

    final void model(String named) {
        if (named != null && Identifiers.isValid(named)) {
            model = named;
        }
    }

    /**
     * The usage told so far, in place of what was told before. Counts are null where they are missing. What a part has too
     * much is cut off; an input or output that cannot be true makes it no usage.
     */
    final void usage(Long input, Long cachedInput, Long cacheWrite, Long longCacheWrite, Long output) {
        if (input == null && output == null || !credible(input) || !credible(output)) {
            usage = null;
            return;
        }
        long in = input == null ? 0 : input;
        long cached = part(cachedInput, in);
        long written = part(cacheWrite, in - cached);
        usage = new TokenUsage(in, cached, written, part(longCacheWrite, written), output == null ? 0 : output);
    }

    /** Null where all are missing. */
    static Long sum(Long... counts) {
        Long sum = null;
        for (var count : counts) {
            if (!credible(count)) {
                return JsonFields.UNREADABLE;
            }
            if (count != null) {
                sum = sum == null ? count : Long.valueOf(sum + count);
            }
        }
        return sum;
    }

    static Long either(Long one, Long other) {
        return one == null ? other : one;
    }

    private static boolean credible(Long count) {
        return count == null || count >= 0 && count <= TokenUsage.MAX;
    }

    private static long part(Long count, long most) {
        return count == null ? 0 : Math.max(0, Math.min(count, most));
    }
}
