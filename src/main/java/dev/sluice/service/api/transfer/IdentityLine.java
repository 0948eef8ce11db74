package dev.sluice.service.api.transfer;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityNames;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.directory.StoredRecord;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.identities.PathNames;
import dev.sluice.service.api.identities.document.DocumentFields;
import dev.sluice.service.api.identities.document.JsonPointers;
import dev.sluice.service.api.identities.document.KeyHashes;
import dev.sluice.service.api.identities.document.StrictJson;
import io.vertx.core.json.JsonObject;

/**
 * Line of an export or import: {@code {"kind":"team","name":"search","document":{…}}}.
 *
 * @param kind kind of the identity
 * @param name its name; the id of a key
 * @param document its document; of a key with the hashes
 */
record IdentityLine(IdentityKind kind, String name, JsonObject document) {

    private static final Set<String> FIELDS = Set.of("kind", "name", "document");
    private static final List<String> MAINTAINED = List.of("prefix", KeyHashes.FIELD, "created_at", "updated_at",
            StoredRecord.LAST_USED_AT);

    /** Encodes an identity, without the end of the line. */
    static String encode(StoredIdentity identity) {
        return new JsonObject().put("kind", identity.kind().label()).put("name", identity.name())
                .put("document", ordered(identity.kind(), identity.document())).encode();
    }

    /** Returns a document with its members in a fixed order, whatever has changed it. */
    private static JsonObject ordered(IdentityKind kind, JsonObject document) {
        var names = new LinkedHashSet<>(DocumentFields.writable(kind));
        names.addAll(MAINTAINED);
        names.addAll(document.fieldNames());
        names.retainAll(document.fieldNames());
        var ordered = new JsonObject();
        names.forEach(name -> ordered.put(name, document.getValue(name)));
        return ordered;
    }

    /**
     * Reads a line, without validating its document.
     *
     * @throws BadRequestException if it is not valid
     */
    static IdentityLine read(byte[] json) {
        var line = StrictJson.readLine(json);
        for (var field : line.fieldNames()) {
            if (!FIELDS.contains(field)) {
                throw BadRequestException.forField(JsonPointers.member("", field),
                        "Unknown field; allowed: document, kind, name");
            }
        }
        var kind = kind(line.getValue("kind"));
        if (!(line.getValue("name") instanceof String name)
                || !(kind == IdentityKind.KEY ? PathNames.isGeneratedKeyId(name) : IdentityNames.isValid(name))) {
            throw BadRequestException.forField("/name", kind == IdentityKind.KEY
                    ? "must be the id of a key, 19 digits and lower-case letters"
                    : "must be a string; it " + IdentityNames.ALLOWED);
        }
        if (!(line.getValue("document") instanceof JsonObject document)) {
            throw BadRequestException.forField("/document", "must be an object");
        }
        return new IdentityLine(kind, name, document);
    }

    private static IdentityKind kind(Object value) {
        for (var kind : IdentityKind.values()) {
            if (kind.label().equals(value)) {
                return kind;
            }
        }
        throw BadRequestException.forField("/kind", "must be key, user, team or org");
    }

    /** Returns the identifier of the identity. */
    String identifier() {
        return kind.identifier(name);
    }
}
