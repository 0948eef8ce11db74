package dev.sluice.service.api.identities.document;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.Set;

import dev.sluice.directory.IdentityNames;
import dev.sluice.service.alerts.AlertUrls;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Validates values of fields. Each method returns the value to store; an error names the field by its JSON pointer. */
final class FieldValues {

    static final int MAX_METADATA_BYTES = 4096;

    private static final int MAX_TEAMS = 100;
    private static final int MAX_MODELS = 200;
    private static final int MAX_MODEL = 256;
    private static final int MAX_THRESHOLDS = 20;
    private static final int MAX_PERCENT = 100;
    private static final Set<String> ALERTS = Set.of("url", "thresholds");

    private FieldValues() {
    }

    /** Validates a text that people read, such as the name of a key. */
    static String label(Object value, String pointer) {
        if (value instanceof String text && IdentityNames.isVisible(text)) {
            return text;
        }
        throw BadRequestException.forField(pointer, "must be a string of 1 to " + IdentityNames.MAX_LENGTH
                + " visible characters, without spaces at the start or end");
    }

    /** Validates the name of a user, team or organisation. */
    static String name(Object value, String pointer) {
        if (value instanceof String text && IdentityNames.isValid(text)) {
            return text;
        }
        throw BadRequestException.forField(pointer, "must be a string; it " + IdentityNames.ALLOWED);
    }

    static Boolean bool(Object value, String pointer) {
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw BadRequestException.forField(pointer, "must be true or false");
    }

    static JsonObject object(Object value, String pointer) {
        if (value instanceof JsonObject object) {
            return object;
        }
        throw BadRequestException.forField(pointer, "must be an object");
    }

    /** Validates a time of RFC 3339; returns it in UTC. */
    static String instant(Object value, String pointer) {
        try {
            if (value instanceof String text && !text.isEmpty() && Character.isDigit(text.charAt(0))) {
                var time = OffsetDateTime.parse(text.replace(' ', 'T')).toInstant();
                int year = time.atOffset(ZoneOffset.UTC).getYear();
                if (year >= 1 && year <= 9999) {
                    return time.toString();
                }
            }
        } catch (DateTimeException e) {
            // reported below
        }
        throw BadRequestException.forField(pointer, "must be a time of RFC 3339 such as 2027-01-31T00:00:00Z");
    }

    /** Validates the names of the teams of a user. */
    static JsonArray teams(Object value, String pointer) {
        if (!(value instanceof JsonArray names) || names.size() > MAX_TEAMS) {
            throw BadRequestException.forField(pointer, "must be an array of at most " + MAX_TEAMS + " names of teams");
        }
        var seen = new HashSet<String>();
        for (int i = 0; i < names.size(); i++) {
            var place = JsonPointers.member(pointer, Integer.toString(i));
            if (!seen.add(name(names.getValue(i), place))) {
                throw BadRequestException.forField(place, "names the same team again");
            }
        }
        return names;
    }

    /** Validates names of models, or patterns that end with an asterisk. */
    static JsonArray models(Object value, String pointer) {
        if (!(value instanceof JsonArray patterns) || patterns.isEmpty() || patterns.size() > MAX_MODELS) {
            throw BadRequestException.forField(pointer,
                    "must be an array of 1 to " + MAX_MODELS + " models; without the field, all models are allowed");
        }
        for (int i = 0; i < patterns.size(); i++) {
            model(patterns.getValue(i), JsonPointers.member(pointer, Integer.toString(i)));
        }
        return patterns;
    }

    /** Validates the name of a model, or a pattern. */
    static void model(Object value, String pointer) {
        if (!(value instanceof String pattern) || pattern.isEmpty() || pattern.length() > MAX_MODEL
                || pattern.chars().anyMatch(c -> c <= ' ' || c == 0x7f)
                || pattern.indexOf('*') >= 0 && pattern.indexOf('*') < pattern.length() - 1) {
            throw BadRequestException.forField(pointer, "must be the name of a model of 1 to " + MAX_MODEL
                    + " characters; it may end with * for all models that begin so");
        }
    }

    static JsonObject metadata(Object value, String pointer) {
        var metadata = object(value, pointer);
        if (metadata.encode().getBytes(StandardCharsets.UTF_8).length > MAX_METADATA_BYTES) {
            throw BadRequestException.forField(pointer, "must have at most " + MAX_METADATA_BYTES + " bytes as JSON");
        }
        return metadata;
    }

    /** @param urls URLs to which alerts may be sent */
    static JsonObject alerts(Object value, String pointer, AlertUrls urls) {
        var alerts = object(value, pointer);
        for (var name : alerts.fieldNames()) {
            if (!ALERTS.contains(name)) {
                throw BadRequestException.forField(JsonPointers.member(pointer, name),
                        "Unknown field; allowed: thresholds, url");
            }
        }
        if (alerts.containsKey("url")) {
            var problem = urls.problem(alerts.getValue("url"));
            if (problem != null) {
                throw BadRequestException.forField(JsonPointers.member(pointer, "url"), problem);
            }
        }
        if (alerts.containsKey("thresholds")) {
            requirePercentages(alerts.getValue("thresholds"), JsonPointers.member(pointer, "thresholds"));
        }
        return alerts;
    }

    private static void requirePercentages(Object value, String pointer) {
        if (value instanceof JsonArray percentages && !percentages.isEmpty() && percentages.size() <= MAX_THRESHOLDS
                && percentages.stream().allMatch(FieldValues::isPercentage)
                && percentages.stream().distinct().count() == percentages.size()) {
            return;
        }
        throw BadRequestException.forField(pointer,
                "must be an array of 1 to " + MAX_THRESHOLDS + " different whole numbers from 1 to " + MAX_PERCENT);
    }

    private static boolean isPercentage(Object value) {
        return value instanceof Integer percent && percent >= 1 && percent <= MAX_PERCENT;
    }

    /** Returns a time as it is stored, in milliseconds. */
    static String timestamp(Instant time) {
        return Instant.ofEpochMilli(time.toEpochMilli()).toString();
    }
}
