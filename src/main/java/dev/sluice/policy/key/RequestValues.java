package dev.sluice.policy.key;

import java.nio.charset.StandardCharsets;

import dev.sluice.text.FieldNames;
import dev.sluice.text.HeaderText;
import dev.sluice.text.ParameterNames;
import dev.sluice.text.PercentEncoding;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;

/**
 * Reads header fields, query parameters and cookies in each way in which a server may read them. Each character of a header or a query
 * stands for one byte of the request.
 */
public final class RequestValues {

    private RequestValues() {
    }

    /** Adds the value of each line of a header field, also under the names that {@linkplain FieldNames CGI} does not distinguish. */
    public static void header(MultiMap headers, String name, ValueReadings readings) {
        for (var field : headers) {
            var given = field.getKey();
            if (given.length() != name.length()) {
                continue;
            }
            if (given.equalsIgnoreCase(name)) {
                readings.add(HeaderText.decode(field.getValue()).strip(), true);
            } else if (!(FieldNames.isPlain(given) && FieldNames.isPlain(name))
                    && FieldNames.asSeenByCgi(given).equals(FieldNames.asSeenByCgi(name))) {
                readings.add(HeaderText.decode(field.getValue()).strip(), false);
            }
        }
    }

    /**
     * Adds the value of each query parameter of a name, also in {@linkplain ParameterNames other spellings}. Some servers take the
     * semicolon for a separator.
     *
     * @param query query as it was sent; null if there is none
     */
    public static void query(String query, String name, ValueReadings readings) {
        if (query != null) {
            pairs(query, "&", name, true, readings);
            if (query.indexOf(';') >= 0) {
                pairs(query, "[&;]", name, false, readings);
            }
        }
    }

    /** Adds the value of each cookie of a name, also in {@linkplain ParameterNames other spellings}. */
    static void cookie(MultiMap headers, String name, ValueReadings readings) {
        for (var line : headers.getAll(HttpHeaders.COOKIE)) {
            pairs(line, ";", name, true, readings);
        }
    }

    private static void pairs(String text, String separator, String name, boolean exact, ValueReadings readings) {
        for (var pair : text.split(separator)) {
            int equals = pair.indexOf('=');
            var given = decode((equals < 0 ? pair : pair.substring(0, equals)).strip());
            if (ParameterNames.isReadAs(given, name)) {
                readings.add(equals < 0 ? "" : decode(unquoted(pair.substring(equals + 1).strip())),
                        exact && given.equals(name));
            }
        }
    }

    private static String unquoted(String value) {
        boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
        return quoted ? value.substring(1, value.length() - 1) : value;
    }

    /**
     * Decodes a name or a value. A plus sign is a space for some servers and itself for others: it becomes a space also if it is
     * percent-encoded, so that the same value has one window. An incomplete percent-encoding stays as it is.
     */
    private static String decode(String text) {
        if (text.indexOf('%') < 0) {
            return HeaderText.decode(text).replace('+', ' ');
        }
        var bytes = PercentEncoding.decode(text.getBytes(StandardCharsets.ISO_8859_1));
        return HeaderText.decode(new String(bytes, StandardCharsets.ISO_8859_1)).replace('+', ' ');
    }
}
