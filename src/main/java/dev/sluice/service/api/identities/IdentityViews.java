package dev.sluice.service.api.identities;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.service.api.identities.document.DocumentFields;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;

/** Identities as responses show them: never with a hash. */
@ApplicationScoped
class IdentityViews {

    private static final List<String> MAINTAINED = List.of("prefix", "created_at", "updated_at", "last_used_at");
    private static final int CONCURRENT_READS = 32;

    private final IdentityStore store;

    IdentityViews(IdentityStore store) {
        this.store = store;
    }

    /** Returns an identity; a key with the organisation of its team. */
    Uni<JsonObject> of(StoredIdentity identity) {
        return of(List.of(identity)).map(views -> views.get(0));
    }

    /** Returns identities, in their order. Reads each team of the keys once. */
    Uni<List<JsonObject>> of(List<StoredIdentity> identities) {
        var teams = new LinkedHashSet<String>();
        identities.stream().filter(identity -> identity.kind() == IdentityKind.KEY)
                .map(identity -> identity.document().getString("team")).filter(team -> team != null).forEach(teams::add);
        if (teams.isEmpty()) {
            return Uni.createFrom().item(identities.stream().map(identity -> view(identity, Map.of())).toList());
        }
        var orgs = new HashMap<String, String>();
        return Multi.createFrom().iterable(teams)
                .onItem().transformToUni(name -> store.find(IdentityKind.TEAM, name).invoke(team -> {
                    if (team != null && team.document().getString("org") != null) {
                        orgs.put(name, team.document().getString("org"));
                    }
                })).merge(CONCURRENT_READS).collect().last()
                .map(read -> identities.stream().map(identity -> view(identity, orgs)).toList());
    }

    private static JsonObject view(StoredIdentity identity, Map<String, String> orgs) {
        var document = identity.document();
        var view = new JsonObject();
        if (identity.kind() == IdentityKind.KEY) {
            view.put("id", identity.name());
        } else {
            view.put("name", identity.name());
        }
        for (var field : DocumentFields.writable(identity.kind())) {
            copy(document, view, field);
            var org = field.equals("team") && document.getString("team") != null ? orgs.get(document.getString("team")) : null;
            if (org != null) {
                view.put("org", org);
            } else if (field.equals("disabled") && !view.containsKey("disabled")) {
                view.put("disabled", false);
            }
        }
        MAINTAINED.forEach(field -> copy(document, view, field));
        return view;
    }

    private static void copy(JsonObject document, JsonObject view, String field) {
        if (document.getValue(field) != null) {
            view.put(field, document.getValue(field));
        }
    }
}
