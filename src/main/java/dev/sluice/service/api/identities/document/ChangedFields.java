package dev.sluice.service.api.identities.document;

import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Finds what a change has changed, for the audit log: names of fields, never their values. */
public final class ChangedFields {

    /** Maximum number of pointers; of more changes, only the outermost fields are listed. */
    static final int MAX_POINTERS = 64;

    private static final int MAX_DEPTH = 4;
    /** Maintained by the service itself. */
    private static final Set<String> OMITTED = Set.of("hashes", "created_at", "updated_at", "last_used_at");

    private ChangedFields() {
    }

    /** Returns JSON pointers to the members that differ, sorted; an object that is added as a whole counts by its members. */
    public static JsonArray between(JsonObject before, JsonObject after) {
        var changed = new TreeSet<String>();
        collect(before, after, "", MAX_DEPTH, changed);
        if (changed.size() > MAX_POINTERS) {
            changed.clear();
            collect(before, after, "", 1, changed);
        }
        var pointers = new JsonArray();
        changed.forEach(pointers::add);
        return pointers;
    }

    private static void collect(JsonObject before, JsonObject after, String pointer, int depth, Set<String> changed) {
        var names = new TreeSet<>(before.fieldNames());
        names.addAll(after.fieldNames());
        for (var name : names) {
            var old = before.getValue(name);
            var current = after.getValue(name);
            if (pointer.isEmpty() && OMITTED.contains(name) || Objects.equals(old, current)) {
                continue;
            }
            var place = JsonPointers.member(pointer, name);
            if (depth > 1 && isObjectOrNull(old) && isObjectOrNull(current)) {
                collect(members(old), members(current), place, depth - 1, changed);
            } else {
                changed.add(place);
            }
        }
    }

    private static boolean isObjectOrNull(Object value) {
        return value == null || value instanceof JsonObject;
    }

    private static JsonObject members(Object value) {
        return value == null ? new JsonObject() : (JsonObject) value;
    }
}
