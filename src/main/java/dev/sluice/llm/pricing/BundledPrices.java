package dev.sluice.llm.pricing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ServiceTier;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * Prices bundled with Sluice, from {@code prices.json}. Amounts are JSON strings, so that no parser reads them as binary
 * floating-point numbers.
 */
final class BundledPrices {

    static final String ABOVE = "above_prompt_tokens";
    static final String SERVICE_TIER = "service_tier";
    static final String FACTOR_PREFIX = "factor_";
    static final String MAX_INPUT = "max_input_tokens";
    static final String MAX_OUTPUT = "max_output_tokens";

    private static final String TIERS = "tiers";
    private static final BigDecimal MAX_FACTOR = BigDecimal.valueOf(100);
    /** Is valid nowhere. */
    private static final String INVALID = "(invalid)";
    private static final String RESOURCE = "prices.json";
    private static final String AS_OF = "as_of";

    private BundledPrices() {
    }

    static List<PriceEntry> read() {
        try (var stream = BundledPrices.class.getResourceAsStream(RESOURCE)) {
            var entries = new ArrayList<PriceEntry>();
            for (var row : readRows(stream)) {
                entries.add(PriceEntry.of(row, PriceTable.BUNDLED));
            }
            return entries;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the day on which the prices were imported, in UTC. */
    static LocalDate asOf() {
        try (var json = new JsonFactory().createParser(BundledPrices.class.getResourceAsStream(RESOURCE))) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean day = json.currentName().equals(AS_OF);
                json.nextToken();
                if (day) {
                    return LocalDate.parse(json.getText());
                }
                json.skipChildren();
            }
            throw new IllegalStateException(RESOURCE + " has no " + AS_OF);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads rows in the format of {@code prices.json}.
     *
     * @throws IllegalArgumentException if a row is not valid
     */
    static List<PriceRow> readRows(InputStream stream) throws IOException {
        return readRows(stream, (model, reason) -> {
            throw new IllegalArgumentException(model + ": " + reason);
        });
    }

    /**
     * Reads rows in the format of {@code prices.json}.
     *
     * @param problems receives the model, possibly null, and the reason of each row that is not valid
     */
    static List<PriceRow> readRows(InputStream stream, BiConsumer<String, String> problems) throws IOException {
        try (var json = new JsonFactory().createParser(stream)) {
            var rows = new ArrayList<PriceRow>();
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean prices = json.currentName().equals("prices");
                if (json.nextToken() != JsonToken.START_ARRAY || !prices) {
                    json.skipChildren();
                    continue;
                }
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    readRow(json, rows, problems);
                }
            }
            return rows;
        }
    }

