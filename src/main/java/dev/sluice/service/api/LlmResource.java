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

import dev.sluice.engine.StoreStatus;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.UsageReport;
import dev.sluice.llm.ledger.UsageTotals;
import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Endpoints for programs that call LLM providers directly, and usage reports. */
@ServiceEndpoint
@Path("/v1/llm")
@Consumes(MediaType.WILDCARD)
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class LlmResource {

    private static final StrictJsonBody.Fields CHECK = StrictJsonBody.Fields.of("provider", "identifier", "tier", "model",
            "tokens");
    private static final StrictJsonBody.Fields USAGE = StrictJsonBody.Fields.of("provider", "identifier", "model",
            "input_tokens",
            "output_tokens",
            "cached_input_tokens", "cache_write_input_tokens", "reservation", "request_id");
    private static final int DAY = 24;

    private final LlmLimiter limiter;
    private final Ledger ledger;
    private final StoreStatus store;
    private final EndpointAuthorization authorization;
    private final RateLimitHeaders headers;

    LlmResource(LlmLimiter limiter, Ledger ledger, StoreStatus store, EndpointAuthorization authorization,
            RateLimitHeaders headers) {
        this.limiter = limiter;
        this.ledger = ledger;
        this.store = store;
        this.authorization = authorization;
        this.headers = headers;
    }

    /** Decides whether a call is allowed. */
    @POST
    @Path("/check")
    @NonBlocking
    @Operation(operationId = "llmCheck", summary = "Decides whether an LLM call is allowed, and counts it if so")
    @SecurityRequirement(name = OpenApiDefinition.API_TOKEN)
    @RequestBody(required = true, content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = OpenApiDefinition.LlmCheck.class), example = "{\"provider\":\"openai\",\"identifier\":\"user123\",\"tier\":\"pro\",\"model\":\"gpt-4o\",\"tokens\":1200}"))
    @APIResponse(responseCode = "200", description = "Allowed", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = OpenApiDefinition.LlmDecisionBody.class), example = "{\"allowed\":true,\"limit\":60,\"remaining\":59,\"window_seconds\":60,\"reset_at\":1701234567,\"retry_after\":0,\"reservation\":\"r-0123456789abcdef0123456789abcdef-60\"}"))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> check(byte[] json, @Context RoutingContext context) {
        return authorization.authorizeDecision(context, () -> {
            var body = new StrictJsonBody(json, CHECK);
            var provider = parseProvider(body);
            var identifier = body.name("identifier");
            var model = body.has("model") ? body.name("model") : "";
            boolean sized = body.has("tokens");
            long tokens = sized ? body.integer("tokens", 0, TokenUsage.MAX) : 0;
            // The split into input and output tokens is unknown: all are estimated as output, the more expensive kind.
            var estimate = new LlmCallEstimate(provider, identifier, body.text("tier"), model, 0, sized ? tokens : -1);
            if (authorization.isReserved(context, identifier)) {
                return Uni.createFrom().item(EndpointAuthorization.reservedResponse().toResponse(context));
            }
            return limiter.admit(estimate).map(call -> {
                try {
                    return respond(context, call);
                } catch (RuntimeException | Error e) {
                    if (call.decision().allowed()) {
                        call.release(false); // the reservation cannot reach the client: release it
                    }
                    throw e;
                }
            });
        });
    }

    private Response respond(RoutingContext context, AdmittedCall call) {
        var decision = call.decision();
        headers.write(context.response().headers(), decision);
        if (!decision.allowed()) {
            return (call.deniedAsUnpriced() ? UNPRICED : ErrorResponse.rateLimitExceeded(decision)).toResponse(context);
        }
        return Response.ok(DecisionJson.of(decision, call.reservation()), ErrorResponse.JSON).build();
    }

    private static final ErrorResponse UNPRICED = new ErrorResponse(429, "RATE_5001", AdmittedCall.UNPRICED_MESSAGE,
            new JsonObject().put("field", "model"), JsonObject::new);

    /** Records usage of a call that did not go through the gateway. */
    @POST
    @Path("/usage")
    @NonBlocking
    @Operation(operationId = "llmReport", summary = "Records the usage of a call and settles its reservation")
    @SecurityRequirement(name = OpenApiDefinition.API_TOKEN)
    @RequestBody(required = true, content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = OpenApiDefinition.LlmUsageReport.class), example = "{\"provider\":\"openai\",\"identifier\":\"user123\",\"model\":\"gpt-4o\",\"input_tokens\":900,\"output_tokens\":250,\"reservation\":\"r-0123456789abcdef0123456789abcdef-60\",\"request_id\":\"req-1\"}"))
    @APIResponse(responseCode = "204", description = "Recorded, or queued until Redis is available; ignored if the request_id was recorded before")
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    public Uni<Response> report(byte[] json, @Context RoutingContext context) {
        return authorization.authorizeDecision(context, () -> {
            var body = new StrictJsonBody(json, USAGE);
            var provider = parseProvider(body);
            var identifier = body.name("identifier");
            var model = body.name("model");
            var usage = parseUsage(body);
            var reservation = body.has("reservation") ? body.name("reservation") : null;
            var requestId = body.has("request_id") ? body.name("request_id") : null;
            if (authorization.isReserved(context, identifier)) {
                return Uni.createFrom().item(EndpointAuthorization.reservedResponse().toResponse(context));
            }
            return limiter.report(provider, identifier, model, usage, reservation, requestId)
                    .map(booked -> Response.noContent().build());
        });
    }

    private static TokenUsage parseUsage(StrictJsonBody body) {
        long input = parseTokens(body, "input_tokens");
        long cached = parseTokens(body, "cached_input_tokens");
        long written = parseTokens(body, "cache_write_input_tokens");
        if (cached + written > input) {
            throw BadRequestException.forField("input_tokens", "input_tokens must include cached_input_tokens and"
                    + " cache_write_input_tokens");
        }
        return new TokenUsage(input, cached, written, 0, parseTokens(body, "output_tokens"));
    }

    private static long parseTokens(StrictJsonBody body, String field) {
        return body.has(field) ? body.integer(field, 0, TokenUsage.MAX) : 0;
    }

    private static Provider parseProvider(StrictJsonBody body) {
        var provider = Provider.of(body.text("provider"));
        if (provider == null) {
            throw BadRequestException.forField("provider", "provider must be " + Provider.ALLOWED_IDS);
        }
        return provider;
    }

    /** Returns the LLM usage of an identifier. */
    @GET
    @Path("/usage")
    @Parameter(name = "identifier", in = ParameterIn.QUERY, required = true, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Identifier whose usage is returned")
    @Parameter(name = "hours", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.INTEGER, minimum = "1", maximum = "744", defaultValue = "24"), description = "Number of hours covered, aligned to full hours")
    @Operation(operationId = "llmUsage", summary = "Returns the LLM usage of an identifier and its cost")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Recorded usage", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = OpenApiDefinition.LlmUsageBody.class)))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> readUsage(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            var identifier = QueryParameters.name(context, "identifier");
            int hours = QueryParameters.text(context, "hours") == null
                    ? DAY
                    : (int) QueryParameters.integer(context, "hours", 1, Ledger.MAX_HOURS);
            return ledger.read(identifier, hours).map(report -> {
                var body = toJson(identifier, hours, report);
                if (store.mode().isOutage()) {
                    context.response().putHeader(RateLimitHeaders.MODE, store.mode().value());
                    body.put("partial", true); // usage stored in Redis is not included
                }
                return Response.ok(body.encode(), ErrorResponse.JSON).build();
            });
        });
    }

    private static JsonObject toJson(String identifier, int hours, UsageReport report) {
        var providers = new JsonObject();
        report.providers().forEach((provider, models) -> {
            var byModel = new JsonObject();
            models.forEach((model, totals) -> byModel.put(model, putTotals(new JsonObject(), totals)));
            var all = models.values().stream().reduce(UsageTotals.NONE, UsageTotals::plus);
            var body = new JsonObject().put("calls", all.calls()).put("window_hours", hours);
            providers.put(provider, putTotals(body, all).put("models", byModel));
        });
        return new JsonObject().put("identifier", identifier).put("window_hours", hours).put("providers", providers);
    }

    private static JsonObject putTotals(JsonObject body, UsageTotals totals) {
        return body.put("calls", totals.calls()).put("input_tokens", totals.input()).put("output_tokens", totals.output())
                .put("cached_input_tokens", totals.cachedInput()).put("cache_write_input_tokens", totals.cacheWrite())
                .put("cost_usd", totals.dollars()).put("unpriced_calls", totals.unpriced())
                .put("estimated_calls", totals.estimated());
    }
}
