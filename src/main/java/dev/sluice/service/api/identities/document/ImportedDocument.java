package dev.sluice.service.api.identities.document;

import java.util.Set;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.directory.IdentityKind;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.json.JsonObject;

/** Validates the documents of an import, which have the fields that the service maintains too. */
@ApplicationScoped
public class ImportedDocument {

    private static final Set<String> TIMES = Set.of("created_at", "updated_at", "last_used_at");
    private static final String PREFIX = "prefix";

    private final DocumentValidator validator;

    ImportedDocument(DocumentValidator validator) {
        this.validator = validator;
    }

    /**
     * Returns the document as it is stored, and the time of its last use.
     *
     * @throws BadRequestException if a field is not valid; its JSON pointer begins at the document
     */
    public JsonObject read(IdentityKind kind, JsonObject document) {
        var requested = new JsonObject();
        var maintained = new JsonObject();
        for (var name : document.fieldNames()) {
            var value = document.getValue(name);
            var pointer = JsonPointers.member("", name);
            if (TIMES.contains(name)) {
                maintained.put(name, FieldValues.instant(value, pointer));
            } else if (kind == IdentityKind.KEY && name.equals(PREFIX)) {
                if (!KeyText.isShownPrefix(value)) {
                    throw BadRequestException.forField(pointer,
                            "must be " + KeyText.PREFIX + " and the first characters of the key");
                }
                maintained.put(name, value);
            } else if (kind == IdentityKind.KEY && name.equals(KeyHashes.FIELD)) {
                maintained.put(name, KeyHashes.read(value, pointer));
            } else {
                requested.put(name, value);
            }
        }
        if (kind == IdentityKind.KEY && !maintained.containsKey(KeyHashes.FIELD)) {
            throw BadRequestException.forField(JsonPointers.member("", KeyHashes.FIELD), "hashes is missing");
        }
        return validator.create(kind, requested).mergeIn(maintained);
    }
}
