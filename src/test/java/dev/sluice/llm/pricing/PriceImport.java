package dev.sluice.llm.pricing;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.TextNode;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ServiceTier;

/**
 * Generates {@code prices.json} from LiteLLM's price list and {@code src/build/typed-prices.json}:
 * {@code ./mvnw -Pprices test-compile -Dsluice.prices=<file or https URL>}. The output depends on these two only, and is sorted.
 * <p>
 * If both have a row for a model, the dearer price of each kind holds, and {@code source} says so. A row of the list is
 * omitted if its name is an alias ({@link ModelNames}) of a row with the same prices. The part of the list that {@link PriceCoverageTest}
 * compares is copied to its resources.
 */
public final class PriceImport {

    private static final Path OUTPUT = Path.of("src/main/resources/dev/sluice/llm/pricing/prices.json");
    private static final Path TYPED = Path.of("src/build/typed-prices.json");
    private static final Path EXCERPT = Path.of("src/test/resources/dev/sluice/llm/pricing/litellm.json");
    private static final Pattern EXCERPT_PRICES = Pattern
            .compile("(input|output|cache)_.*(?<!_(batches|decisions))|code_interpreter_cost_per_session"
                    + "|google_maps_grounding_cost_per_query|file_search_cost_per_1k_calls|max_(input|output)_tokens");
    private static final List<String> EXCERPT_TEXTS = List.of("litellm_provider", "mode", "deprecation_date");
    private static final Set<String> EXCERPT_OBJECTS = Set.of("search_context_cost_per_query", "provider_specific_entry");
    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    private PriceImport() {
    }

    /** @param args the list's file or https URL, and the project's directory */
    public static void main(String... args) throws IOException, InterruptedException {
        var list = args[0].startsWith("https://") ? download(args[0]) : Files.readAllBytes(Path.of(args[0]));
        var project = Path.of(args[1]);
        Files.writeString(project.resolve(OUTPUT),
                generate(list, Files.readAllBytes(project.resolve(TYPED)), LocalDate.now(ZoneOffset.UTC)));
        Files.createDirectories(project.resolve(EXCERPT).getParent());
        Files.writeString(project.resolve(EXCERPT), excerpt(list));
    }

    /**
     * Returns the content of {@code prices.json}.
     *
     * @param list LiteLLM's list
     * @param typed rows in the format of {@code prices.json}
     * @param day day on which the list was read, in UTC
     */
    static String generate(byte[] list, byte[] typed, LocalDate day) throws IOException {
        return format(day, merge(withoutAliases(LiteLlmPrices.read(new ByteArrayInputStream(list))),
                BundledPrices.readRows(new ByteArrayInputStream(typed))));
    }

