package dev.sluice.llm.pricing;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ServiceTier;

/**
 * Reads LiteLLM's price list, {@code model_prices_and_context_window.json}, as it is published: an object by model, with amounts
 * in US dollars per token. Amounts are read as decimals, and rounded up to what {@link Money} can express.
 * <p>
 * A row is read if its tokens can be billed by their kinds ({@link TokenKind}). Of the prices of what is not a token, those of web
 * searches are read.
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
    private static final Pattern TIER_FIELD = Pattern
            .compile("([a-z0-9_]+?)(?:_above_([0-9]{1,6})k_tokens)?(?:_(flex|priority|ultrafast))?");
    private static final long TOKENS_PER_K = 1000;
    /** Of the three sizes of the search context, which cost the same today, the largest. */
    private static final String WEB_SEARCH_FIELD = "search_context_cost_per_query.search_context_size_high";
    private static final Map<String, String> FACTORS = Map.of("provider_specific_entry.fast", CallPrices.FAST,
            "provider_specific_entry.us", "us");
    private static final BigDecimal MAX_FACTOR = BigDecimal.valueOf(100);
    private static final int THOUSAND_DIGITS = 3;
    /** Amounts are per token there, and per million tokens here. */
    private static final int MILLION_DIGITS = 6;
    private static final int MAX_SCALE = 6;
    /** Limit of an amount's exponent and digits, which bounds the work of rounding. */
    private static final int MAX_DIGITS = 64;
    private static final BigDecimal LONG_CACHE_WRITE_FACTOR = BigDecimal.valueOf(2);

    /** End of the name of a field with a price of a tier. */
    private record Suffix(String text, PriceTier tier) {
    }

    /** Fields of a model's object that are used; those of an object in it have its name in front. */
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
        return read(stream, name -> true);
    }

    /** @param names selects the rows that are read, by their names in the list */
    static List<PriceRow> read(InputStream stream, Predicate<String> names) throws IOException {
        var rows = new LinkedHashMap<List<Object>, PriceRow>();
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
        readFields(json, "", fields);
        return fields;
    }

    private static void readFields(JsonParser json, String prefix, Fields fields) throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            var name = prefix + json.currentName();
            var token = json.nextToken();
            if (token.isNumeric()) {
                fields.amounts().put(name, json.getDecimalValue());
            } else if (token == JsonToken.VALUE_STRING) {
                fields.texts().put(name, json.getText());
            } else if (token == JsonToken.START_OBJECT && prefix.isEmpty()) {
                readFields(json, name + '.', fields);
            } else {
                json.skipChildren();
            }
        }
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
        var tiers = new TreeMap<PriceTier, Map<TokenKind, BigDecimal>>();
        for (var suffix : suffixes(fields)) { // the standard tier first, and shorter prompts first
            var listedInTier = listedPrices(fields, suffix.text());
            if (listedInTier.isEmpty()) {
                continue;
            }
            var reference = tiers.getOrDefault(new PriceTier(ServiceTier.STANDARD, suffix.tier().above()), prices);
            tiers.put(suffix.tier(), completePrices(provider, listedInTier, reference));
        }
        addLongPrompts(tiers);
        var prefix = liteLlmProvider + '/';
        return new PriceRow(provider, name.startsWith(prefix) ? name.substring(prefix.length()) : name, null, null, prices,
                tiers, calls(fields), SOURCE);
    }

    /**
     * Adds prices of long prompts in the tiers of service for which the list has none: the dearer ones of the tier of service and of
     * long prompts.
     */
    private static void addLongPrompts(SortedMap<PriceTier, Map<TokenKind, BigDecimal>> tiers) {
        var standard = tiers.keySet().stream().filter(tier -> tier.service() == ServiceTier.STANDARD).toList();
        var services = tiers.keySet().stream().map(PriceTier::service).filter(service -> service != ServiceTier.STANDARD)
                .distinct().toList();
        for (var service : services) {
            for (var tier : standard) {
                var base = tiers.get(new PriceTier(service, 0));
                tiers.computeIfAbsent(new PriceTier(service, tier.above()),
                        missing -> base == null ? tiers.get(tier) : PriceRow.max(base, tiers.get(tier)));
            }
        }
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
     * Adds the prices that the list does not contain, so that none is cheaper than known: for cached input and cache writes those of
     * input, in a tier those that it replaces.
     *
     * @param base the prices that those of a tier replace; otherwise empty
     */
    private static Map<TokenKind, BigDecimal> completePrices(Provider provider, Map<TokenKind, BigDecimal> listed,
            Map<TokenKind, BigDecimal> base) {
        var prices = new EnumMap<>(listed);
        var input = prices.computeIfAbsent(TokenKind.INPUT, base::get);
        base.forEach((kind, amount) -> {
            var cached = kind == TokenKind.CACHED_INPUT || kind == TokenKind.CACHE_WRITE;
            prices.computeIfAbsent(kind, missing -> cached ? input.max(amount) : amount);
        });
        for (var kind : List.of(TokenKind.CACHED_INPUT, TokenKind.CACHE_WRITE)) {
            prices.putIfAbsent(kind, input);
        }
        if (provider == Provider.ANTHROPIC && !listed.containsKey(TokenKind.CACHE_WRITE_1H)) {
            prices.put(TokenKind.CACHE_WRITE_1H, input.multiply(LONG_CACHE_WRITE_FACTOR).stripTrailingZeros());
        }
        return prices;
    }

    /** Returns the suffixes of the fields with prices of tiers, such as {@code _above_200k_tokens_flex}. */
    private static SortedSet<Suffix> suffixes(Fields fields) {
        var suffixes = new TreeSet<Suffix>(Comparator.comparing(Suffix::tier));
        for (var field : fields.amounts().keySet()) {
            var matcher = TIER_FIELD.matcher(field);
            if (matcher.matches() && isKind(matcher.group(1)) && matcher.end(1) < field.length()) {
                var above = matcher.group(2);
                var service = matcher.group(3);
                suffixes.add(new Suffix(field.substring(matcher.end(1)),
                        new PriceTier(
                                service == null ? ServiceTier.STANDARD : ServiceTier.valueOf(service.toUpperCase(Locale.ROOT)),
                                above == null ? 0 : TOKENS_PER_K * Long.parseLong(above))));
            }
        }
        return suffixes;
    }

    private static CallPrices calls(Fields fields) {
        var search = fields.amounts().get(WEB_SEARCH_FIELD);
        var factors = new TreeMap<String, BigDecimal>();
        FACTORS.forEach((field, name) -> {
            var factor = fields.amounts().get(field);
            if (factor != null && factor.compareTo(BigDecimal.ONE) >= 0 && factor.compareTo(MAX_FACTOR) <= 0) {
                factors.put(name, factor.stripTrailingZeros());
            }
        });
        return new CallPrices(search == null || !isPrice(search.movePointLeft(MILLION_DIGITS))
                ? CallPrices.USUAL_WEB_SEARCH
                : search.movePointRight(THOUSAND_DIGITS).setScale(MAX_SCALE, RoundingMode.CEILING).stripTrailingZeros(),
                factors);
    }

    private static boolean isKind(String field) {
        for (var kind : TokenKind.values()) {
            if (kind.liteLlmField().equals(field)) {
                return true;
            }
        }
        return false;
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
        return Arrays.stream(TokenKind.values()).noneMatch(kind -> field.startsWith(kind.liteLlmField()));
    }

    private static boolean isSame(BigDecimal perToken, BigDecimal perMillion) {
        return perToken.scaleByPowerOfTen(MILLION_DIGITS).compareTo(perMillion) == 0;
    }
}
