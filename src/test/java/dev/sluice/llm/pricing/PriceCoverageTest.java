package dev.sluice.llm.pricing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ServiceTier;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.llm.protocol.UsageKind;

/** Compares the costs of calls with LiteLLM's price list, of which {@link PriceImport} copies the compared part. */
class PriceCoverageTest {

    private static final LocalDate DAY = LocalDate.of(2026, 11, 29);
    private static final Set<String> MODES = Set.of("chat", "responses", "completion", "embedding", "moderation",
            "image_generation", "audio_speech", "audio_transcription");
    /** Modes whose models are billed by units if their tokens have no price. */
    private static final Set<String> UNIT_MODES = Set.of("image_generation", "audio_speech", "audio_transcription");
    /** Name of a row with the price of an image, of a model that is billed by tokens: it is an equivalent of these. */
    private static final Pattern IMAGE_ROW = Pattern.compile("(?:([a-z]+)/)?(\\d+)-x-(\\d+)/(.+)");
    /** Models about which the list and another source, or two rows of the list, disagree: the dearer price holds. */
    private static final Set<String> DEARER = Set.of("gemini/gemini-exp-1206");
    private static final Map<String, UsageKind> UNIT_FIELDS = new TreeMap<>(Map.of("input_cost_per_character",
            UsageKind.CHARACTER, "input_cost_per_second", UsageKind.AUDIO_MILLISECOND, "input_cost_per_image", UsageKind.IMAGE,
            "output_cost_per_image", UsageKind.IMAGE));
    private static final Map<UsageKind, Long> UNITS = Map.of(UsageKind.CHARACTER, 1_000_000L, UsageKind.AUDIO_MILLISECOND,
            1_000_000_000L, UsageKind.IMAGE, 1L);
    private static final BigDecimal PICO = BigDecimal.ONE.scaleByPowerOfTen(12);
    private static final List<TokenUsage> USAGES = usages();

    private final Map<String, JsonNode> list = readList();
    private final PriceTable table = PriceTable.of(Map.of(), new ConfigProblems());

