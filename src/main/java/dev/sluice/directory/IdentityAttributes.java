package dev.sluice.directory;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.sluice.identity.chain.OwnLimits;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/**
 * Attributes of a stored identity that decide on requests. Immutable.
 *
 * @param user user of a key; null if there is none
 * @param team team of a key; null if there is none
 * @param org organisation of a team; null if there is none
 * @param tier tier of a key or a user; null if it has none of its own
 * @param limits its limits
 * @param memberLimits limits of each member of a team or an organisation
 * @param models models that it allows; null for all
 * @param disabled whether a key, or every key of a user, is disabled
 * @param expiries time at which each text of a key expires, by its SHA-256, in milliseconds since 1970; {@link Long#MAX_VALUE} for never
 */
public record IdentityAttributes(@Nullable String user, @Nullable String team, @Nullable String org, @Nullable String tier,
        OwnLimits limits, OwnLimits memberLimits, @Nullable List<String> models, boolean disabled,
        Map<String, Long> expiries) {

    private static final String EXPIRES_AT = "expires_at";

    /**
     * Reads the attributes of a document.
     *
     * @throws InvalidLimitsException with the pointer to the first attribute that is not valid
     */
    public static IdentityAttributes of(JsonObject document) throws InvalidLimitsException {
        long expiry = time(document, EXPIRES_AT, "/" + EXPIRES_AT);
        return new IdentityAttributes(text(document, "user"), text(document, "team"), text(document, "org"),
                text(document, "tier"), limits(document, "limits"), limits(document, "member_limits"), models(document),
                Boolean.TRUE.equals(document.getValue("disabled")), expiries(document, expiry));
    }

    private static @Nullable String text(JsonObject document, String field) throws InvalidLimitsException {
        var value = document.getValue(field);
        if (value != null && !(value instanceof String)) {
            throw new InvalidLimitsException('/' + field, "must be a text");
        }
        return value instanceof String text && !text.isEmpty() ? text : null;
    }

    private static OwnLimits limits(JsonObject document, String field) throws InvalidLimitsException {
        try {
            return LimitsParser.parse(document.getValue(field));
        } catch (InvalidLimitsException e) {
            throw new InvalidLimitsException('/' + field + e.pointer(), e.getMessage());
        }
    }

    private static @Nullable List<String> models(JsonObject document) throws InvalidLimitsException {
        var value = document.getValue("models");
        if (value == null) {
            return null;
        }
        var models = new ArrayList<String>();
        if (value instanceof JsonArray names) {
            for (var name : names) {
                if (name instanceof String text) {
                    models.add(text);
                }
            }
            if (models.size() == names.size()) {
                return List.copyOf(models);
            }
        }
        throw new InvalidLimitsException("/models", "must be an array of texts");
    }

    /** @param keyExpiry time at which the key itself expires, which bounds that of each text */
    private static Map<String, Long> expiries(JsonObject document, long keyExpiry) throws InvalidLimitsException {
        if (!(document.getValue("hashes") instanceof JsonArray hashes)) {
            return Map.of();
        }
        var expiries = new HashMap<String, Long>();
        for (int i = 0; i < hashes.size(); i++) {
            if (hashes.getValue(i) instanceof JsonObject hash && hash.getValue("sha256") instanceof String sha256) {
                expiries.put(sha256, Math.min(keyExpiry, time(hash, EXPIRES_AT, "/hashes/" + i + '/' + EXPIRES_AT)));
            }
        }
        return Map.copyOf(expiries);
    }

    /** Returns a time in ISO 8601, with an offset, or in seconds since 1970, as milliseconds since 1970. */
    private static long time(JsonObject json, String field, String pointer) throws InvalidLimitsException {
        var value = json.getValue(field);
        if (value == null) {
            return Long.MAX_VALUE;
        }
        try {
            if (value instanceof String text) {
                return OffsetDateTime.parse(text).toInstant().toEpochMilli();
            }
            if (value instanceof Number seconds) {
                return Instant.ofEpochSecond(seconds.longValue()).toEpochMilli();
            }
        } catch (DateTimeException | ArithmeticException e) {
            // reported below
        }
        throw new InvalidLimitsException(pointer, "must be a time in ISO 8601 with an offset, such as 2027-01-31T00:00:00Z");
    }
}
