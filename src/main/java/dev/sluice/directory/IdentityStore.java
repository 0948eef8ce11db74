package dev.sluice.directory;

import org.jspecify.annotations.Nullable;

import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;

/**
 * Store of keys, users, teams and organisations, and the log of their changes. Every {@code Uni} fails with
 * {@link dev.sluice.api.StoreUnavailableException} if Redis does not reply; subscribed on an event loop, it completes there.
 * Thread-safe.
 */
public interface IdentityStore {

    /** Returns an identity from Redis; null if there is none. */
    Uni<@Nullable StoredIdentity> find(IdentityKind kind, String name);

    /**
     * Makes a change, with its indexes, its entry in the audit log, and the notification of all instances: all of it or nothing.
     */
    Uni<WriteResult> write(IdentityWrite write);

    /** Returns a page of identities from the indexes. */
    Uni<IdentityPage> list(IdentityQuery query);

    /** Returns a new id of a key. Ids sort by the time of their creation. */
    Uni<String> newKeyId();

    /** Adds an entry to the audit log that belongs to no change of one identity. */
    Uni<Void> record(JsonObject entry);

    /**
     * Returns a page of the audit log.
     *
     * @param limit maximum number of entries, 1 to 1000
     * @param after id of the last entry of the page before; null for the newest entries
     */
    Uni<AuditPage> audit(int limit, @Nullable String after);
}
