package dev.sluice.llm.protocol;

import java.util.HashMap;
import java.util.Map;

import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/**
 * Usage reported by Anthropic. The counts of a stream are cumulative, and each count is valid until it is reported again.
 *
 * @see <a href="https://docs.anthropic.com/en/docs/build-with-claude/streaming">Anthropic: streaming messages</a>
 */
final class AnthropicUsage extends UsageAccumulator {

    private static final String INPUT = "input_tokens";
    private static final String OUTPUT = "output_tokens";
    private static final String CACHE_READ = "cache_read_input_tokens";
    private static final String CACHE_WRITE = "cache_creation_input_tokens";
    private static final String LONG_CACHE_WRITE = "cache_creation.ephemeral_1h_input_tokens";
    private static final String[] COUNTS = {INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, LONG_CACHE_WRITE};

    private static final JsonPaths PATHS = JsonPaths.of("type", "model", "message.model", "usage." + INPUT, "usage." + OUTPUT,
            "usage." + CACHE_READ, "usage." + CACHE_WRITE, "usage." + LONG_CACHE_WRITE, "message.usage." + INPUT,
            "message.usage." + OUTPUT, "message.usage." + CACHE_READ, "message.usage." + CACHE_WRITE,
            "message.usage." + LONG_CACHE_WRITE);

    private final Map<String, Long> latestCounts = new HashMap<>();

    AnthropicUsage() {
        super(PATHS);
    }

    @Override
    void accept(JsonFields fields) {
        model(fields.text("model"));
        model(fields.text("message.model"));
        if (fields.has("usage") || fields.has("message.usage")) {
            updateUsage(fields);
        }
        var type = fields.text("type");
        if ("content_block_delta".equals(type)) {
            countContent();
        } else if ("message_stop".equals(type)) {
            markFinished();
        }
    }

    private void updateUsage(JsonFields fields) {
        for (var count : COUNTS) {
            var reported = firstNonNull(fields.count("usage." + count), fields.count("message.usage." + count));
            if (reported != null) {
                latestCounts.put(count, reported);
            }
        }
        // Unlike the other providers, Anthropic does not include cached tokens in the input.
        usage(sum(latestCounts.get(INPUT), latestCounts.get(CACHE_READ), latestCounts.get(CACHE_WRITE)),
                latestCounts.get(CACHE_READ),
                latestCounts.get(CACHE_WRITE), latestCounts.get(LONG_CACHE_WRITE), latestCounts.get(OUTPUT));
    }
}
