package dev.sluice.llm.protocol;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import dev.sluice.llm.estimate.Dialect;
import dev.sluice.llm.protocol.UsageDetails.Iteration;
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
    private static final String WEB_SEARCHES = "server_tool_use.web_search_requests";
    private static final List<String> TOKENS = List.of(INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, LONG_CACHE_WRITE);
    private static final List<String> COUNTS = Stream.concat(TOKENS.stream(), Stream.of(WEB_SEARCHES)).toList();

    private static final String SPEED = "speed";
    private static final String SERVICE_TIER = "service_tier";
    private static final String REGION = "inference_geo";
    private static final List<String> TEXTS = List.of(SPEED, SERVICE_TIER, REGION);

    /** Paths of the usage of the document or a {@code message_delta}, and of a {@code message_start}. */
    private static final List<Root> ROOTS = List.of(new Root("usage"), new Root("message.usage"));
    /** Another model than the requested one has answered; the attempts without output are not billed. */
    private static final String FALLBACK = "fallback_message";

    private static final JsonPaths PATHS = allPaths();

    /** Paths of the fields of a usage, by the fields' names. */
    private record Root(String usage, Map<String, String> counts, Map<String, String> texts, String iterations) {

        Root(String usage) {
            this(usage, paths(usage, COUNTS), paths(usage, TEXTS), usage + ".iterations");
        }

        private static Map<String, String> paths(String usage, List<String> names) {
            return names.stream().collect(Collectors.toUnmodifiableMap(name -> name, name -> usage + '.' + name));
        }
    }

    private final Map<String, Long> latestCounts = new HashMap<>();
    private final Map<String, String> latestTexts = new HashMap<>();
    private List<Iteration> iterations = List.of();

    AnthropicUsage() {
        super(PATHS, Dialect.ANTHROPIC);
    }

    /** The input that the first event reports is not billed if there is no output. */
    @Override
    boolean isBilledAfterFailure() {
        return false;
    }

    private static JsonPaths allPaths() {
        var paths = new ArrayList<>(List.of("type", "model", "message.model", "+delta.text", "+delta.thinking",
                "+delta.partial_json", "+content_block.name"));
        for (var root : ROOTS) {
            paths.addAll(root.counts().values());
            paths.addAll(root.texts().values());
            TOKENS.forEach(name -> paths.add(root.iterations() + ".[*]." + name));
            paths.add(root.iterations() + ".[*].type");
            paths.add(root.iterations() + ".[*].model");
        }
        return JsonPaths.of(paths.toArray(String[]::new));
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
        } else if ("error".equals(type)) {
            markFailed();
        }
    }

    private void updateUsage(JsonFields fields) {
        for (var root : ROOTS) {
            if (fields.has(root.usage())) {
                root.counts().forEach((name, path) -> update(latestCounts, name, fields.count(path)));
                root.texts().forEach((name, path) -> update(latestTexts, name, fields.text(path)));
                var elements = fields.elements(root.iterations());
                iterations = elements.isEmpty() ? iterations : iterations(elements, root.iterations() + ".[].");
            }
        }
        // Unlike the other providers, Anthropic does not include cached tokens in the input.
        usage(UsageCounts.sum(latestCounts.get(INPUT), latestCounts.get(CACHE_READ), latestCounts.get(CACHE_WRITE)),
                latestCounts.get(CACHE_READ),
                latestCounts.get(CACHE_WRITE), latestCounts.get(LONG_CACHE_WRITE), latestCounts.get(OUTPUT));
        if (usage() != null && !iterations.isEmpty()) {
            var total = UsageCounts.total(iterations);
            if (total == null || total.input() < usage().input() || total.output() < usage().output()) {
                iterations = List.of(); // incomplete, or from an earlier report
            } else {
                usage(total);
            }
        }
        if (usage() != null) {
            updateDetails();
        }
    }

    private void updateDetails() {
        var searches = latestCounts.get(WEB_SEARCHES);
        var quantities = searches == null ? Map.<UsageKind, Long>of() : Map.of(UsageKind.WEB_SEARCH, searches);
        details(new UsageDetails(UsageCounts.quantities(usage(), quantities),
                ServiceTier.of(Provider.ANTHROPIC, latestTexts.get(SERVICE_TIER)), "fast".equals(latestTexts.get(SPEED)),
                latestTexts.getOrDefault(REGION, ""), iterations));
    }

    /** Returns the billed iterations; empty if one of them is implausible. */
    private static List<Iteration> iterations(List<JsonFields> elements, String prefix) {
        boolean fallback = elements.stream().anyMatch(element -> FALLBACK.equals(element.text(prefix + "type")));
        var iterations = new ArrayList<Iteration>();
        for (var element : elements) {
            var read = element.count(prefix + CACHE_READ);
            var write = element.count(prefix + CACHE_WRITE);
            var usage = UsageCounts.toUsage(UsageCounts.sum(element.count(prefix + INPUT), read, write), read, write,
                    element.count(prefix + LONG_CACHE_WRITE), element.count(prefix + OUTPUT));
            if (usage == null) {
                return List.of();
            }
            if (!fallback || usage.output() > 0) {
                iterations.add(new Iteration(element.text(prefix + "model"), usage));
            }
        }
        return iterations;
    }

    private static <T> void update(Map<String, T> latest, String name, T value) {
        if (value != null) {
            latest.put(name, value);
        }
    }
}
