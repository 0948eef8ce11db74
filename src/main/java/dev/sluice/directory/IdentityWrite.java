package dev.sluice.directory;

import org.jspecify.annotations.Nullable;

import io.vertx.core.json.JsonObject;

/**
 * Change of one stored identity.
 *
 * @param kind its kind
 * @param name its name; the id of a key, see {@link IdentityStore#newKeyId}
 * @param expectedRevision revision that the change is based on; 0 if the identity must not exist; -1 for any
 * @param document the attributes after the change; null deletes the identity
 * @param audit what is recorded in the audit log, of which the store adds the time
 */
public record IdentityWrite(IdentityKind kind, String name, long expectedRevision, @Nullable JsonObject document,
        JsonObject audit) {

    /** Expected revision of a change that replaces any revision, or none. */
    public static final long ANY_REVISION = -1;
}
