package dev.sluice.service.log;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

import dev.sluice.directory.cache.CallerDirectory;
import dev.sluice.identity.ClientAddressResolver;
import io.vertx.core.http.HttpServerRequest;

/**
 * Fields of a log line, in order. As text they are {@code name=value} pairs; a value that could be mistaken for more than one, or
 * that contains control or other invisible characters, is quoted and escaped, so that clients cannot forge lines or fields.
 */
final class LogFields {

    /** Maximum length of a value, in characters. */
    private static final int MAX_LENGTH = 1024;
    private static final String ELLIPSIS = "…";
    private static final Pattern KEY = Pattern.compile("(" + CallerDirectory.KEY_PREFIX + "\\w{4})\\w+");
    private static final String ADDRESS_PREFIX = "ip:";
    private static final String REQUEST_ID = "X-Request-Id";
    private static final int MAX_REQUEST_ID = 128;

    private final Map<String, String> values = new LinkedHashMap<>();

    /** Adds a field, unless its value is null or empty. Keys in it are shortened. */
    LogFields add(String name, String value) {
        if (value != null && !value.isEmpty()) {
            var text = withoutKeys(value);
            values.put(name, text.length() <= MAX_LENGTH ? text : text.substring(0, MAX_LENGTH) + ELLIPSIS);
        }
        return this;
    }

    /** Returns a text in which keys that Sluice has generated are shortened to their prefix: callers put them into paths. */
    static String withoutKeys(String text) {
        return text.contains(CallerDirectory.KEY_PREFIX) ? KEY.matcher(text).replaceAll("$1" + ELLIPSIS) : text;
    }

    LogFields add(String name, long value) {
        return add(name, Long.toString(value));
    }

    /** Adds a duration in milliseconds with three decimals. */
    LogFields addMillis(String name, long nanos) {
        long micros = nanos / 1000;
        var decimals = Long.toString(1000 + micros % 1000).substring(1);
        return add(name, micros / 1000 + "." + decimals);
    }

    /** Adds the client's address; of IPv6 the /64 network, as in identifiers. */
    LogFields addClient(ClientAddressResolver addresses, HttpServerRequest request) {
        var identifier = addresses.identity(request).identifier();
        return add("client",
                identifier.startsWith(ADDRESS_PREFIX) ? identifier.substring(ADDRESS_PREFIX.length()) : identifier);
    }

    /** Adds the id that the client or a proxy has given the request, if any. */
    LogFields addRequestId(HttpServerRequest request) {
        var id = request.getHeader(REQUEST_ID);
        return add("requestId", id == null || id.length() <= MAX_REQUEST_ID ? id : id.substring(0, MAX_REQUEST_ID));
    }

    Map<String, String> values() {
        return values;
    }

    String text() {
        var text = new StringBuilder(256);
        values.forEach((name, value) -> {
            if (!text.isEmpty()) {
                text.append(' ');
            }
            append(text.append(name).append('='), value);
        });
        return text.toString();
    }

    private static void append(StringBuilder text, String value) {
        if (value.chars().allMatch(LogFields::isPlain)) {
            text.append(value);
            return;
        }
        text.append('"');
        for (int i = 0; i < value.length();) {
            int character = value.codePointAt(i);
            i += Character.charCount(character);
            if (character == '"' || character == '\\') {
                text.append('\\').appendCodePoint(character);
            } else if (isVisible(character)) {
                text.appendCodePoint(character);
            } else {
                for (var unit : Character.toChars(character)) {
                    text.append(String.format("\\u%04x", (int) unit));
                }
            }
        }
        text.append('"');
    }

    private static boolean isPlain(int character) {
        return character > ' ' && character < 127 && character != '"' && character != '\\' && character != '=';
    }

    private static boolean isVisible(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE, Character.UNASSIGNED, Character.PRIVATE_USE ->
                false;
            default -> true;
        };
    }
}
