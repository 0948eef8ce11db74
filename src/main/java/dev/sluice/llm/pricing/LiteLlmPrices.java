package dev.sluice.llm.pricing;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.Provider;

/**
 * Reads LiteLLM's price list, {@code model_prices_and_context_window.json}, as it is published: an object by model, with amounts
 * in US dollars per token. Amounts are read as decimals, and rounded up to what {@link Money} can express.
 * <p>
 * A row is read if its tokens can be billed by their kinds ({@link TokenKind}). Prices of service tiers and of what is not a
 * token are not read.
 *
 * @see <a href="https://github.com/BerriAI/litellm">BerriAI/litellm</a>
 */
final class LiteLlmPrices {

    /** Value of {@link PriceRow#source} of the rows. */
    static final String SOURCE = "LiteLLM";

    private static final Map<String, Provider> PROVIDERS = Map.of("openai", Provider.OPENAI, "text-completion-openai",
            Provider.OPENAI, "anthropic", Provider.ANTHROPIC, "gemini", Provider.GEMINI);
    /** Modes whose tokens are text, except where a caller sends something else. */
    private static final Set<String> TEXT_MODES = Set.of("chat", "responses", "completion", "embedding", "moderation");
    private static final Set<String> MODES_WITHOUT_OUTPUT = Set.of("embedding", "moderation");
    private static final String TIER_PREFIX = "_above_";
    private static final String TIER_SUFFIX = "k_tokens";
    private static final int TOKENS_PER_K = 1000;
    private static final int MAX_TIER_DIGITS = 6;
    /** Amounts are per token there, and per million tokens here. */
    private static final int MILLION_DIGITS = 6;
    private static final int MAX_SCALE = 6;
    /** Limit of an amount's exponent and digits, which bounds the work of rounding. */
    private static final int MAX_DIGITS = 64;
    private static final BigDecimal LONG_CACHE_WRITE_FACTOR = BigDecimal.valueOf(2);

