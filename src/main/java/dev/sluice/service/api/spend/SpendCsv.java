package dev.sluice.service.api.spend;

import java.util.List;

/**
 * Writes a table as CSV (RFC 4180). A text that a spreadsheet would take for a formula is preceded by an apostrophe, because names of
 * users and models are chosen by callers.
 *
 * @see <a href="https://owasp.org/www-community/attacks/CSV_Injection">OWASP: CSV injection</a>
 */
final class SpendCsv {

    private static final String FORMULA_STARTS = "=+-@\t\r";
    private static final String LINE_END = "\r\n";

    private final StringBuilder text = new StringBuilder();

    /** Adds a line of texts and numbers; null is an empty cell. */
    void add(List<Object> cells) {
        var separator = "";
        for (var cell : cells) {
            text.append(separator);
            separator = ",";
            if (cell != null) {
                text.append(cell instanceof Number ? cell : quote(cell.toString()));
            }
        }
        text.append(LINE_END);
    }

    private static String quote(String value) {
        boolean formula = !value.isEmpty() && FORMULA_STARTS.indexOf(value.charAt(0)) >= 0;
        boolean special = formula || value.chars().anyMatch(c -> c == '"' || c == ',' || c == '\r' || c == '\n');
        return special ? '"' + (formula ? "'" : "") + value.replace("\"", "\"\"") + '"' : value;
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
