package dev.sluice.service.api.identities;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;

import dev.sluice.directory.IdentityKind;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.QueryParameters;
import dev.sluice.service.api.identities.document.StrictJson;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Admin endpoints of keys. {@link IdentitiesOpenApi} describes them. */
@ServiceEndpoint
@Path("/v1/keys")
@Consumes(MediaType.WILDCARD)
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class KeysResource {

    private final IdentityEndpoint endpoint;
    private final KeyEditor keys;
    private final ConfiguredKeys configured;
    private final IdentityViews views;
    private final EndpointAuthorization authorization;

    KeysResource(IdentityEndpoint endpoint, KeyEditor keys, ConfiguredKeys configured, IdentityViews views,
            EndpointAuthorization authorization) {
        this.endpoint = endpoint;
        this.keys = keys;
        this.configured = configured;
        this.views = views;
        this.authorization = authorization;
    }

    /** Creates a key. */
    @POST
    @NonBlocking
    @Operation(hidden = true)
    public Uni<Response> create(byte[] body, @Context RoutingContext context) {
        return authorization.authorizeTeamAdmin(context, access -> {
            QueryParameters.allow(context);
            return keys.create(access, StrictJson.read(body)).flatMap(created -> respond(201, created));
        });
    }

    /** Gives a key a new text. */
    @POST
    @Path("/{id}/rotate")
    @NonBlocking
    @Operation(hidden = true)
    public Uni<Response> rotate(byte[] body, @Context RoutingContext context) {
        return authorization.authorizeTeamAdmin(context, access -> {
            QueryParameters.allow(context);
            var id = changeable(context);
            var request = body == null || body.length == 0 ? new JsonObject() : StrictJson.read(body);
            return keys.rotate(access, id, Precondition.of(context.request().headers()), request)
                    .flatMap(rotated -> respond(200, rotated));
        });
    }

    /** Responds with a key and its text, which no cache may keep. */
    private Uni<Response> respond(int status, KeyEditor.NewText created) {
        return views.of(created.key()).map(view -> {
            var shown = new JsonObject().put("id", created.key().name()).put("key", created.text()).mergeIn(view);
            var response = Response.fromResponse(IdentityEndpoint.respond(status, created.key(), shown))
                    .header(HttpHeaders.CACHE_CONTROL, "no-store");
            return (status == 201 ? response.header(HttpHeaders.LOCATION, "/v1/keys/" + created.key().name()) : response)
                    .build();
        });
    }

    /** Returns a page of keys. */
    @GET
    @Operation(hidden = true)
    public Uni<Response> list(@Context RoutingContext context) {
        return endpoint.list(context, IdentityKind.KEY);
    }

    /** Returns a key. */
    @GET
    @Path("/{id}")
    @Operation(hidden = true)
    public Uni<Response> get(@Context RoutingContext context) {
        return endpoint.get(context, IdentityKind.KEY);
    }

    /** Changes a key by a merge patch. */
    @PATCH
    @Path("/{id}")
    @NonBlocking
    @Operation(hidden = true)
    public Uni<Response> patch(byte[] body, @Context RoutingContext context) {
        return authorization.authorizeTeamAdmin(context,
                access -> endpoint.patch(context, access, IdentityKind.KEY, changeable(context), body));
    }

    /** Deletes a key. */
    @DELETE
    @Path("/{id}")
    @Operation(hidden = true)
    public Uni<Response> delete(@Context RoutingContext context) {
        return authorization.authorizeTeamAdmin(context,
                access -> endpoint.delete(context, access, IdentityKind.KEY, changeable(context)));
    }

    private String changeable(RoutingContext context) {
        configured.requireChangeable(PathNames.raw(context));
        return PathNames.read(context, IdentityKind.KEY);
    }
}