    private static void readRow(JsonParser json, List<PriceRow> rows, BiConsumer<String, String> problems) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            json.skipChildren();
            problems.accept(null, "the row is not an object");
            return;
        }
        var tiers = new ArrayList<Map<String, String>>();
        var fields = readFields(json, tiers);
        try {
            rows.add(toRow(fields, tiers));
        } catch (NumberFormatException e) {
            problems.accept(fields.get("model"), "a price is not a decimal");
        } catch (IllegalArgumentException e) {
            problems.accept(fields.get("model"), e.getMessage());
        }
    }

    private static PriceRow toRow(Map<String, String> fields, List<Map<String, String>> tierFields) {
        var provider = fields.getOrDefault("provider", "");
        check(Provider.ID.matcher(provider).matches(), "provider must be a name such as openai");
        var model = fields.get("model");
        check(model != null && PriceConfigReader.isModelName(model),
                "model must be 1 to " + PriceConfigReader.MAX_NAME_LENGTH + " visible ASCII characters");
        check(!fields.containsKey(TIERS), "tiers must be a list");
        var tiers = new TreeMap<PriceTier, Map<TokenKind, BigDecimal>>();
        for (var tier : tierFields) {
            check(tiers.put(tier(tier), completeAmounts(tier)) == null, "a tier occurs twice");
        }
        var from = parseDay(fields.get("from"));
        var until = parseDay(fields.get("until"));
        check(from == null || until == null || !until.isBefore(from), "until is before from");
        var calls = calls(fields);
        boolean byUnits = !calls.units().isEmpty() && amounts(fields).isEmpty();
        return new PriceRow(Provider.ofPriceList(provider), model, from, until, byUnits ? Map.of() : completeAmounts(fields),
                tiers, calls,
                fields.get("source"));
    }

    private static PriceTier tier(Map<String, String> fields) {
        var name = fields.getOrDefault(SERVICE_TIER, "standard").toUpperCase(Locale.ROOT);
        check(Arrays.stream(ServiceTier.values()).anyMatch(tier -> tier.name().equals(name)), SERVICE_TIER + " is unknown");
        return new PriceTier(ServiceTier.valueOf(name), tokens(fields, ABOVE));
    }

    private static void check(boolean valid, String problem) {
        if (!valid) {
            throw new IllegalArgumentException(problem);
        }
    }

    private static CallPrices calls(Map<String, String> fields) {
        var factors = new TreeMap<String, BigDecimal>();
        fields.forEach((name, value) -> {
            if (name.startsWith(FACTOR_PREFIX)) {
                var factor = Money.decimal(name, value);
                check(factor.compareTo(BigDecimal.ONE) >= 0 && factor.compareTo(MAX_FACTOR) <= 0,
                        name + " must be 1 to " + MAX_FACTOR);
                factors.put(name.substring(FACTOR_PREFIX.length()), factor);
            }
        });
        return new CallPrices(ToolFees.read(fields), factors, UnitPrices.of(fields), tokens(fields, MAX_INPUT),
                tokens(fields, MAX_OUTPUT));
    }

    private static long tokens(Map<String, String> fields, String name) {
        var text = fields.getOrDefault(name, "0");
        check(text.matches("[0-9]{1,9}") && Long.parseLong(text) <= TokenUsage.MAX, name + " must be 0 to " + TokenUsage.MAX);
        return Long.parseLong(text);
    }

    /**
     * Returns the fields of the object at whose start the parser is. Values of another type than expected become texts that are
     * not valid.
     *
     * @param tiers receives the fields of its tiers; null if it cannot have any
     */
    private static Map<String, String> readFields(JsonParser json, List<Map<String, String>> tiers) throws IOException {
        var fields = new HashMap<String, String>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            var name = json.currentName();
            var token = json.nextToken();
            String value = null;
            if (token == JsonToken.START_ARRAY && tiers != null && name.equals(TIERS)) {
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    boolean tier = json.currentToken() == JsonToken.START_OBJECT;
                    tiers.add(tier ? readFields(json, null) : Map.of(SERVICE_TIER, INVALID));
                    json.skipChildren(); // nothing after an object that has been read
                }
            } else if (token.isStructStart()) {
                json.skipChildren();
                value = INVALID;
            } else {
                value = json.getValueAsString();
            }
            if (value != null && fields.put(name, value) != null) {
                fields.replaceAll((field, any) -> INVALID);
            }
        }
        return fields;
    }

    private static Map<TokenKind, BigDecimal> completeAmounts(Map<String, String> fields) {
        var amounts = amounts(fields);
        check(amounts.containsKey(TokenKind.INPUT), "input is missing");
        check(amounts.containsKey(TokenKind.OUTPUT), "output is missing");
        return amounts;
    }

    private static Map<TokenKind, BigDecimal> amounts(Map<String, String> fields) {
        var amounts = new EnumMap<TokenKind, BigDecimal>(TokenKind.class);
        for (var kind : TokenKind.values()) {
            var amount = fields.get(kind.field());
            if (amount != null) {
                amounts.put(kind, Money.decimal(kind.field(), amount));
            }
        }
        return amounts;
    }

    private static LocalDate parseDay(String text) {
        try {
            return text == null ? null : LocalDate.parse(text);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("from and until must be days such as 2026-11-29", e);
        }
    }
}
