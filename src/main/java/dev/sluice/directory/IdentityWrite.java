package dev.sluice.directory;

import java.time.Instant;

import org.jspecify.annotations.Nullable;

import io.vertx.core.json.JsonObject;

/**
 * Change of one stored identity.
 *
 * @param kind its kind
 * @param name its name; the id of a key, see {@link IdentityStore#newKeyId}
 * @param expectedRevision revision that the change is based on; 0 if the identity must not exist; -1 for any
 * @param document the attributes after the change; null deletes the identity
 * @param audit what is recorded in the audit log, of which the store adds the time; null for nothing
 * @param lastUse time of a use of a key, of which the hour is kept unless a later one is known; null for none
 */
public record IdentityWrite(IdentityKind kind, String name, long expectedRevision, @Nullable JsonObject document,
        @Nullable JsonObject audit, @Nullable Instant lastUse) {

    /** Expected revision of a change that replaces any revision, or none. */
    public static final long ANY_REVISION = -1;

    /** Creates a change that is recorded in the audit log. */
    public IdentityWrite(IdentityKind kind, String name, long expectedRevision, @Nullable JsonObject document,
            JsonObject audit) {
        this(kind, name, expectedRevision, document, audit, null);
    }
}
