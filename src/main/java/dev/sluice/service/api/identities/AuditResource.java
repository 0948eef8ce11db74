package dev.sluice.service.api.identities;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;

import dev.sluice.directory.IdentityStore;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.QueryParameters;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Admin endpoint: the log of changes of identities. {@link IdentitiesOpenApi} describes it. */
@ServiceEndpoint
@Path("/v1/audit")
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class AuditResource {

    private static final String QUERY = "audit";

    private final IdentityStore store;
    private final EndpointAuthorization authorization;

    AuditResource(IdentityStore store, EndpointAuthorization authorization) {
        this.store = store;
        this.authorization = authorization;
    }

    /** Returns a page of changes, newest first. */
    @GET
    @Operation(hidden = true)
    public Uni<Response> list(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            QueryParameters.allow(context, "limit", "cursor");
            var after = PageCursor.decode(QUERY, QueryParameters.text(context, "cursor"));
            return store.audit(IdentityLists.limit(context), after).map(page -> {
                var body = new JsonObject().put("entries", new JsonArray(page.entries()))
                        .put("next_cursor", PageCursor.encode(QUERY, page.next()));
                return Response.ok(body.encode(), ErrorResponse.JSON).build();
            });
        });
    }
}
