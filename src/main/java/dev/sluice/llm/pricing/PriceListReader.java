package dev.sluice.llm.pricing;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;

/** Reads a price list of either format. Does not trust the document: a row is used only if all of it is valid. */
public final class PriceListReader {

    private static final String FORMATS = "must be a price list: an object with an array \"prices\", or LiteLLM's object by model";
    private static final String UNNAMED = "(no valid name)";

    private final byte[] json;
    private final List<String> skipped = new ArrayList<>();
    private int skippedRows;

    private PriceListReader(byte[] json) {
        this.json = json;
    }

    /**
     * Reads a list in the format of {@code prices.json} or of LiteLLM's {@code model_prices_and_context_window.json}, which are told
     * apart by their content. Rows that are not valid are skipped. Takes up to seconds for a large document.
     *
     * @param name name of the list, as the source of its prices
     * @param json the document, UTF-8
     * @return the list, with at least one row
     * @throws InvalidPriceListException if the document is not complete JSON of either format, or no row of it is usable
     */
    public static PriceList parse(String name, byte[] json) throws InvalidPriceListException {
        return new PriceListReader(json).read(name);
    }

    private PriceList read(String name) throws InvalidPriceListException {
        try {
            var rows = isOwnFormat() ? readOwnFormat() : readLiteLlm();
            if (rows.isEmpty()) {
                throw new InvalidPriceListException("no usable row, " + skippedRows + " skipped"
                        + (skipped.isEmpty() ? "" : " (" + skipped.get(0) + ")") + "; it " + FORMATS);
            }
            return new PriceList(name, rows, skippedRows, skipped);
        } catch (JsonProcessingException e) {
            var place = e.getLocation();
            throw new InvalidPriceListException("not complete JSON"
                    + (place == null ? "" : ": line " + place.getLineNr() + ", column " + place.getColumnNr()));
        } catch (IOException e) { // not UTF-8
            throw new InvalidPriceListException("not JSON");
        }
    }

    /** Returns whether there is an array "prices", after the whole document has been found to be an object in JSON. */
    private boolean isOwnFormat() throws IOException, InvalidPriceListException {
        boolean own = false;
        boolean models = false;
        try (var parser = new JsonFactory().createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new InvalidPriceListException(FORMATS);
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                var field = parser.currentName();
                var value = parser.nextToken();
                own |= value == JsonToken.START_ARRAY && field.equals("prices");
                models |= value == JsonToken.START_OBJECT;
                parser.skipChildren();
            }
            if (parser.nextToken() != null || !own && !models) {
                throw new InvalidPriceListException(FORMATS);
            }
        }
        return own;
    }

    private List<PriceRow> readOwnFormat() throws IOException {
        var byModel = new LinkedHashMap<List<Object>, List<PriceRow>>();
        for (var row : BundledPrices.readRows(new ByteArrayInputStream(json), this::skip)) {
            byModel.computeIfAbsent(List.of(row.provider(), row.model()), model -> new ArrayList<>()).add(row);
        }
        var rows = new ArrayList<PriceRow>();
        byModel.values().forEach(ofModel -> {
            if (overlap(ofModel)) {
                ofModel.forEach(row -> skip(row.model(), "there is another row for the same model and day"));
            } else {
                rows.addAll(ofModel);
            }
        });
        return rows;
    }

    private static boolean overlap(List<PriceRow> rows) {
        for (int i = 0; i < rows.size(); i++) {
            for (int other = i + 1; other < rows.size(); other++) {
                if (rows.get(i).overlaps(rows.get(other))) {
                    return true;
                }
            }
        }
        return false;
    }

    private List<PriceRow> readLiteLlm() throws IOException {
        Map<String, String> problems = LiteLlmCheck.problems(json);
        problems.forEach(this::skip);
        Set<String> bad = new HashSet<>(problems.keySet());
        var rows = LiteLlmPrices.read(new ByteArrayInputStream(json), name -> !bad.contains(name));
        var usable = new ArrayList<PriceRow>();
        for (var row : rows) {
            if (PriceConfigReader.isModelName(row.model())) {
                usable.add(row);
            } else {
                skip(row.model(), "the name is not 1 to " + PriceConfigReader.MAX_NAME_LENGTH + " visible ASCII characters");
            }
        }
        return usable;
    }

    /** @param model name of the row's model, not trusted; null if it has none */
    private void skip(String model, String reason) {
        skippedRows++;
        if (skipped.size() < PriceList.MAX_REASONS) {
            skipped.add((model != null && PriceConfigReader.isModelName(model) ? model : UNNAMED) + ": " + reason);
        }
    }
}
