package dev.sluice.llm.pricing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ServiceTier;

/**
 * Prices bundled with Sluice, from {@code prices.json}. Amounts are JSON strings, so that no parser reads them as binary
 * floating-point numbers.
 */
final class BundledPrices {

    static final String ABOVE = "above_prompt_tokens";
    static final String SERVICE_TIER = "service_tier";
    static final String WEB_SEARCH = "web_search_1000";
    static final String FACTOR_PREFIX = "factor_";

    private static final String RESOURCE = "prices.json";

    private BundledPrices() {
    }

    static List<PriceEntry> read() {
        try (var stream = BundledPrices.class.getResourceAsStream(RESOURCE)) {
            var entries = new ArrayList<PriceEntry>();
            for (var row : readRows(stream)) {
                entries.add(row.toEntry());
            }
            return entries;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads rows in the format of {@code prices.json}. */
    static List<PriceRow> readRows(InputStream stream) throws IOException {
        try (var json = new JsonFactory().createParser(stream)) {
            var rows = new ArrayList<PriceRow>();
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean prices = json.currentName().equals("prices");
                json.nextToken();
                if (!prices) {
                    json.skipChildren();
                    continue;
                }
                while (json.nextToken() == JsonToken.START_OBJECT) {
                    rows.add(readRow(json));
                }
            }
            return rows;
        }
    }

    private static PriceRow readRow(JsonParser json) throws IOException {
        var tiers = new TreeMap<PriceTier, Map<TokenKind, BigDecimal>>();
        var fields = readFields(json, tiers);
        return new PriceRow(Provider.of(fields.get("provider")), fields.get("model"), parseDay(fields.get("from")),
                parseDay(fields.get("until")), amounts(fields), tiers, calls(fields), fields.get("source"));
    }

    private static CallPrices calls(Map<String, String> fields) {
        var factors = new TreeMap<String, BigDecimal>();
        fields.forEach((name, value) -> {
            if (name.startsWith(FACTOR_PREFIX)) {
                factors.put(name.substring(FACTOR_PREFIX.length()), new BigDecimal(value));
            }
        });
        var webSearch = fields.get(WEB_SEARCH);
        return new CallPrices(webSearch == null ? CallPrices.USUAL_WEB_SEARCH : new BigDecimal(webSearch), factors,
                UnitPrices.of(fields));
    }

    /** Returns the fields of the object at whose start the parser is, and adds its tiers to the given ones. */
    private static Map<String, String> readFields(JsonParser json, SortedMap<PriceTier, Map<TokenKind, BigDecimal>> tiers)
            throws IOException {
        var fields = new HashMap<String, String>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            var name = json.currentName();
            if (json.nextToken() != JsonToken.START_ARRAY) {
                fields.put(name, json.getValueAsString());
                continue;
            }
            while (json.nextToken() == JsonToken.START_OBJECT) {
                var tier = readFields(json, tiers);
                tiers.put(new PriceTier(
                        ServiceTier.valueOf(tier.getOrDefault(SERVICE_TIER, "standard").toUpperCase(Locale.ROOT)),
                        Long.parseLong(tier.getOrDefault(ABOVE, "0"))), amounts(tier));
            }
        }
        return fields;
    }

    private static Map<TokenKind, BigDecimal> amounts(Map<String, String> fields) {
        var amounts = new EnumMap<TokenKind, BigDecimal>(TokenKind.class);
        for (var kind : TokenKind.values()) {
            var amount = fields.get(kind.field());
            if (amount != null) {
                amounts.put(kind, new BigDecimal(amount).stripTrailingZeros());
            }
        }
        return amounts;
    }

    private static LocalDate parseDay(String text) {
        return text == null ? null : LocalDate.parse(text);
    }
}
