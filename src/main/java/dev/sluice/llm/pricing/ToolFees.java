package dev.sluice.llm.pricing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.UsageKind;

/**
 * Fees of the providers' tools, in US dollars per 1,000, from {@code fees.json}. They hold for the models whose rows have none of
 * their own.
 */
final class ToolFees {

    /** Ends the name of a field with a fee: {@code web_search_1000}. */
    private static final String PER_THOUSAND = "_1000";
    private static final String RESOURCE = "fees.json";
    /** Fees by the provider's id. */
    private static final Map<String, Map<UsageKind, BigDecimal>> BY_PROVIDER = readAll();
    private static final Map<UsageKind, BigDecimal> DEAREST = BY_PROVIDER.values().stream().reduce(Map.of(), ToolFees::max);

    private ToolFees() {
    }

    /** Returns the fees of a provider; of one that is not listed, those of the provider whose API it has. */
    static Map<UsageKind, BigDecimal> of(Provider provider) {
        var own = BY_PROVIDER.get(provider.id());
        return own == null ? BY_PROVIDER.get(provider.type().name().toLowerCase(Locale.ROOT)) : own;
    }

    /** Returns the highest fee of each kind that any provider has. */
    static Map<UsageKind, BigDecimal> dearest() {
        return DEAREST;
    }

    /** Returns the field of a fee in a price list. */
    static String field(UsageKind kind) {
        return CostParts.name(kind) + PER_THOUSAND;
    }

    /**
     * Reads the fees among the fields of a row.
     *
     * @throws IllegalArgumentException if an amount is not a price
     */
    static Map<UsageKind, BigDecimal> read(Map<String, String> fields) {
        var fees = new EnumMap<UsageKind, BigDecimal>(UsageKind.class);
        for (var kind : UsageKind.values()) {
            var fee = kind.isFee() ? fields.get(field(kind)) : null;
            if (fee != null) {
                fees.put(kind, Money.decimal(field(kind), fee));
            }
        }
        return fees;
    }

    /** Returns the higher one of each amount. */
    static <K extends Comparable<K>> Map<K, BigDecimal> max(Map<K, BigDecimal> some, Map<K, BigDecimal> others) {
        var max = new TreeMap<>(some);
        others.forEach((name, amount) -> max.merge(name, amount, BigDecimal::max));
        return max;
    }

    private static Map<String, Map<UsageKind, BigDecimal>> readAll() {
        var all = new HashMap<String, Map<UsageKind, BigDecimal>>();
        try (var stream = ToolFees.class.getResourceAsStream(RESOURCE); var json = new JsonFactory().createParser(stream)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                var provider = json.currentName();
                if (json.nextToken() != JsonToken.START_OBJECT) {
                    json.skipChildren(); // notes
                    continue;
                }
                var fields = new HashMap<String, String>();
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    fields.put(json.currentName(), json.nextTextValue());
                }
                all.put(provider, Collections.unmodifiableMap(read(fields)));
            }
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
