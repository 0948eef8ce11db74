package dev.sluice.llm.pricing;

import java.io.IOException;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

/**
 * Finds the rows of LiteLLM's price list that cannot be believed: with a price that is not a number, negative or absurdly high, with
 * one half of a price only, or with a name that occurs twice.
 */
final class LiteLlmCheck {

    private static final String PRICE = "cost";
    private static final String TOKEN = "token";
    private static final String INPUT = "input_cost";
    private static final String OUTPUT = "output_cost";
    private static final String PER_TOKEN = "_per_token";
    private static final Set<String> MODES_WITH_OUTPUT = Set.of("chat", "responses", "completion");
    private static final BigDecimal MAX_PER_TOKEN = BigDecimal.valueOf(Money.MAX_PRICE, 6);
    /** Of a picture, a second or a search. */
    private static final BigDecimal MAX_PER_UNIT = BigDecimal.valueOf(Money.MAX_PRICE);

    private String problem;
    private boolean input;
    private boolean output;
    private boolean inputByToken;
    private boolean outputByToken;
    private String mode = "";
    private final Set<String> fields = new HashSet<>();

    private LiteLlmCheck() {
    }

    /**
     * Returns the reasons by the name of the row.
     *
     * @throws IOException if the document is not JSON
     */
    static Map<String, String> problems(byte[] json) throws IOException {
        var problems = new LinkedHashMap<String, String>();
        var names = new HashSet<String>();
        try (var parser = new JsonFactory().createParser(json)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                var name = parser.currentName();
                boolean row = parser.nextToken() == JsonToken.START_OBJECT;
                if (!names.add(name)) {
                    problems.put(name, "the name occurs twice");
                }
                if (row) {
                    var check = new LiteLlmCheck();
                    check.read(parser, "");
                    var problem = check.problem();
                    if (problem != null) {
                        problems.putIfAbsent(name, problem);
                    }
                } else {
                    problems.putIfAbsent(name, "the value is not an object");
                    parser.skipChildren();
                }
            }
        }
        return problems;
    }

    /** @param parent name of the field whose object is read; empty for that of the model */
    private void read(JsonParser parser, String parent) throws IOException {
        boolean outermost = parent.isEmpty();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            var field = parser.currentName();
            var value = parser.nextToken();
            if (outermost && !fields.add(field)) {
                problem = quoted(field) + " occurs twice";
            }
            if (value == JsonToken.START_OBJECT && outermost && !field.startsWith(INPUT) && !field.startsWith(OUTPUT)) {
                read(parser, field);
            } else if (outermost && field.equals("mode") && value == JsonToken.VALUE_STRING) {
                mode = parser.getText();
            } else if ((field + parent).contains(PRICE) && value != JsonToken.VALUE_NULL && value != JsonToken.START_ARRAY) {
                readPrice(field, value, parser);
            } else {
                parser.skipChildren();
            }
        }
    }

    private void readPrice(String field, JsonToken value, JsonParser parser) throws IOException {
        input |= field.startsWith(INPUT);
        output |= field.startsWith(OUTPUT);
        inputByToken |= field.startsWith(INPUT + PER_TOKEN);
        outputByToken |= field.startsWith(OUTPUT + PER_TOKEN);
        if (!value.isNumeric()) {
            problem = quoted(field) + " is not a number";
            parser.skipChildren();
            return;
        }
        var amount = parser.getDecimalValue();
        if (amount.signum() < 0) {
            problem = quoted(field) + " is negative";
        } else if (amount.compareTo(field.contains(TOKEN) ? MAX_PER_TOKEN : MAX_PER_UNIT) > 0) {
            problem = quoted(field) + " is too high";
        }
    }

    private String problem() {
        boolean half = MODES_WITH_OUTPUT.contains(mode) && (inputByToken && !output || outputByToken && !input);
        return problem == null && half ? "a price of " + (input ? "output" : "input") + " is missing" : problem;
    }

    /** @param field name of a field, not trusted */
    private static String quoted(String field) {
        return PriceConfigReader.isModelName(field) ? field : "a field";
    }
}
