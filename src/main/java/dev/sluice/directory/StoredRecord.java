package dev.sluice.directory;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import io.vertx.core.json.JsonObject;

/** Reads the records of identities in Redis, {@code {"revision":7,"document":{…}}}. */
public final class StoredRecord {

    /** Field of a key's document: the hour in which it was last used, in ISO 8601. It is stored apart from the document. */
    public static final String LAST_USED_AT = "last_used_at";

    private StoredRecord() {
    }

    /**
     * Reads a record.
     *
     * @param usedHour hour of a key's last use, in hours since 1970; empty if it is not known
     * @return null if it is not a record
     */
    public static @Nullable StoredIdentity read(IdentityKind kind, String name, String record, String usedHour) {
        try {
            var json = ExactJson.read(record);
            Long revision = json.getLong("revision");
            var document = json.getJsonObject("document");
            return revision == null || document == null
                    ? null
                    : new StoredIdentity(kind, name, revision, withLastUse(document, usedHour));
        } catch (IOException | ClassCastException e) {
            return null;
        }
    }

    /** Returns a document with the hour of the last use, if it is known. */
    static JsonObject withLastUse(JsonObject document, String usedHour) {
        if (usedHour.isEmpty()) {
            return document;
        }
        try {
            var time = Instant.ofEpochSecond(TimeUnit.HOURS.toSeconds(Long.parseLong(usedHour)));
            return new JsonObject(new LinkedHashMap<>(document.getMap())).put(LAST_USED_AT, time.toString());
        } catch (NumberFormatException | DateTimeException e) {
            return document; // a foreign value, which the next use replaces
        }
    }

    /** Returns a document as it is stored: a change is often made from a document that was read. */
    static JsonObject withoutLastUse(JsonObject document) {
        if (!document.containsKey(LAST_USED_AT)) {
            return document;
        }
        var stored = new JsonObject(new LinkedHashMap<>(document.getMap()));
        stored.remove(LAST_USED_AT);
        return stored;
    }

    /** Returns an entry of the audit log with the id and the time of its entry in the stream. */
    static JsonObject withTime(JsonObject entry, String id) {
        long millis = Long.parseLong(id.substring(0, id.indexOf('-')));
        return entry.put("id", id).put("timestamp", Instant.ofEpochMilli(millis).toString());
    }
}
