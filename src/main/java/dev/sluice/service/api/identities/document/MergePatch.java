package dev.sluice.service.api.identities.document;

import io.vertx.core.json.JsonObject;

/** JSON merge patches (RFC 7396). */
public final class MergePatch {

    private MergePatch() {
    }

    /** Returns an object after a patch. Neither is changed. A member that is null in the patch is removed. */
    public static JsonObject apply(JsonObject target, JsonObject patch) {
        var result = target.copy();
        for (var name : patch.fieldNames()) {
            var value = patch.getValue(name);
            if (value == null) {
                result.remove(name);
            } else if (value instanceof JsonObject members) {
                result.put(name, apply(result.getValue(name) instanceof JsonObject old ? old : new JsonObject(), members));
            } else {
                result.put(name, value);
            }
        }
        return result;
    }
}
