package dev.sluice.service.api.identities.document;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.regex.Pattern;

import dev.sluice.identity.Sha256;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Field {@code hashes} of the document of a key: the SHA-256 of its text, and of earlier texts that are still valid. */
public final class KeyHashes {

    /** Name of the field. */
    public static final String FIELD = "hashes";
    /** Maximum number of texts of a key that are valid at the same time. */
    static final int MAX_HASHES = 5;

    private static final String SHA256 = "sha256";
    private static final String EXPIRES_AT = "expires_at";
    private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

    private KeyHashes() {
    }

    /** Returns the hashes of a new key. */
    public static JsonArray of(String text) {
        return new JsonArray().add(new JsonObject().put(SHA256, Sha256.hex(text)));
    }

    /**
     * Returns the hashes after a key has got a new text. Earlier texts stay valid until the end of the grace period, or until the
     * end of an earlier one; of more than {@value #MAX_HASHES}, those that end first are dropped.
     *
     * @param hashes hashes before
     * @param graceEnd end of the grace period; not after {@code now} if there is none
     */
    public static JsonArray rotate(JsonArray hashes, String text, Instant now, Instant graceEnd) {
        var valid = new ArrayList<JsonObject>();
        for (int i = 0; i < hashes.size(); i++) {
            var hash = hashes.getJsonObject(i);
            var end = hash.getString(EXPIRES_AT) == null ? graceEnd : min(Instant.parse(hash.getString(EXPIRES_AT)), graceEnd);
            if (end.isAfter(now)) {
                valid.add(new JsonObject().put(SHA256, hash.getString(SHA256)).put(EXPIRES_AT, end.toString()));
            }
        }
        valid.sort(Comparator.comparing((JsonObject hash) -> Instant.parse(hash.getString(EXPIRES_AT))).reversed());
        var rotated = of(text);
        valid.stream().limit(MAX_HASHES - 1L).forEach(rotated::add);
        return rotated;
    }

    private static Instant min(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    /**
     * Returns the hashes of a document that is imported.
     *
     * @param pointer JSON pointer to them
     * @throws BadRequestException if they are not valid
     */
    public static JsonArray read(Object value, String pointer) {
        if (!(value instanceof JsonArray hashes) || hashes.isEmpty() || hashes.size() > MAX_HASHES) {
            throw BadRequestException.forField(pointer, "hashes must be an array of 1 to " + MAX_HASHES + " objects");
        }
        var read = new JsonArray();
        for (int i = 0; i < hashes.size(); i++) {
            var place = JsonPointers.member(pointer, Integer.toString(i));
            if (!(hashes.getValue(i) instanceof JsonObject hash)
                    || !(hash.getValue(SHA256) instanceof String hex && HEX.matcher(hex).matches())
                    || hash.size() > (hash.containsKey(EXPIRES_AT) ? 2 : 1)) {
                throw BadRequestException.forField(place,
                        "must have sha256, 64 lower-case hexadecimal digits, and may have expires_at");
            }
            var copy = new JsonObject().put(SHA256, hex);
            if (hash.containsKey(EXPIRES_AT)) {
                copy.put(EXPIRES_AT, FieldValues.instant(hash.getValue(EXPIRES_AT), JsonPointers.member(place, EXPIRES_AT)));
            }
            read.add(copy);
        }
        return read;
    }
}
