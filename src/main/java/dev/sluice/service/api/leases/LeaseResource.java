package dev.sluice.service.api.leases;

import java.util.function.Function;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

import dev.sluice.engine.ConcurrencyLeases;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.OpenApiDefinition;
import dev.sluice.service.api.RequestBodyReader;
import dev.sluice.service.api.ReservedIdentifiers;
import dev.sluice.store.concurrency.LeaseToken;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Leases of slots of requests in flight, for programs in any language. */
@ServiceEndpoint
@Tag(name = "Decisions")
@Path("/v1/leases")
@Consumes(MediaType.WILDCARD)
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class LeaseResource {

    private static final String LEASE = "{\"lease\":\"l-0123456789abcdef0123456789abcdef-60-7-dXNlcjEyM3JlcG9ydHM\",\"expires_at\":1701234567,\"ttl_seconds\":60,\"limit\":2,\"remaining\":1}";
    private static final String RENEWED = "{\"lease\":\"l-0123456789abcdef0123456789abcdef-60-7-dXNlcjEyM3JlcG9ydHM\",\"expires_at\":1701234627,\"ttl_seconds\":60}";
    private static final String NOT_HELD_EXAMPLE = "{\"error\":{\"code\":\"RATE_4041\",\"message\":\"The lease is not held any more: it was freed, or has ended\"}}";
    private static final String IN_FLIGHT_EXAMPLE = "{\"error\":{\"code\":\"RATE_5003\",\"message\":\"Too many requests in flight\",\"details\":{\"limit\":2,\"retry_after\":1,\"unit\":\"concurrent_requests\"}}}";
    private static final ErrorResponse NOT_HELD = ErrorResponse.of(404, "RATE_4041",
            "The lease is not held any more: it was freed, or has ended");

    private final ConcurrencyLeases leases;
    private final EndpointAuthorization authorization;
    private final RequestBodyReader bodies;
    private final RateLimitHeaders headers;

    LeaseResource(ConcurrencyLeases leases, EndpointAuthorization authorization, RequestBodyReader bodies,
            RateLimitHeaders headers) {
        this.leases = leases;
        this.authorization = authorization;
        this.bodies = bodies;
        this.headers = headers;
    }

    /** Takes a slot. */
    @POST
    @NonBlocking
    @Operation(operationId = "takeLease", summary = "Takes a slot of the requests in flight until it is freed or its time has passed")
    @SecurityRequirement(name = OpenApiDefinition.API_TOKEN)
    @RequestBody(required = true, content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = LeaseRequest.class), example = "{\"identifier\":\"user123\",\"resource\":\"reports\",\"limit\":2,\"ttl_seconds\":60}"))
    @APIResponse(responseCode = "201", description = "The slot is held", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = LeaseResponse.class), example = LEASE))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", description = "RATE_5003: too many requests in flight. RATE_5001: without a token, the rate of the client address (rate-limit.check.rate)", content = @Content(mediaType = ErrorResponse.JSON, example = IN_FLIGHT_EXAMPLE))
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> take(byte[] json, @Context RoutingContext context) {
        return authorization.authorizeDecision(context, anonymous -> {
            var body = bodies.read(json, LeaseRequest.class);
            if (anonymous && ReservedIdentifiers.contains(body.identifier())) {
                return Uni.createFrom().item(ReservedIdentifiers.ERROR.toResponse(context));
            }
            return leases.take(body.identifier(), body.resource(), body.limit(), body.ttlSeconds()).map(result -> {
                if (result.lease() != null) {
                    abandonIfUndelivered(result.lease(), context);
                }
                headers.write(context.response().headers(), result.decision());
                return result.lease() == null
                        ? ErrorResponse.rateLimitExceeded(result.decision()).toResponse(context)
                        : Response.status(201).type(ErrorResponse.JSON)
                                .entity(new LeaseResponse(result.lease(), result.expiresAt().getEpochSecond(),
                                        body.ttlSeconds(),
                                        body.limit(), result.decision().quotas().get(0).remaining()))
                                .build();
            });
        });
    }

    /** A client that is gone before the end of the response does not know its lease, and cannot free it. */
    private void abandonIfUndelivered(String lease, RoutingContext context) {
        if (context.response().closed()) {
            leases.abandon(lease);
        } else {
            context.addEndHandler(end -> {
                if (end.failed()) {
                    leases.abandon(lease);
                }
            });
        }
    }

    /** Renews a lease. */
    @PUT
    @Path("/{lease}")
    @NonBlocking
    @Operation(operationId = "renewLease", summary = "Renews a lease, from now on")
    @SecurityRequirement(name = OpenApiDefinition.API_TOKEN)
    @Parameter(name = "lease", description = "Name of the lease")
    @RequestBody(content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = LeaseRequest.Renewal.class), example = "{\"ttl_seconds\":60}"))
    @APIResponse(responseCode = "200", description = "The slot is held", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = LeaseResponse.class), example = RENEWED))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "404", description = "RATE_4041: the lease is not held any more", content = @Content(mediaType = ErrorResponse.JSON, example = NOT_HELD_EXAMPLE))
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> renew(@PathParam("lease") String text, byte[] json, @Context RoutingContext context) {
        return withLease(text, context, lease -> {
            var body = json == null || json.length == 0
                    ? new LeaseRequest.Renewal(null)
                    : bodies.read(json, LeaseRequest.Renewal.class);
            long seconds = body.ttlSeconds() == null ? lease.seconds() : body.ttlSeconds();
            return leases.renew(lease, seconds).map(end -> end.isEmpty()
                    ? NOT_HELD.toResponse(context)
                    : Response.ok(LeaseResponse.renewed(text, end.get(), seconds), ErrorResponse.JSON).build());
        });
    }

    /** Frees a lease. */
    @DELETE
    @Path("/{lease}")
    @NonBlocking
    @Operation(operationId = "freeLease", summary = "Frees the slot of a lease")
    @SecurityRequirement(name = OpenApiDefinition.API_TOKEN)
    @Parameter(name = "lease", description = "Name of the lease")
    @APIResponse(responseCode = "204", description = "The slot is free")
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "404", description = "RATE_4041: the lease is not held any more", content = @Content(mediaType = ErrorResponse.JSON, example = NOT_HELD_EXAMPLE))
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> free(@PathParam("lease") String text, @Context RoutingContext context) {
        return withLease(text, context, lease -> leases.free(lease)
                .map(freed -> freed ? Response.noContent().build() : NOT_HELD.toResponse(context)));
    }

    private Uni<Response> withLease(String text, RoutingContext context, Function<LeaseToken, Uni<Response>> call) {
        return authorization.authorizeDecision(context, anonymous -> {
            var lease = LeaseToken.parse(text);
            if (lease == null) {
                return Uni.createFrom().item(NOT_HELD.toResponse(context));
            }
            return anonymous && ReservedIdentifiers.contains(lease.identifier())
                    ? Uni.createFrom().item(ReservedIdentifiers.ERROR.toResponse(context))
                    : call.apply(lease);
        });
    }
}
