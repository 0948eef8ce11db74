package dev.sluice.service.api;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;

import dev.sluice.engine.StoreStatus;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.identity.NamedCallerResolver;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.policy.CurrentPolicy;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Endpoints for programs that call LLM providers directly, and usage reports. */
@ServiceEndpoint
@Tag(name = "LLM", description = "Decisions about LLM calls, and their usage and cost")
@Path("/v1/llm")
@Consumes(MediaType.WILDCARD)
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class LlmResource {

    private static final int DAY = 24;

    private final CurrentPolicy policy;
    private final Providers providers;
    private final NamedCallerResolver callers;
    private final LlmLimiter limiter;
    private final Ledger ledger;
    private final StoreStatus store;
    private final EndpointAuthorization authorization;
    private final AnonymousIdentifiers anonymousIdentifiers;
    private final RateLimitHeaders headers;
    private final RequestBodyReader bodies;

    LlmResource(CurrentPolicy policy, Providers providers, NamedCallerResolver callers, LlmLimiter limiter, Ledger ledger,
            StoreStatus store, EndpointAuthorization authorization,
            AnonymousIdentifiers anonymousIdentifiers, RateLimitHeaders headers, RequestBodyReader bodies) {
        this.policy = policy;
        this.providers = providers;
        this.callers = callers;
        this.limiter = limiter;
        this.ledger = ledger;
        this.store = store;
        this.authorization = authorization;
        this.anonymousIdentifiers = anonymousIdentifiers;
        this.headers = headers;
        this.bodies = bodies;
    }

    /** Decides whether a call is allowed. */
    @POST
    @Path("/check")
    @NonBlocking
    @Operation(operationId = "llmCheck", summary = "Decides whether an LLM call is allowed, and counts it if so")
    @SecurityRequirement(name = OpenApiDefinition.API_TOKEN)
    @RequestBody(required = true, content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = LlmCheckRequest.class), example = "{\"provider\":\"openai\",\"identifier\":\"user123\",\"tier\":\"pro\",\"model\":\"gpt-4o\",\"tokens\":1200}"))
    @APIResponse(responseCode = "200", description = "Allowed", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = OpenApiDefinition.LlmDecisionBody.class), example = "{\"allowed\":true,\"limit\":60,\"remaining\":59,\"window_seconds\":60,\"reset_at\":1701234567,\"retry_after\":0,\"reservation\":\"r-0123456789abcdef0123456789abcdef-60\"}"))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> check(byte[] json, @Context RoutingContext context) {
        return authorization.authorizeDecision(context, anonymous -> {
            var body = bodies.read(json, LlmCheckRequest.class);
            var provider = LlmCheckRequest.provider(body.provider(), providers);
            body.check(policy.tiers());
            var refusal = anonymous ? refuseAnonymous(body.identifier(), body.team(), body.org()) : null;
            return refusal != null
                    ? Uni.createFrom().item(refusal.toResponse(context))
                    : callers.resolve(body.identifier(), body.team(), body.org())
                            .chain(caller -> limiter.admit(body.toEstimate(provider, caller)))
                            .chain(call -> respondOrRelease(context, call));
        });
    }

    /** Returns the error of a request without a token that names what only trusted programs may; null if it does not. */
    private static @Nullable ErrorResponse refuseAnonymous(String identifier, @Nullable String team, @Nullable String org) {
        return ReservedIdentifiers.contains(identifier) ? ReservedIdentifiers.ERROR : GroupNames.refuseAnonymous(team, org);
    }

    private Uni<Response> respondOrRelease(RoutingContext context, AdmittedCall call) {
        try {
            return respond(context, call);
        } catch (RuntimeException | Error e) {
            if (call.decision().allowed()) {
                call.release(false); // the reservation cannot reach the client: release it
            }
            throw e;
        }
    }

    private Uni<Response> respond(RoutingContext context, AdmittedCall call) {
        var decision = call.decision();
        headers.write(context.response().headers(), decision);
        if (!decision.allowed()) {
            return Uni.createFrom().item(denial(call).toResponse(context));
        }
        return limiter.detach(call)
                .map(reservation -> Response.ok(DecisionJson.of(decision, reservation), ErrorResponse.JSON).build());
    }

    private static ErrorResponse denial(AdmittedCall call) {
        if (call.deniedAsForbidden()) {
            return ofModel(403, "RATE_4031", call.forbiddenMessage());
        }
        return call.deniedAsUnpriced()
                ? ofModel(429, "RATE_5001", call.unpricedMessage())
                : ErrorResponse.rateLimitExceeded(call.decision());
    }

    private static ErrorResponse ofModel(int status, String code, String message) {
        return new ErrorResponse(status, code, message, new JsonObject().put("field", "model"), JsonObject::new);
    }

    /** Records usage of a call that did not go through the gateway. */
    @POST
    @Path("/usage")
    @NonBlocking
    @Operation(operationId = "llmReport", summary = "Records the usage of a call, and settles its reservation or counts it in the windows of tokens and cost")
    @SecurityRequirement(name = OpenApiDefinition.API_TOKEN)
    @RequestBody(required = true, content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = LlmUsageRequest.class), example = "{\"provider\":\"openai\",\"identifier\":\"user123\",\"model\":\"gpt-4o\",\"input_tokens\":900,\"output_tokens\":250,\"reservation\":\"r-0123456789abcdef0123456789abcdef-60\",\"request_id\":\"req-1\"}"))
    @APIResponse(responseCode = "204", description = "Recorded, or queued until Redis is available; ignored if the request_id was recorded before")
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> report(byte[] json, @Context RoutingContext context) {
        return authorization.authorizeDecision(context, anonymous -> {
            var body = bodies.read(json, LlmUsageRequest.class);
            var provider = LlmCheckRequest.provider(body.provider(), providers);
            var usage = body.toTokenUsage();
            body.check(policy.tiers());
            var refusal = anonymous ? refuseAnonymous(body.identifier(), body.team(), body.org()) : null;
            if (refusal != null) {
                return Uni.createFrom().item(refusal.toResponse(context));
            }
            if (anonymous && !anonymousIdentifiers.admit(authorization.addressIdentifier(context), body.identifier())) {
                return Uni.createFrom().item(anonymousIdentifiers.limitReached().toResponse(context));
            }
            return callers.resolve(body.identifier(), body.team(), body.org())
                    .chain(caller -> limiter.report(body.toCall(provider, usage, caller)))
                    .map(booked -> Response.noContent().build());
        });
    }

    /** Returns the LLM usage of an identifier. */
    @GET
    @Path("/usage")
    @Parameter(name = "identifier", in = ParameterIn.QUERY, required = true, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Identifier whose usage is returned")
    @Parameter(name = "hours", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.INTEGER, minimum = "1", maximum = "744", defaultValue = "24"), description = "Number of hours covered, aligned to full hours")
    @Operation(operationId = "llmUsage", summary = "Returns the LLM usage of an identifier and its cost")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Recorded usage", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = LlmUsageResponse.class)))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> readUsage(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            QueryParameters.allow(context, "identifier", "hours");
            var identifier = QueryParameters.name(context, "identifier");
            int hours = QueryParameters.text(context, "hours") == null
                    ? DAY
                    : (int) QueryParameters.integer(context, "hours", 1, Ledger.MAX_HOURS);
            return ledger.read(identifier, hours).map(report -> {
                boolean partial = store.mode().isOutage();
                if (partial) {
                    context.response().putHeader(RateLimitHeaders.MODE, store.mode().value());
                }
                return Response.ok(LlmUsageResponse.of(identifier, hours, report, partial), ErrorResponse.JSON).build();
            });
        });
    }
}