    private static byte[] download(String url) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(url)).timeout(TIMEOUT).build();
        var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new IOException("GET " + url + ": status " + response.statusCode());
        }
        return response.body();
    }

    private static List<PriceRow> merge(List<PriceRow> listed, List<PriceRow> typed) {
        var byName = new HashMap<List<Object>, PriceRow>();
        listed.forEach(row -> byName.put(name(row), row));
        var rows = new ArrayList<PriceRow>();
        for (var row : typed) {
            var other = byName.get(name(row));
            rows.add(other == null ? row : merge(other, row));
        }
        typed.forEach(row -> byName.remove(name(row)));
        rows.addAll(byName.values());
        rows.sort(Comparator.comparingInt((PriceRow row) -> order(row.provider()))
                .thenComparing(row -> row.provider().id()).thenComparing(PriceRow::model)
                .thenComparing(PriceRow::from, Comparator.nullsFirst(Comparator.naturalOrder())));
        return rows;
    }

    private static int order(Provider provider) {
        int index = Provider.BUILT_IN.indexOf(provider);
        return index < 0 ? Provider.BUILT_IN.size() : index;
    }

    private static List<Object> name(PriceRow row) {
        return List.of(row.provider(), row.model());
    }

    private static PriceRow merge(PriceRow listed, PriceRow typed) {
        var dearer = typed.orDearer(listed);
        if (hasPricesOf(listed, dearer)) {
            return dearer.withSource(
                    hasPricesOf(typed, dearer) ? listed.source() : listed.source() + "; cheaper: " + typed.source());
        }
        return dearer.withSource(hasPricesOf(typed, dearer)
                ? typed.source() + "; cheaper: " + listed.source()
                : "the dearer of " + listed.source() + ", and " + typed.source());
    }

    /** Returns whether the dearer prices are the row's, apart from kinds that the row does not have. */
    private static boolean hasPricesOf(PriceRow row, PriceRow dearer) {
        return dearer.tiers().keySet().equals(row.tiers().keySet())
                && dearer.prices().entrySet().containsAll(row.prices().entrySet())
                && row.tiers().entrySet().stream().allMatch(
                        tier -> dearer.tiers().get(tier.getKey()).entrySet().containsAll(tier.getValue().entrySet()));
    }

    /** Shorter names first, so that no row is omitted for one that is itself omitted. */
    private static List<PriceRow> withoutAliases(List<PriceRow> rows) {
        var byProvider = new HashMap<Provider, Map<String, PriceRow>>();
        var shortestFirst = new ArrayList<>(rows);
        shortestFirst.sort(Comparator.comparing(row -> row.model().length()));
        var kept = new ArrayList<>(rows);
        for (var row : shortestFirst) {
            var earlier = byProvider.computeIfAbsent(row.provider(), provider -> new HashMap<>());
            var base = ModelNames.find(row.provider(), row.model(), earlier::get);
            if (base != null && base.hasSamePrices(row)) {
                kept.remove(row);
            } else {
                earlier.put(row.model(), row);
            }
        }
        return kept;
    }

    private static String format(LocalDate day, List<PriceRow> rows) {
        var json = new StringBuilder(
                """
                        {
                          "unit": "US dollars per million tokens",
                          "as_of": "%s",
                          "notes": [
                            "Generated: see CONTRIBUTING.md. A row holds for its model and the aliases of its name. The dates are inclusive, in UTC.",
                            "A tier's prices take the place of the row's for a whole call in that tier of service whose prompt is longer.",
                            "web_search_1000 and the like: US dollars per 1,000 searches, those of fees.json if absent. factor_: multiplies the prices of tokens.",
                            "per_million_characters, per_million_seconds (of audio), per_image_<quality>/<size>: the model is billed by them, not by tokens.",
                            "Where no price of cached input or of a cache write is known, it is that of input: never cheaper than known."
                          ],
                          "prices": [
                        """
                        .formatted(day));
        for (int i = 0; i < rows.size(); i++) {
            json.append("    ").append(format(rows.get(i))).append(i == rows.size() - 1 ? "\n" : ",\n");
        }
        return json.append("  ]\n}\n").toString();
    }

    private static String format(PriceRow row) {
        var fields = new ArrayList<String>();
        fields.add(text("provider", row.provider().id()));
        fields.add(text("model", row.model()));
        if (row.from() != null) {
            fields.add(text("from", row.from().toString()));
        }
        if (row.until() != null) {
            fields.add(text("until", row.until().toString()));
        }
        if (!row.prices().isEmpty()) {
            fields.add(format(row.prices()));
        }
        if (!row.tiers().isEmpty()) {
            fields.add("\"tiers\": [" + String.join(", ", row.tiers().entrySet().stream()
                    .map(tier -> '{' + format(tier.getKey()) + ", " + format(tier.getValue()) + '}').toList()) + ']');
        }
        var usual = ToolFees.of(row.provider());
        row.calls().fees().forEach((kind, fee) -> {
            if (fee.compareTo(usual.getOrDefault(kind, BigDecimal.ZERO)) != 0) {
                fields.add(text(ToolFees.field(kind), fee.toPlainString()));
            }
        });
        row.calls().units().forEachField((name, price) -> fields.add(text(name, price)));
        row.calls().factors().forEach(
                (name, factor) -> fields.add(text(BundledPrices.FACTOR_PREFIX + name, factor.toPlainString())));
        addMaximum(fields, BundledPrices.MAX_INPUT, row.calls().maxInput());
        addMaximum(fields, BundledPrices.MAX_OUTPUT, row.calls().maxOutput());
        fields.add(text("source", row.source()));
        return '{' + String.join(", ", fields) + '}';
    }

    private static void addMaximum(List<String> fields, String name, long tokens) {
        if (tokens > 0) {
            fields.add('"' + name + "\": " + tokens);
        }
    }

    private static String format(PriceTier tier) {
        var fields = new ArrayList<String>();
        if (tier.service() != ServiceTier.STANDARD) {
            fields.add(text(BundledPrices.SERVICE_TIER, tier.serviceName()));
        }
        if (tier.above() > 0) {
            fields.add('"' + BundledPrices.ABOVE + "\": " + tier.above());
        }
        return String.join(", ", fields);
    }

    private static String format(Map<TokenKind, BigDecimal> prices) {
        return String.join(", ", prices.entrySet().stream()
                .map(price -> text(price.getKey().field(), price.getValue().toPlainString())).toList());
    }

    private static String text(String field, String value) {
        return '"' + field + "\": " + TextNode.valueOf(value);
    }

    /** Returns the rows of the known providers, with the fields that a test compares. */
    private static String excerpt(byte[] list) throws IOException {
        var json = JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build().readTree(list);
        var rows = new TreeMap<String, String>();
        json.properties().forEach(model -> {
            if (LiteLlmPrices.PROVIDERS.containsKey(model.getValue().path("litellm_provider").asText())) {
                rows.put(model.getKey(), excerpt(model.getValue()));
            }
        });
        return "{\n"
                + String.join(",\n", rows.entrySet().stream().map(row -> '"' + row.getKey() + "\": " + row.getValue()).toList())
                + "\n}\n";
    }

    private static String excerpt(JsonNode row) {
        var fields = new TreeMap<String, String>();
        row.properties().forEach(field -> {
            if (EXCERPT_TEXTS.contains(field.getKey())) {
                fields.put(field.getKey(), field.getValue().toString());
            } else if (EXCERPT_OBJECTS.contains(field.getKey())) {
                fields.put(field.getKey(), field.getValue().toString());
            } else if (field.getValue().isNumber() && EXCERPT_PRICES.matcher(field.getKey()).matches()) {
                fields.put(field.getKey(), field.getValue().decimalValue().stripTrailingZeros().toString());
            }
        });
        return '{'
                + String.join(", ",
                        fields.entrySet().stream().map(field -> '"' + field.getKey() + "\": " + field.getValue()).toList())
                + '}';
    }
}
