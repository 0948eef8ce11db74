package dev.sluice.service.api.identities;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.Response;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.http.ErrorResponse;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.QueryParameters;
import dev.sluice.service.api.identities.IdentityEditor.Target;
import dev.sluice.service.api.identities.document.DocumentFields;
import dev.sluice.service.api.identities.document.DocumentValidator;
import dev.sluice.service.api.identities.document.StrictJson;
import dev.sluice.service.token.AdminAccess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Operations that the endpoints of all kinds of identities share. */
@ApplicationScoped
class IdentityEndpoint {

    private static final String CASCADE = "cascade";

    private final IdentityStore store;
    private final IdentityEditor editor;
    private final IdentityDeletion deletion;
    private final IdentityLists lists;
    private final IdentityViews views;
    private final IdentityUsage usage;
    private final TeamRestrictions restrictions;
    private final DocumentValidator validator;
    private final EndpointAuthorization authorization;

    IdentityEndpoint(IdentityStore store, IdentityEditor editor, IdentityDeletion deletion, IdentityLists lists,
            IdentityViews views, IdentityUsage usage, TeamRestrictions restrictions, DocumentValidator validator,
            EndpointAuthorization authorization) {
        this.store = store;
        this.editor = editor;
        this.deletion = deletion;
        this.lists = lists;
        this.views = views;
        this.usage = usage;
        this.restrictions = restrictions;
        this.validator = validator;
        this.authorization = authorization;
    }

    Uni<Response> list(RoutingContext request, IdentityKind kind) {
        return authorization.authorizeTeamAdmin(request, access -> {
            requireOrgAccess(access, kind);
            return lists.list(request, access, kind)
                    .map(page -> Response.ok(page.encode(), ErrorResponse.JSON).build());
        });
    }

    Uni<Response> get(RoutingContext request, IdentityKind kind) {
        return authorization.authorizeTeamAdmin(request, access -> {
            requireOrgAccess(access, kind);
            QueryParameters.allow(request);
            return store.find(kind, PathNames.read(request, kind))
                    .map(found -> TeamRestrictions.requireVisible(access, kind, found))
                    .flatMap(found -> usage(access, found)
                            .flatMap(used -> views.of(found).map(view -> respond(200, found, view.mergeIn(used)))));
        });
    }

    private Uni<JsonObject> usage(AdminAccess access, StoredIdentity identity) {
        return TeamRestrictions.isUsageVisible(access, identity.kind())
                ? usage.of(identity)
                : Uni.createFrom().item(new JsonObject());
    }

    Uni<Response> put(RoutingContext request, IdentityKind kind, byte[] body) {
        return authorization.authorizeTeamAdmin(request, access -> {
            requireOrgAccess(access, kind);
            QueryParameters.allow(request);
            var name = PathNames.read(request, kind);
            var document = validator.create(kind, StrictJson.read(body));
            var target = new Target(kind, name, Precondition.of(request.request().headers()), access, false);
            return editor.edit(target,
                    current -> restrictions.requireChange(access, kind, name, current, document.copy()))
                    .flatMap(edited -> views.of(edited.after())
                            .map(view -> respond(edited.before() == null ? 201 : 200, edited.after(), view)));
        });
    }

    /** @param name name of the identity, as {@link PathNames} reads it */
    Uni<Response> patch(RoutingContext request, AdminAccess access, IdentityKind kind, String name, byte[] body) {
        requireOrgAccess(access, kind);
        QueryParameters.allow(request);
        var patch = StrictJson.read(body);
        var target = new Target(kind, name, Precondition.of(request.request().headers()), access, true);
        return editor.edit(target, current -> {
            var document = current.document().copy();
            var fields = validator.patch(kind, document, patch);
            return restrictions.requireChange(access, kind, name, current, withMaintainedFields(kind, document, fields));
        }).flatMap(edited -> views.of(edited.after()).map(view -> respond(200, edited.after(), view)));
    }

    /** Returns the fields of a document that requests do not set, with those that they do. */
    private static JsonObject withMaintainedFields(IdentityKind kind, JsonObject document, JsonObject fields) {
        var merged = document.copy();
        DocumentFields.writable(kind).forEach(merged::remove);
        return merged.mergeIn(fields);
    }

    /** @param name name of the identity, as {@link PathNames} reads it */
    Uni<Response> delete(RoutingContext request, AdminAccess access, IdentityKind kind, String name) {
        requireOrgAccess(access, kind);
        boolean cascade = kind == IdentityKind.TEAM || kind == IdentityKind.ORG;
        QueryParameters.allow(request, cascade ? new String[]{CASCADE} : new String[0]);
        var target = new Target(kind, name, Precondition.of(request.request().headers()), access, true);
        return deletion.delete(target, isCascading(request)).map(deleted -> Response.noContent().build());
    }

    private static boolean isCascading(RoutingContext request) {
        var cascade = QueryParameters.text(request, CASCADE);
        if (cascade == null || cascade.equals("true") || cascade.equals("false")) {
            return "true".equals(cascade);
        }
        throw BadRequestException.forField(CASCADE, "cascade must be true or false");
    }

    private static void requireOrgAccess(AdminAccess access, IdentityKind kind) {
        if (kind == IdentityKind.ORG) {
            TeamRestrictions.requireUnrestricted(access);
        }
    }

    static Response respond(int status, StoredIdentity identity, JsonObject view) {
        return Response.status(status).type(ErrorResponse.JSON).header("ETag", Precondition.entityTag(identity))
                .entity(view.encode()).build();
    }
}
