package dev.sluice.llm.pricing;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.Map;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.TokenUsage;

/**
 * Fields of a model's object in LiteLLM's price list that are used. Those of an object in it have its name in front, with a dot.
 *
 * @param amounts US dollars per single unit
 */
record LiteLlmFields(Map<String, String> texts, Map<String, BigDecimal> amounts) {

    /** Amounts are per unit there, and per million units here. */
    private static final int MILLION_DIGITS = 6;
    private static final int THOUSAND_DIGITS = 3;
    private static final int MAX_SCALE = 6;
    /** Limit of an amount's exponent and digits, which bounds the work of rounding. */
    private static final int MAX_DIGITS = 64;

    /** Reads the object at whose start the parser is. */
    static LiteLlmFields read(JsonParser json) throws IOException {
        var fields = new LiteLlmFields(new HashMap<>(), new HashMap<>());
        fields.read(json, "");
        return fields;
    }

    private void read(JsonParser json, String prefix) throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            var name = prefix + json.currentName();
            var token = json.nextToken();
            if (token.isNumeric()) {
                amounts.put(name, json.getDecimalValue());
            } else if (token == JsonToken.VALUE_STRING) {
                texts.put(name, json.getText());
            } else if (token == JsonToken.START_OBJECT && prefix.isEmpty()) {
                read(json, name + '.');
            } else {
                json.skipChildren();
            }
        }
    }

    /** Returns a text; empty if it is missing. */
    String text(String name) {
        return texts.getOrDefault(name, "");
    }

    /** Returns an amount; null if it is missing or not a plausible price. */
    BigDecimal price(String name) {
        var amount = amounts.get(name);
        return amount != null && isPrice(amount) ? amount : null;
    }

    /** Returns a number of tokens; 0 if it is missing or not plausible. */
    long tokens(String name) {
        var amount = amounts.get(name);
        return amount == null || amount.signum() <= 0 || amount.compareTo(BigDecimal.valueOf(TokenUsage.MAX)) > 0
                || amount.stripTrailingZeros().scale() > 0 ? 0 : amount.longValueExact();
    }

    /** Returns an amount per million units, rounded up to what {@link Money} can express; null as {@link #price}. */
    BigDecimal perMillion(String name) {
        var amount = price(name);
        return amount == null || amount.scaleByPowerOfTen(MILLION_DIGITS).compareTo(BigDecimal.valueOf(Money.MAX_PRICE)) > 0
                ? null
                : perMillion(amount);
    }

    /** Returns an amount per thousand units, rounded up; null if it is missing or not a plausible price. */
    BigDecimal perThousand(String name) {
        return rounded(name, THOUSAND_DIGITS);
    }

    /** Returns an amount, rounded up; null if it is missing or not a plausible price. */
    BigDecimal rounded(String name) {
        return rounded(name, 0);
    }

    private BigDecimal rounded(String name, int digits) {
        var amount = price(name);
        return amount == null || amount.scaleByPowerOfTen(digits).compareTo(BigDecimal.valueOf(Money.MAX_PRICE)) > 0
                ? null
                : amount.movePointRight(digits).setScale(MAX_SCALE, RoundingMode.CEILING).stripTrailingZeros();
    }

    private static BigDecimal perMillion(BigDecimal amount) {
        return amount.scaleByPowerOfTen(MILLION_DIGITS).setScale(MAX_SCALE, RoundingMode.CEILING).stripTrailingZeros();
    }

    private static boolean isPrice(BigDecimal amount) {
        return amount.signum() >= 0 && Math.abs((long) amount.scale()) <= MAX_DIGITS && amount.precision() <= MAX_DIGITS;
    }
}
