package dev.sluice.llm.pricing;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.UsageKind;

/**
 * Reads LiteLLM's price list, {@code model_prices_and_context_window.json}, as it is published: an object by model, with amounts
 * in US dollars per token. Amounts are read as decimals, and rounded up to what {@link Money} can express.
 * <p>
 * A row is read if its tokens can be billed by their kinds ({@link TokenKind}), or if the model is billed by characters, seconds of
 * audio or images instead ({@link UnitPrices}). Of the fees beside them, those of searches and containers are read.
 *
 * @see <a href="https://github.com/BerriAI/litellm">BerriAI/litellm</a>
 */
final class LiteLlmPrices {

    /** Value of {@link PriceRow#source} of the rows. */
    static final String SOURCE = "LiteLLM";

    /** Providers by their names in the list: those with an API of their own, and those of {@code docs/providers.properties}. */
    static final Map<String, Provider> PROVIDERS = Map.of("openai", Provider.OPENAI, "text-completion-openai",
            Provider.OPENAI, "anthropic", Provider.ANTHROPIC, "gemini", Provider.GEMINI, "groq", Provider.ofPriceList("groq"),
            "mistral", Provider.ofPriceList("mistral"), "deepseek", Provider.ofPriceList("deepseek"), "xai",
            Provider.ofPriceList("xai"), "together_ai", Provider.ofPriceList("together"), "fireworks_ai",
            Provider.ofPriceList("fireworks"));
    /** Modes whose tokens are text, except where a caller sends something else. */
    private static final Set<String> TEXT_MODES = Set.of("chat", "responses", "completion", "embedding", "moderation");
    /** Mode of models that are free. */
    private static final String FREE_MODE = "moderation";
    /** Prices that the list contains beside those of tokens by mode, as an equivalent of them. */
    private static final Map<String, Set<String>> EQUIVALENTS = Map.of("audio_speech", Set.of("output_cost_per_second"),
            "audio_transcription", Set.of("input_cost_per_second"));
    private static final String IMAGE_MODE = "image_generation";
    /** Fees of one search. Of the three sizes of the search context, which cost the same today, the largest. */
    private static final Map<UsageKind, String> FEES = Map.of(UsageKind.WEB_SEARCH,
            "search_context_cost_per_query.search_context_size_high", UsageKind.MAPS_SEARCH,
            "google_maps_grounding_cost_per_query", UsageKind.CONTAINER_GIGABYTE, "code_interpreter_cost_per_session");
    /** Of 1,000 searches. */
    private static final String FILE_SEARCH = "file_search_cost_per_1k_calls";
    private static final Map<String, String> FACTORS = Map.of("provider_specific_entry.fast", CallPrices.FAST,
            "provider_specific_entry.us", "us");
    private static final int MILLION_DIGITS = 6;
    private static final BigDecimal MAX_FACTOR = BigDecimal.valueOf(100);

    private LiteLlmPrices() {
    }

    /**
     * Reads a price list. Where it has several rows for one model, such as with and without the provider's prefix, the dearer
     * price of each kind holds.
     *
     * @return one row per provider and model
     * @throws IOException if the text is not JSON of this form
     */
    static List<PriceRow> read(InputStream stream) throws IOException {
        return read(stream, name -> true);
    }

