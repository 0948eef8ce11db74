package dev.sluice.service.api.transfer;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.IdentityWrite;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.directory.StoredRecord;
import dev.sluice.directory.WriteResult;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestRefusedException;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.identities.ConfiguredKeys;
import dev.sluice.service.api.identities.document.ImportedDocument;
import dev.sluice.service.api.identities.document.KeyHashes;
import dev.sluice.service.token.AdminAccess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Imports one identity after the other. Thread-safe; completes where the store does. */
@ApplicationScoped
class IdentityImporter {

    private static final int MAX_ATTEMPTS = 20;
    private static final String DOCUMENT = "/document";
    private static final String CREATED_AT = "created_at";
    private static final String UPDATED_AT = "updated_at";
    private static final String LAST_USED_AT = StoredRecord.LAST_USED_AT;

    private final IdentityStore store;
    private final ImportedDocument documents;
    private final ConfiguredKeys configured;

    IdentityImporter(IdentityStore store, ImportedDocument documents, ConfiguredKeys configured) {
        this.store = store;
        this.documents = documents;
        this.configured = configured;
    }

    /** Treatment of identities that exist already. */
    enum Mode {
        /** They are replaced. */
        REPLACE,
        /** They are left as they are. */
        CREATE
    }

    /**
     * Reads a line of an import.
     *
     * @throws RequestRefusedException if the line or its document is not valid
     */
    IdentityLine read(byte[] json) {
        var line = IdentityLine.read(json);
        return new IdentityLine(line.kind(), line.name(), document(line));
    }

    /**
     * Stores an identity.
     *
     * @return whether something has changed; fails with {@link RequestRefusedException} if it cannot be stored
     */
    Uni<Boolean> store(IdentityLine line, Mode mode) {
        return attempt(line, mode, MAX_ATTEMPTS);
    }

    /**
     * Records the begin or the end of an import in the audit log: entries of each identity would push out all others.
     *
     * @param counts of the lines until then; null at the begin
     */
    Uni<Void> record(AdminAccess access, String action, JsonObject counts) {
        var entry = new JsonObject().put("token", access.token()).put("action", action).put("subject", "import")
                .put("changed", new JsonArray());
        return store.record(counts == null ? entry : entry.put("counts", counts));
    }

    private JsonObject document(IdentityLine line) {
        JsonObject document;
        try {
            document = documents.read(line.kind(), line.document());
        } catch (BadRequestException e) {
            var error = e.errorResponse();
            throw BadRequestException.forField(DOCUMENT + error.details().getString("field"), error.message());
        }
        if (line.kind() == IdentityKind.KEY) {
            if (configured.hasId(line.name())) {
                throw BadRequestException.forField("/name", "A key of rate-limit.api-keys has this id");
            }
            var hashes = document.getJsonArray(KeyHashes.FIELD);
            for (int i = 0; i < hashes.size(); i++) {
                if (configured.hasHash(hashes.getJsonObject(i).getString("sha256"))) {
                    throw BadRequestException.forField(DOCUMENT + '/' + KeyHashes.FIELD + '/' + i,
                            "The key is set in rate-limit.api-keys");
                }
            }
        }
        return document;
    }

    private Uni<Boolean> attempt(IdentityLine line, Mode mode, int attempts) {
        return store.find(line.kind(), line.name()).flatMap(current -> {
            if (current != null && (mode == Mode.CREATE || isSame(current, line.document()))) {
                return Uni.createFrom().item(false);
            }
            return store.write(write(line, current)).flatMap(result -> {
                if (result.status() == WriteResult.Status.REVISION_MISMATCH && attempts > 1) {
                    return attempt(line, mode, attempts - 1);
                }
                return switch (result.status()) {
                    case DONE -> Uni.createFrom().item(true);
                    case HASH_IN_USE -> Uni.createFrom().failure(BadRequestException.forField(DOCUMENT + "/hashes",
                            "Another key has the same hash"));
                    default -> Uni.createFrom().failure(new RequestRefusedException(
                            ErrorResponse.of(409, "RATE_4091", "Too many changes at the same time; try again")));
                };
            });
        });
    }

    /** Times that the line does not have are not compared, and the time of the last use if it is earlier. */
    private static boolean isSame(StoredIdentity current, JsonObject document) {
        var stored = current.document().copy();
        var imported = document.copy();
        var storedUse = lastUse(stored);
        var importedUse = lastUse(imported);
        if (importedUse != null && (storedUse == null || storedUse.isBefore(importedUse.truncatedTo(ChronoUnit.HOURS)))) {
            return false;
        }
        stored.remove(LAST_USED_AT);
        imported.remove(LAST_USED_AT);
        for (var time : new String[]{CREATED_AT, UPDATED_AT}) {
            if (!imported.containsKey(time) && stored.containsKey(time)) {
                imported.put(time, stored.getValue(time));
            }
        }
        return Objects.equals(stored, imported);
    }

    private static Instant lastUse(JsonObject document) {
        var time = document.getString(LAST_USED_AT);
        return time == null ? null : Instant.parse(time);
    }

    private static IdentityWrite write(IdentityLine line, StoredIdentity current) {
        var now = Instant.ofEpochMilli(Instant.now().toEpochMilli()).toString();
        var before = current == null ? new JsonObject() : current.document();
        var document = line.document().copy();
        if (!document.containsKey(CREATED_AT)) {
            document.put(CREATED_AT, before.getString(CREATED_AT, now));
        }
        if (!document.containsKey(UPDATED_AT)) {
            document.put(UPDATED_AT, now);
        }
        return new IdentityWrite(line.kind(), line.name(), current == null ? 0 : current.revision(), document, null,
                line.kind() == IdentityKind.KEY ? lastUse(document) : null);
    }
}
