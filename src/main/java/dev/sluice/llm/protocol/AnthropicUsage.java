package dev.sluice.llm.protocol;

import java.util.HashMap;
import java.util.Map;

import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/** Anthropic: the counts of a stream are totals so far, and each holds until another takes its place. */
final class AnthropicUsage extends UsageAccumulator {

    private static final String INPUT = "input_tokens";
    private static final String OUTPUT = "output_tokens";
    private static final String CACHE_READ = "cache_read_input_tokens";
    private static final String CACHE_WRITE = "cache_creation_input_tokens";
    private static final String LONG_CACHE_WRITE = "cache_creation.ephemeral_1h_input_tokens";
    private static final String[] COUNTS = {INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, LONG_CACHE_WRITE};

    private static final JsonPaths WANTED = JsonPaths.at("type", "model", "message.model", "usage." + INPUT, "usage." + OUTPUT,
            "usage." + CACHE_READ, "usage." + CACHE_WRITE, "usage." + LONG_CACHE_WRITE, "message.usage." + INPUT,
            "message.usage." + OUTPUT, "message.usage." + CACHE_READ, "message.usage." + CACHE_WRITE,
            "message.usage." + LONG_CACHE_WRITE);

    private final Map<String, Long> latest = new HashMap<>();

    AnthropicUsage() {
        super(WANTED);
    }

    @Override
    void take(JsonFields facts) {
        model(facts.text("model"));
        model(facts.text("message.model"));
        if (facts.has("usage") || facts.has("message.usage")) {
            usage(facts);
        }
        var type = facts.text("type");
        if ("content_block_delta".equals(type)) {
            content();
        } else if ("message_stop".equals(type)) {
            finish();
        }
    }

    private void usage(JsonFields facts) {
        for (var count : COUNTS) {
            var told = either(facts.count("usage." + count), facts.count("message.usage." + count));
            if (told != null) {
                latest.put(count, told);
            }
        }
        // Here the cache is told apart from the input.
        usage(sum(latest.get(INPUT), latest.get(CACHE_READ), latest.get(CACHE_WRITE)), latest.get(CACHE_READ),
                latest.get(CACHE_WRITE), latest.get(LONG_CACHE_WRITE), latest.get(OUTPUT));
    }
}