    /** @param names selects the rows that are read, by their names in the list */
    static List<PriceRow> read(InputStream stream, Predicate<String> names) throws IOException {
        var rows = new LinkedHashMap<List<Object>, PriceRow>();
        var images = new LinkedHashMap<List<Object>, PriceRow>();
        try (var json = new JsonFactory().createParser(stream)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("The price list is not an object by model");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                var name = json.currentName();
                if (json.nextToken() != JsonToken.START_OBJECT || !names.test(name)) {
                    json.skipChildren();
                    continue;
                }
                var row = toRow(name, LiteLlmFields.read(json));
                if (row != null) {
                    boolean image = !row.calls().units().images().isEmpty();
                    (image ? images : rows).merge(List.of(row.provider(), row.model()), row,
                            image ? PriceRow::orDearer : LiteLlmPrices::dearer);
                }
            }
        }
        images.forEach(rows::putIfAbsent); // a model that is billed by tokens has prices of images as an equivalent of them
        return new ArrayList<>(rows.values());
    }

    private static PriceRow dearer(PriceRow row, PriceRow other) {
        return row.hasSamePrices(other) ? row : row.orDearer(other).withSource(SOURCE + ", the dearer of two rows");
    }

    /** Returns the row of a model; null if it is not one of a known provider's, or is billed by something else. */
    private static PriceRow toRow(String listedName, LiteLlmFields fields) {
        var liteLlmProvider = fields.text("litellm_provider");
        var provider = PROVIDERS.get(liteLlmProvider);
        if (provider == null) {
            return null;
        }
        var mode = fields.text("mode");
        var prefix = liteLlmProvider + '/';
        var name = listedName.startsWith(prefix) ? listedName.substring(prefix.length()) : listedName;
        var tokens = new LiteLlmTokenPrices(provider, mode, fields);
        if (tokens.isComplete() && isBilledByTokens(mode, tokens.listed(), fields)) {
            boolean free = tokens.listed().values().stream().allMatch(price -> price.signum() == 0);
            if (free && !mode.equals(FREE_MODE) && !provider.equals(Provider.GEMINI)) {
                return null; // zeros stand for an unknown price; only Google offers models free of charge
            }
            return new PriceRow(provider, name, null, null, tokens.standard(), tokens.tiers(), calls(fields, UnitPrices.NONE),
                    SOURCE);
        }
        var units = LiteLlmUnitPrices.read(name, mode, fields);
        return units.isEmpty()
                ? null
                : new PriceRow(provider, LiteLlmUnitPrices.model(name), null, null, Map.of(), new TreeMap<>(),
                        calls(fields, units), SOURCE);
    }

    private static CallPrices calls(LiteLlmFields fields, UnitPrices units) {
        var fees = new EnumMap<UsageKind, BigDecimal>(UsageKind.class);
        FEES.forEach((kind, field) -> putKnown(fees, kind, fields.perThousand(field)));
        putKnown(fees, UsageKind.FILE_SEARCH, fields.rounded(FILE_SEARCH));
        var factors = new TreeMap<String, BigDecimal>();
        FACTORS.forEach((field, name) -> {
            var factor = fields.amounts().get(field);
            if (factor != null && factor.compareTo(BigDecimal.ONE) >= 0 && factor.compareTo(MAX_FACTOR) <= 0) {
                factors.put(name, factor.stripTrailingZeros());
            }
        });
        return new CallPrices(fees, factors, units, fields.tokens("max_input_tokens"), fields.tokens("max_output_tokens"));
    }

    private static void putKnown(Map<UsageKind, BigDecimal> fees, UsageKind kind, BigDecimal fee) {
        if (fee != null) {
            fees.put(kind, fee);
        }
    }

    /**
     * Returns whether the prices of tokens are the whole price of a model's calls. A model whose tokens are free, but its
     * pictures or seconds are not, is not billed by tokens. Other modes than text must not have tokens at another price.
     */
    private static boolean isBilledByTokens(String mode, Map<TokenKind, BigDecimal> prices, LiteLlmFields fields) {
        var others = fields.amounts().entrySet().stream()
                .filter(field -> field.getValue().signum() != 0 && isOtherUnit(field.getKey())).toList();
        if (TEXT_MODES.contains(mode)) {
            return others.isEmpty() || prices.values().stream().anyMatch(price -> price.signum() > 0);
        }
        boolean imageTokens = mode.equals(IMAGE_MODE) && prices.containsKey(TokenKind.IMAGE_OUTPUT);
        return others.stream().allMatch(other -> EQUIVALENTS.getOrDefault(mode, Set.of()).contains(other.getKey())
                || imageTokens && other.getKey().endsWith("_cost_per_image")
                || other.getKey().endsWith("_token") && isSame(other.getValue(),
                        prices.get(other.getKey().startsWith("output") ? TokenKind.OUTPUT : TokenKind.INPUT)));
    }

    /** Returns whether a field is a price, of something else than the kinds of tokens. */
    private static boolean isOtherUnit(String field) {
        if (!field.startsWith("input_cost_per_") && !field.startsWith("output_cost_per_")) {
            return false;
        }
        return Arrays.stream(TokenKind.values()).noneMatch(kind -> field.startsWith(kind.liteLlmField()));
    }

    private static boolean isSame(BigDecimal perToken, BigDecimal perMillion) {
        return perToken.scaleByPowerOfTen(MILLION_DIGITS).compareTo(perMillion) == 0;
    }
}
