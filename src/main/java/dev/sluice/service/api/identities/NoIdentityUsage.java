package dev.sluice.service.api.identities;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.directory.StoredIdentity;
import io.quarkus.arc.DefaultBean;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;

/** Usage that is not known. */
@DefaultBean
@ApplicationScoped
class NoIdentityUsage implements IdentityUsage {

    @Override
    public Uni<JsonObject> of(StoredIdentity identity) {
        return Uni.createFrom().item(new JsonObject());
    }
}
