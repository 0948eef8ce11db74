package dev.sluice.service.api.identities.document;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import dev.sluice.directory.IdentityKind;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.json.JsonObject;

/** Fields of the documents of identities, by kind. */
public final class DocumentFields {

    /** Fields of the service itself, and of answers; a request must not contain them. */
    private static final Set<String> READ_ONLY = Set.of("id", "prefix", "created_at", "updated_at", "last_used_at", "used",
            "spend", KeyHashes.FIELD);
    private static final Map<IdentityKind, List<String>> WRITABLE = Map.of(
            IdentityKind.KEY,
            List.of("name", "user", "team", "tier", "expires_at", "models", "limits", "metadata", "disabled", "alerts"),
            IdentityKind.USER, List.of("tier", "teams", "limits", "models", "metadata", "disabled", "alerts"),
            IdentityKind.TEAM, List.of("org", "limits", "member_limits", "models", "metadata", "alerts"),
            IdentityKind.ORG, List.of("limits", "member_limits", "models", "metadata", "alerts"));

    private DocumentFields() {
    }

    /** Returns the fields that requests may set, in the order of answers. */
    public static List<String> writable(IdentityKind kind) {
        return WRITABLE.get(kind);
    }

    /**
     * Requires that a request sets only fields that it may set.
     *
     * @throws BadRequestException if it does not
     */
    public static void requireWritable(IdentityKind kind, JsonObject request) {
        for (var name : request.fieldNames()) {
            if (!writable(kind).contains(name)) {
                throw BadRequestException.forField(JsonPointers.member("", name), isReadOnly(kind, name)
                        ? "The field is read-only"
                        : "Unknown field; allowed: " + String.join(", ", new TreeSet<>(writable(kind))));
            }
        }
    }

    private static boolean isReadOnly(IdentityKind kind, String name) {
        return READ_ONLY.contains(name) || name.equals(kind == IdentityKind.KEY ? "org" : "name");
    }
}
