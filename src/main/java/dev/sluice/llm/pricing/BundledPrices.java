package dev.sluice.llm.pricing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.Provider;

/**
 * Prices bundled with Sluice, from {@code prices.json}. Amounts are JSON strings, so that no parser reads them as binary
 * floating-point numbers.
 */
final class BundledPrices {

    private static final String RESOURCE = "prices.json";

    private BundledPrices() {
    }

    static List<PriceEntry> read() {
        try (var stream = BundledPrices.class.getResourceAsStream(RESOURCE);
                var json = new JsonFactory().createParser(stream)) {
            var entries = new ArrayList<PriceEntry>();
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean prices = json.currentName().equals("prices");
                json.nextToken();
                if (!prices) {
                    json.skipChildren();
                    continue;
                }
                while (json.nextToken() == JsonToken.START_OBJECT) {
                    entries.add(readEntry(json));
                }
            }
            return entries;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PriceEntry readEntry(JsonParser json) throws IOException {
        var tiers = new HashMap<Long, TokenPrices>();
        var fields = readFields(json, tiers);
        return new PriceEntry(Provider.of(fields.get("provider")),
                new ModelPrice(fields.get("model"), tokenPrices(fields), tiers),
                parseDay(fields.get("from")), parseDay(fields.get("until")));
    }

    /** Returns the fields of the object at whose start the parser is, and adds its tiers to the given ones. */
    private static Map<String, String> readFields(JsonParser json, Map<Long, TokenPrices> tiers) throws IOException {
        var fields = new HashMap<String, String>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            var name = json.currentName();
            if (json.nextToken() != JsonToken.START_ARRAY) {
                fields.put(name, json.getValueAsString());
                continue;
            }
            while (json.nextToken() == JsonToken.START_OBJECT) {
                var tier = readFields(json, tiers);
                tiers.put(Long.valueOf(tier.get("above_prompt_tokens")), tokenPrices(tier));
            }
        }
        return fields;
    }

    private static TokenPrices tokenPrices(Map<String, String> fields) {
        var cacheWrite = fields.get("cache_write");
        return new TokenPrices(Money.picodollarsPerToken(fields.get("input")),
                Money.picodollarsPerToken(fields.get("cached_input")),
                Money.picodollarsPerToken(cacheWrite),
                Money.picodollarsPerToken(fields.getOrDefault("cache_write_1h", cacheWrite)),
                Money.picodollarsPerToken(fields.get("output")));
    }

    private static LocalDate parseDay(String text) {
        return text == null ? null : LocalDate.parse(text);
    }
}
