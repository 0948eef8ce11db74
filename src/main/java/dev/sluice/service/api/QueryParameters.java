package dev.sluice.service.api;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Identifiers;
import io.vertx.core.MultiMap;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.HttpException;

/** Reads query parameters strictly; every error names its parameter. */
public final class QueryParameters {

    /** Replacement character of Vert.x for bytes that are not valid UTF-8. */
    private static final char UNDECODABLE = '\uFFFD';

    private QueryParameters() {
    }

    /** Requires that a request has no other parameters: a misspelt filter would not restrict what is returned. */
    public static void allow(RoutingContext context, String... fields) {
        var allowed = List.of(fields);
        for (var field : parameters(context).names()) {
            if (!allowed.contains(field)) {
                throw BadRequestException.forField("query", "Unknown query parameter; allowed: "
                        + (allowed.isEmpty() ? "none" : String.join(", ", allowed)));
            }
        }
    }

    private static MultiMap parameters(RoutingContext context) {
        try {
            return context.queryParams();
        } catch (HttpException e) {
            throw BadRequestException.forField("query", "The query is not percent-encoded UTF-8");
        }
    }

    /** Returns the value as it was sent, possibly empty; null if it is missing. */
    public static String text(RoutingContext context, String field) {
        var values = parameters(context).getAll(field);
        if (values.size() > 1) {
            throw BadRequestException.forField(field, field + " is given more than once");
        }
        return values.isEmpty() ? null : values.get(0);
    }

    /** Returns a name of 1 to 256 characters. */
    public static String name(RoutingContext context, String field) {
        var value = text(context, field);
        if (!Identifiers.isValid(value) || value.indexOf(UNDECODABLE) >= 0) {
            throw BadRequestException.forField(field, field + (value == null
                    ? " is missing"
                    : " must have 1 to " + Identifiers.MAX_LENGTH + " characters and no unpaired surrogate"));
        }
        return value;
    }

    /** Returns a name as {@link #name} does; null if it is missing. */
    public static @Nullable String optionalName(RoutingContext context, String field) {
        return text(context, field) == null ? null : name(context, field);
    }

    /** Returns true or false; null if it is missing. */
    public static @Nullable Boolean flag(RoutingContext context, String field) {
        var text = text(context, field);
        if (text == null || text.equals("true") || text.equals("false")) {
            return text == null ? null : Boolean.valueOf(text);
        }
        throw BadRequestException.forField(field, field + " must be true or false");
    }

    /**
     * Returns a whole number.
     *
     * @param smallest smallest allowed value
     * @param largest largest allowed value
     */
    public static long integer(RoutingContext context, String field, long smallest, long largest) {
        var text = text(context, field);
        try {
            long value = text != null && !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')
                    ? Long.parseLong(text)
                    : -1;
            if (value >= smallest && value <= largest) {
                return value;
            }
        } catch (NumberFormatException e) {
            // reported below, like a number out of range
        }
        throw BadRequestException.forField(field, text == null
                ? field + " is missing"
                : field + " must be a whole number from " + smallest + " to " + largest);
    }
}