    /** Fields of a model's object that are used. */
    private record Fields(Map<String, String> texts, Map<String, BigDecimal> amounts) {
    }

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
        var rows = new LinkedHashMap<List<Object>, PriceRow>();
        try (var json = new JsonFactory().createParser(stream)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("The price list is not an object by model");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                var name = json.currentName();
                if (json.nextToken() != JsonToken.START_OBJECT) {
                    json.skipChildren();
                    continue;
                }
                var row = toRow(name, readFields(json));
                if (row != null) {
                    rows.merge(List.of(row.provider(), row.model()), row, LiteLlmPrices::dearer);
                }
            }
        }
        return new ArrayList<>(rows.values());
    }

    private static PriceRow dearer(PriceRow row, PriceRow other) {
        return row.hasSamePrices(other) ? row : row.orDearer(other).withSource(SOURCE + ", the dearer of two rows");
    }

    private static Fields readFields(JsonParser json) throws IOException {
        var fields = new Fields(new HashMap<>(), new HashMap<>());
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            var name = json.currentName();
            var token = json.nextToken();
            if (token.isNumeric()) {
                fields.amounts().put(name, json.getDecimalValue());
            } else if (token == JsonToken.VALUE_STRING) {
                fields.texts().put(name, json.getText());
            } else {
                json.skipChildren();
            }
        }
        return fields;
    }

    /** Returns the row of a model; null if it is not one of a known provider's, or is not billed by tokens. */
    private static PriceRow toRow(String name, Fields fields) {
        var liteLlmProvider = fields.texts().getOrDefault("litellm_provider", "");
        var provider = PROVIDERS.get(liteLlmProvider);
        if (provider == null) {
            return null;
        }
        var mode = fields.texts().getOrDefault("mode", "");
        var listed = listedPrices(fields, "");
        if (MODES_WITHOUT_OUTPUT.contains(mode)) {
            listed.putIfAbsent(TokenKind.OUTPUT, BigDecimal.ZERO);
        }
        if (!listed.containsKey(TokenKind.INPUT) || !listed.containsKey(TokenKind.OUTPUT)
                || !isBilledByTokens(mode, listed, fields)) {
            return null;
        }
        var prices = completePrices(provider, listed, Map.of());
        var tiers = new TreeMap<Long, Map<TokenKind, BigDecimal>>();
        for (var suffix : tierSuffixes(fields)) {
            tiers.put(threshold(suffix), completePrices(provider, listedPrices(fields, suffix), prices));
        }
        var prefix = liteLlmProvider + '/';
        return new PriceRow(provider, name.startsWith(prefix) ? name.substring(prefix.length()) : name, null, null, prices,
                tiers, SOURCE);
    }

    /** Returns the prices per million tokens of a row or of one of its tiers that the list contains. */
    private static Map<TokenKind, BigDecimal> listedPrices(Fields fields, String suffix) {
        var prices = new EnumMap<TokenKind, BigDecimal>(TokenKind.class);
        for (var kind : TokenKind.values()) {
            var amount = fields.amounts().get(kind.liteLlmField() + suffix);
            if (amount != null && isPrice(amount)) {
                prices.put(kind, amount.scaleByPowerOfTen(MILLION_DIGITS).setScale(MAX_SCALE, RoundingMode.CEILING)
                        .stripTrailingZeros());
            }
        }
        return prices;
    }

    private static boolean isPrice(BigDecimal perToken) {
        return perToken.signum() >= 0 && Math.abs((long) perToken.scale()) <= MAX_DIGITS && perToken.precision() <= MAX_DIGITS
                && perToken.scaleByPowerOfTen(MILLION_DIGITS).compareTo(BigDecimal.valueOf(Money.MAX_PRICE)) <= 0;
    }

    /**
     * Adds the prices that the list does not contain: those of input for cached input and cache writes, so that they are never
     * cheaper than known.
     *
     * @param base the row's own prices, for those of a tier; otherwise empty
     */
    private static Map<TokenKind, BigDecimal> completePrices(Provider provider, Map<TokenKind, BigDecimal> listed,
            Map<TokenKind, BigDecimal> base) {
        var prices = new EnumMap<>(listed);
        var input = prices.computeIfAbsent(TokenKind.INPUT, base::get);
        prices.computeIfAbsent(TokenKind.OUTPUT, base::get);
        for (var kind : List.of(TokenKind.CACHED_INPUT, TokenKind.CACHE_WRITE)) {
            prices.computeIfAbsent(kind, missing -> input.max(base.getOrDefault(missing, input)));
        }
        if (provider == Provider.ANTHROPIC) {
            prices.computeIfAbsent(TokenKind.CACHE_WRITE_1H, missing -> input.multiply(LONG_CACHE_WRITE_FACTOR)
                    .stripTrailingZeros());
        }
        return prices;
    }

    /** Returns the suffixes of the fields with prices of long prompts, such as {@code _above_200k_tokens}. */
    private static Set<String> tierSuffixes(Fields fields) {
        var suffixes = new TreeSet<String>();
        for (var field : fields.amounts().keySet()) {
            int start = field.lastIndexOf(TIER_PREFIX);
            if (start < 0 || !field.endsWith(TIER_SUFFIX) || !isKind(field.substring(0, start))) {
                continue;
            }
            var digits = field.substring(start + TIER_PREFIX.length(), field.length() - TIER_SUFFIX.length());
            if (!digits.isEmpty() && digits.length() <= MAX_TIER_DIGITS && digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
                suffixes.add(field.substring(start));
            }
        }
        return suffixes;
    }

    private static boolean isKind(String field) {
        for (var kind : TokenKind.values()) {
            if (kind.liteLlmField().equals(field)) {
                return true;
            }
        }
        return false;
    }

    private static long threshold(String suffix) {
        return TOKENS_PER_K
                * Long.parseLong(suffix.substring(TIER_PREFIX.length(), suffix.length() - TIER_SUFFIX.length()));
    }

    /**
     * Returns whether the prices of tokens are the whole price of a model's calls. A model whose tokens are free, but its
     * pictures or seconds are not, is not billed by tokens. Other modes than text must not have tokens at another price.
     */
    private static boolean isBilledByTokens(String mode, Map<TokenKind, BigDecimal> prices, Fields fields) {
        var others = new HashMap<>(fields.amounts());
        others.keySet().removeIf(field -> !isOtherUnit(field) || fields.amounts().get(field).signum() == 0);
        if (TEXT_MODES.contains(mode)) {
            return others.isEmpty() || prices.values().stream().anyMatch(price -> price.signum() > 0);
        }
        return others.entrySet().stream().allMatch(other -> other.getKey().endsWith("_token")
                && isSame(other.getValue(),
                        prices.get(other.getKey().startsWith("output") ? TokenKind.OUTPUT : TokenKind.INPUT)));
    }

    /** Returns whether a field is a price, of something else than the kinds of tokens. */
    private static boolean isOtherUnit(String field) {
        if (!field.startsWith("input_cost_per_") && !field.startsWith("output_cost_per_")) {
            return false;
        }
        return !field.startsWith(TokenKind.INPUT.liteLlmField()) && !field.startsWith(TokenKind.OUTPUT.liteLlmField());
    }

    private static boolean isSame(BigDecimal perToken, BigDecimal perMillion) {
        return perToken.scaleByPowerOfTen(MILLION_DIGITS).compareTo(perMillion) == 0;
    }
}
