package dev.sluice.service.api.identities;

import dev.sluice.directory.StoredIdentity;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;

/** Reads what an identity has used, for the response to the query of one identity. */
interface IdentityUsage {

    /**
     * Returns the members to add to the response: {@code used}, what is used now of each window, and {@code spend}, that of this
     * calendar month. Those that are not known are absent.
     */
    Uni<JsonObject> of(StoredIdentity identity);
}
