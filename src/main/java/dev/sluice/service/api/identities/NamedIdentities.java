package dev.sluice.service.api.identities;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;

import dev.sluice.directory.IdentityKind;
import dev.sluice.http.ErrorResponse;
import dev.sluice.service.api.EndpointAuthorization;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Endpoints of identities that have a name: users, teams and organisations. {@link IdentitiesOpenApi} describes them. */
@Consumes(MediaType.WILDCARD)
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
abstract class NamedIdentities {

    private final IdentityKind kind;
    private final IdentityEndpoint endpoint;
    private final EndpointAuthorization authorization;

    NamedIdentities(IdentityKind kind, IdentityEndpoint endpoint, EndpointAuthorization authorization) {
        this.kind = kind;
        this.endpoint = endpoint;
        this.authorization = authorization;
    }

    /** Returns a page of identities. */
    @GET
    @Operation(hidden = true)
    public Uni<Response> list(@Context RoutingContext context) {
        return endpoint.list(context, kind);
    }

    /** Returns an identity. */
    @GET
    @Path("/{name}")
    @Operation(hidden = true)
    public Uni<Response> get(@Context RoutingContext context) {
        return endpoint.get(context, kind);
    }

    /** Creates or replaces an identity. */
    @PUT
    @Path("/{name}")
    @NonBlocking
    @Operation(hidden = true)
    public Uni<Response> put(byte[] body, @Context RoutingContext context) {
        return endpoint.put(context, kind, body);
    }

    /** Changes an identity by a merge patch. */
    @PATCH
    @Path("/{name}")
    @NonBlocking
    @Operation(hidden = true)
    public Uni<Response> patch(byte[] body, @Context RoutingContext context) {
        return authorization.authorizeTeamAdmin(context,
                access -> endpoint.patch(context, access, kind, PathNames.read(context, kind), body));
    }

    /** Deletes an identity. */
    @DELETE
    @Path("/{name}")
    @Operation(hidden = true)
    public Uni<Response> delete(@Context RoutingContext context) {
        return authorization.authorizeTeamAdmin(context,
                access -> endpoint.delete(context, access, kind, PathNames.read(context, kind)));
    }
}
