package dev.sluice.directory;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.identity.chain.LlmRates;
import dev.sluice.identity.chain.OwnLimits;
import io.vertx.core.json.JsonObject;

/** Parses the {@code limits} and {@code member_limits} of a document. The first problem is reported. */
public final class LimitsParser {

    /** Maximum number of endpoints, and of models, with limits of their own. */
    public static final int MAX_ENTRIES = 100;

    private static final int MAX_NAME = 256;
    private static final String REQUESTS = "requests";
    private static final String TOKENS = "tokens";
    private static final String BUDGET = "budget";
    private static final String CONCURRENCY = "concurrency";

    private LimitsParser() {
    }

    /**
     * Parses limits.
     *
     * @param json value of the field; null or a JSON null for none
     * @return the limits; {@link OwnLimits#NONE} if there are none
     * @throws InvalidLimitsException with the pointer to the first invalid value, from {@code json}
     */
    public static OwnLimits parse(@Nullable Object json) throws InvalidLimitsException {
        if (json == null) {
            return OwnLimits.NONE;
        }
        var limits = object(json, "");
        allow(limits, "", List.of("api", "llm", "endpoints", "models"));
        var endpoints = new HashMap<String, Rate>();
        for (var entry : entries(limits, "endpoints")) {
            var pointer = "/endpoints/" + escape(entry.getKey());
            if (!isEndpoint(entry.getKey())) {
                throw new InvalidLimitsException(pointer, "must be /path or METHOD /path");
            }
            var rate = rate(entry.getValue(), pointer, QuotaUnit.REQUESTS);
            if (rate != null) {
                endpoints.put(entry.getKey(), rate);
            }
        }
        var models = new HashMap<String, LlmRates>();
        for (var entry : entries(limits, "models")) {
            var pointer = "/models/" + escape(entry.getKey());
            if (entry.getKey().isEmpty() || entry.getKey().length() > MAX_NAME) {
                throw new InvalidLimitsException(pointer, "must be the name of a model, or a beginning of names and *");
            }
            var rates = llmRates(entry.getValue(), pointer);
            if (!rates.isEmpty()) {
                models.put(entry.getKey(), rates);
            }
        }
        return new OwnLimits(rate(limits.getValue("api"), "/api", QuotaUnit.REQUESTS),
                llmRates(limits.getValue("llm"), "/llm"), endpoints, models);
    }

    private static JsonObject object(Object json, String pointer) throws InvalidLimitsException {
        if (json instanceof JsonObject object) {
            return object;
        }
        throw new InvalidLimitsException(pointer, "must be an object");
    }

    private static void allow(JsonObject json, String pointer, List<String> fields) throws InvalidLimitsException {
        for (var field : json.fieldNames()) {
            if (!fields.contains(field)) {
                throw new InvalidLimitsException(pointer + '/' + escape(field),
                        "unknown field; allowed are " + String.join(", ", fields));
            }
        }
    }

    private static Iterable<Map.Entry<String, Object>> entries(JsonObject limits, String field)
            throws InvalidLimitsException {
        var value = limits.getValue(field);
        if (value == null) {
            return List.of();
        }
        var entries = object(value, '/' + field);
        if (entries.size() > MAX_ENTRIES) {
            throw new InvalidLimitsException('/' + field, "must have at most " + MAX_ENTRIES + " entries");
        }
        return entries;
    }

    private static boolean isEndpoint(String name) {
        int slash = name.indexOf('/');
        return name.length() <= MAX_NAME && (slash == 0 || slash > 0 && name.substring(0, slash).matches("[A-Z]+ "));
    }

    private static LlmRates llmRates(@Nullable Object json, String pointer) throws InvalidLimitsException {
        if (json == null) {
            return LlmRates.NONE;
        }
        var rates = object(json, pointer);
        allow(rates, pointer, List.of(REQUESTS, TOKENS, BUDGET, CONCURRENCY));
        return new LlmRates(rate(rates.getValue(REQUESTS), pointer + '/' + REQUESTS, QuotaUnit.REQUESTS),
                rate(rates.getValue(TOKENS), pointer + '/' + TOKENS, QuotaUnit.TOKENS),
                rate(rates.getValue(BUDGET), pointer + '/' + BUDGET, QuotaUnit.NANODOLLARS),
                concurrency(rates.getValue(CONCURRENCY), pointer + '/' + CONCURRENCY));
    }

    private static @Nullable Rate concurrency(@Nullable Object json, String pointer) throws InvalidLimitsException {
        if (json == null) {
            return null;
        }
        long maximum = QuotaUnit.CONCURRENT_REQUESTS.maxLimit();
        if (json instanceof Integer number && number >= 1 && number <= maximum) {
            return Rate.concurrency(number);
        }
        throw new InvalidLimitsException(pointer, "must be a whole number of calls in flight from 1 to " + maximum);
    }

    private static @Nullable Rate rate(@Nullable Object json, String pointer, QuotaUnit unit) throws InvalidLimitsException {
        if (json == null) {
            return null;
        }
        var syntax = unit == QuotaUnit.NANODOLLARS ? Rate.BUDGET_SYNTAX : Rate.SYNTAX;
        if (!(json instanceof String text)) {
            throw new InvalidLimitsException(pointer, "must be a text: " + syntax);
        }
        try {
            return Rate.parse(text, unit);
        } catch (IllegalArgumentException e) {
            throw new InvalidLimitsException(pointer, e.getMessage() + "; allowed is " + syntax);
        }
    }

    private static String escape(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }
}