    private static Map<String, JsonNode> readList() {
        var mapper = JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();
        try (var stream = PriceCoverageTest.class.getResourceAsStream("litellm.json")) {
            var rows = new TreeMap<String, JsonNode>();
            mapper.readTree(stream).properties().forEach(row -> {
                if (Provider.BUILT_IN.contains(provider(row.getValue()))) {
                    rows.put(row.getKey(), row.getValue());
                }
            });
            return rows;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Returns usages of each kind of tokens alone and of all together, on both sides of each tier's threshold. */
    private static List<TokenUsage> usages() {
        var usages = new ArrayList<TokenUsage>();
        for (long input : new long[]{1, 1000, 100_000, 100_001, 128_000, 128_001, 200_000, 200_001, 272_000, 272_001,
                1_000_000}) {
            usages.add(TokenUsage.of(input, 0));
            usages.add(new TokenUsage(input, input, 0, 0, 0));
            usages.add(new TokenUsage(input, 0, input, 0, 0));
            usages.add(new TokenUsage(input, 0, input, input, 0));
            usages.add(TokenUsage.of(input, 1));
            usages.add(new TokenUsage(input, input / 2, input / 3, input / 7, 777));
        }
        return usages;
    }

    private static Provider provider(JsonNode row) {
        return LiteLlmPrices.PROVIDERS.get(row.get("litellm_provider").asText());
    }

    /** Returns whether the row has prices of tokens, and its model costs no more than these. */
    private static boolean hasTokenPrices(JsonNode row) {
        boolean free = amount(row, "input_cost_per_token").signum() == 0 && amount(row, "output_cost_per_token").signum() == 0;
        boolean pricedApart = row.properties().stream()
                .anyMatch(field -> field.getKey().contains("_cost_per_") && field.getValue().decimalValue().signum() > 0);
        return row.has("input_cost_per_token") && !(free && pricedApart);
    }

    /** Returns the units of one image, a million characters or a million seconds, by which a model without prices of tokens is billed. */
    private static UsageDetails units(String name, JsonNode row) {
        if (!UNIT_MODES.contains(row.get("mode").asText()) || hasTokenPrices(row)) {
            return null;
        }
        var image = IMAGE_ROW.matcher(name);
        var variant = image.matches()
                ? (image.group(1) == null ? "" : image.group(1) + '/') + image.group(2) + 'x' + image.group(3)
                : "";
        for (var unit : UNIT_FIELDS.entrySet()) {
            if (row.has(unit.getKey())) {
                return new UsageDetails(Map.of(unit.getValue(), UNITS.get(unit.getValue())), ServiceTier.STANDARD, false, "",
                        List.of(), variant);
            }
        }
        return null;
    }

    /** Returns the price of these units by the row, in picodollars. */
    private static BigDecimal unitPrice(JsonNode row) {
        var field = UNIT_FIELDS.keySet().stream().filter(row::has).findFirst().orElseThrow();
        return row.get(field).decimalValue().multiply(field.endsWith("_image") ? BigDecimal.ONE : BigDecimal.valueOf(1_000_000))
                .setScale(6, RoundingMode.CEILING).multiply(PICO);
    }

    private static boolean isLive(JsonNode row) {
        return !row.has("deprecation_date") || LocalDate.parse(row.get("deprecation_date").asText()).isAfter(DAY);
    }

    private static BigDecimal amount(JsonNode row, String field) {
        return row.has(field) ? row.get(field).decimalValue() : BigDecimal.ZERO;
    }

    /** Returns the cost in picodollars by the row, computed without the code under test. */
    private static BigDecimal expected(JsonNode row, TokenUsage usage) {
        var tier = "";
        for (int k = 1; k <= 1000; k++) {
            var suffix = "_above_" + k + "k_tokens";
            tier = usage.input() > k * 1000L && row.has("input_cost_per_token" + suffix) ? suffix : tier;
        }
        var input = amount(row, "input_cost_per_token" + tier);
        var cached = amountOr(row, "cache_read_input_token_cost" + tier, input);
        var write = amountOr(row, "cache_creation_input_token_cost" + tier, input);
        var longWrite = amountOr(row, "cache_creation_input_token_cost_above_1hr" + tier,
                provider(row) == Provider.ANTHROPIC ? input.add(input) : write);
        return times(input, usage.input() - usage.cachedInput() - usage.cacheWrite()).add(times(cached, usage.cachedInput()))
                .add(times(write, usage.cacheWrite() - usage.longCacheWrite())).add(times(longWrite, usage.longCacheWrite()))
                .add(times(amountOr(row, "output_cost_per_token" + tier, amount(row, "output_cost_per_image_token")),
                        usage.output()))
                .multiply(PICO);
    }

    private static BigDecimal amountOr(JsonNode row, String field, BigDecimal otherwise) {
        return row.has(field) ? row.get(field).decimalValue() : otherwise;
    }

    private static BigDecimal times(BigDecimal price, long tokens) {
        return price.multiply(BigDecimal.valueOf(tokens));
    }

    private boolean isExact(String name, JsonNode row, ModelPrice price) {
        return USAGES.stream().allMatch(usage -> {
            int difference = BigDecimal.valueOf(price.picodollars(usage)).compareTo(expected(row, usage));
            return difference == 0 || difference > 0 && DEARER.contains(name);
        });
    }

    @Test
    void pricesLiveModelsExactly() {
        var wrong = new TreeSet<String>();
        var unpriced = new TreeSet<String>();
        int live = 0;
        for (var entry : list.entrySet()) {
            var row = entry.getValue();
            if (!MODES.contains(row.get("mode").asText()) || !hasTokenPrices(row) || !isLive(row)) {
                continue;
            }
            live++;
            var price = table.find(provider(row), entry.getKey(), DAY);
            if (price.isEmpty()) {
                unpriced.add(entry.getKey());
            } else if (!isExact(entry.getKey(), row, price.get())) {
                wrong.add(entry.getKey());
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(live).isGreaterThan(100);
        assertThat(unpriced).as("of %s", live).hasSizeLessThanOrEqualTo(live / 100);
    }

    /** Of the models that are billed by them, whether live or not. */
    @Test
    void pricesCharactersSecondsAndImagesExactly() {
        var priced = new TreeSet<String>();
        list.forEach((name, row) -> {
            var units = units(name, row);
            var model = IMAGE_ROW.matcher(name);
            if (units == null || model.matches() && list.containsKey(model.group(4))) {
                return;
            }
            var price = table.find(provider(row), model.matches() ? model.group(4) : name, DAY);
            assertThat(price).as(name).isPresent();
            assertThat(price.get().covers(TokenUsage.NONE, units)).as(name).isTrue();
            assertThat(price.get().covers(TokenUsage.of(1, 1), UsageDetails.NONE)).as(name + ", of tokens").isFalse();
            assertThat(BigDecimal.valueOf(price.get().picodollars(TokenUsage.NONE, units))).as(name)
                    .isEqualByComparingTo(unitPrice(row));
            priced.add(name);
        });
        assertThat(priced).contains("whisper-1", "gpt-transcribe", "tts-1", "tts-1-hd", "gemini/imagen-3.0-generate-001");
    }

    /** Each tier of service with a price of its own, with text, cached input and long prompts; audio and images in the standard tier. */
    @Test
    void pricesTiersOfServiceAndModalitiesExactly() {
        int compared = 0;
        for (var entry : list.entrySet()) {
            var row = entry.getValue();
            if (!MODES.contains(row.get("mode").asText()) || !hasTokenPrices(row) || !isLive(row)
                    || DEARER.contains(entry.getKey())) {
                continue;
            }
            var price = table.find(provider(row), entry.getKey(), DAY).orElseThrow();
            for (var tier : List.of(ServiceTier.FLEX, ServiceTier.PRIORITY, ServiceTier.ULTRAFAST)) {
                for (var above : new String[]{"", "_above_200k_tokens", "_above_272k_tokens"}) {
                    var suffix = above + '_' + tier.name().toLowerCase(Locale.ROOT);
                    if (row.has("input_cost_per_token" + suffix)) {
                        compared++;
                        assertCost(entry.getKey(), row, price, suffix, tier, above.isEmpty() ? 1000 : 300_000);
                    }
                }
            }
            for (var kind : List.of(UsageKind.AUDIO_INPUT, UsageKind.IMAGE_INPUT, UsageKind.AUDIO_OUTPUT,
                    UsageKind.IMAGE_OUTPUT)) {
                var name = kind.name().toLowerCase(Locale.ROOT).split("_");
                var field = name[1] + "_cost_per_" + name[0] + "_token";
                if (row.has(field)) {
                    compared++;
                    var usage = kind.isInput() ? TokenUsage.of(1000, 0) : TokenUsage.of(0, 1000);
                    assertThat(BigDecimal.valueOf(price.picodollars(usage,
                            new UsageDetails(Map.of(kind, 1000L), ServiceTier.STANDARD, false, "", List.of()))))
                            .as(entry.getKey() + ' ' + field)
                            .isEqualByComparingTo(times(amount(row, field), 1000).multiply(PICO));
                }
            }
        }
        assertThat(compared).isGreaterThan(100);
    }

    private static void assertCost(String name, JsonNode row, ModelPrice price, String suffix, ServiceTier tier, long input) {
        var details = new UsageDetails(Map.of(), tier, false, "", List.of());
        var cost = times(amount(row, "input_cost_per_token" + suffix), input)
                .add(times(amount(row, "output_cost_per_token" + suffix), 10));
        assertThat(BigDecimal.valueOf(price.picodollars(TokenUsage.of(input, 10), details))).as(name + suffix)
                .isEqualByComparingTo(cost.multiply(PICO));
        var cached = "cache_read_input_token_cost" + suffix;
        if (row.has(cached)) {
            assertThat(BigDecimal.valueOf(price.picodollars(new TokenUsage(input, input, 0, 0, 0), details)))
                    .as(name + ' ' + cached).isEqualByComparingTo(
                            times(amount(row, cached), input).multiply(PICO).setScale(0, RoundingMode.CEILING));
        }
    }

    /** Covers the models that are not live, and those whose tokens are not the whole price, too. */
    @Test
    void noNamePricesAnotherModel() {
        list.forEach((name, row) -> {
            var price = table.find(provider(row), name, DAY);
            var units = units(name, row);
            if (price.isPresent() && units != null) {
                assertThat(BigDecimal.valueOf(price.get().picodollars(TokenUsage.NONE, units))).as(name)
                        .isEqualByComparingTo(unitPrice(row));
            } else if (price.isPresent()) {
                assertThat(hasTokenPrices(row)).as(name).isTrue();
                assertThat(isExact(name, row, price.get())).as(name).isTrue();
            }
        });
    }

    @Test
    void nameWithTheSuffixOfAnotherModelIsUnpriced() {
        var suffixes = new TreeSet<String>();
        list.keySet().forEach(name -> {
            for (var longer : list.keySet()) {
                if (longer.startsWith(name + "-")) {
                    suffixes.add(longer.substring(name.length()));
                }
            }
        });
        suffixes.removeIf(suffix -> suffix.matches(".*-([0-9]{3,4}|[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|latest)"));
        assertThat(suffixes).contains("-pro", "-mini", "-codex", "-preview", "-cyber");
        for (var row : list.entrySet()) {
            for (var suffix : suffixes) {
                var name = row.getKey() + suffix;
                if (!list.containsKey(name) && !list.containsKey(withoutPrefix(name))) {
                    assertThat(table.find(provider(row.getValue()), name, DAY)).as(name).isEmpty();
                }
            }
        }
    }

    private static String withoutPrefix(String name) {
        return name.substring(name.indexOf('/') + 1);
    }
}
