package dev.sluice.service.api.transfer;

import dev.sluice.http.ErrorResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Counts the lines of an import by their outcome. Not thread-safe. */
final class ImportReport {

    /** Maximum number of errors that are described. */
    static final int MAX_ERRORS = 100;

    private final JsonArray errors = new JsonArray();
    private long imported;
    private long unchanged;
    private long failed;

    void countImported() {
        imported++;
    }

    void countUnchanged() {
        unchanged++;
    }

    /** Counts a line that is not imported. */
    void fail(long line, ErrorResponse error) {
        failed++;
        if (errors.size() < MAX_ERRORS) {
            var description = new JsonObject().put("line", line);
            if (error.details() != null) {
                description.put("field", error.details().getString("field"));
            }
            errors.add(description.put("message", error.message()));
        }
    }

    JsonObject counts() {
        return new JsonObject().put("imported", imported).put("unchanged", unchanged).put("failed", failed);
    }

    JsonObject toJson() {
        return counts().put("errors", errors);
    }
}
