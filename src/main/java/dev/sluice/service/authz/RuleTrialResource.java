package dev.sluice.service.authz;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.identity.CredentialsRejectedException;
import dev.sluice.identity.KeysUnavailableException;
import dev.sluice.policy.ApiRequest;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.RuleMatch;
import dev.sluice.policy.cost.InvalidCostException;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.OpenApiDefinition;
import dev.sluice.service.api.RequestBodyReader;
import dev.sluice.service.api.Tier;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.edge.ReservedPaths;
import dev.sluice.service.gateway.MethodOverrides;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Admin endpoint: tries a request against the rules as the gateway would, and consumes nothing. */
@ServiceEndpoint
@Tag(name = "Administration")
@Path("/v1/rules/try")
@Consumes(MediaType.WILDCARD)
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class RuleTrialResource {

    private final EndpointAuthorization authorization;
    private final RequestBodyReader bodies;
    private final ForwardedCallers callers;
    private final CurrentPolicy policy;
    private final CallbackRateLimiter limiter;
    private final MethodOverrides methodOverrides;
    private final ReservedPaths reserved;

    RuleTrialResource(EndpointAuthorization authorization, RequestBodyReader bodies, ForwardedCallers callers,
            CurrentPolicy policy, CallbackRateLimiter limiter, MethodOverrides methodOverrides, ReservedPaths reserved) {
        this.authorization = authorization;
        this.bodies = bodies;
        this.callers = callers;
        this.policy = policy;
        this.limiter = limiter;
        this.methodOverrides = methodOverrides;
        this.reserved = reserved;
    }

    /** Tries a request. */
    @POST
    @NonBlocking
    @Operation(operationId = "tryRules", summary = "Returns which rules govern a request, and what would be answered; consumes nothing")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @RequestBody(required = true, content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = RuleTrialRequest.class), example = "{\"method\":\"GET\",\"path\":\"/campaigns\",\"headers\":{\"X-Tenant\":\"acme\"},\"remote_address\":\"203.0.113.9\"}"))
    @APIResponse(responseCode = "200", description = "Rules that govern the request, and the answer", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = RuleTrialResponse.class)))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> tryRules(byte[] json, @Context RoutingContext context) {
        return authorization.authorizeReader(context, () -> {
            var body = bodies.read(json, RuleTrialRequest.class);
            var request = RuleTrialRequest.requestOf(body);
            if (body.tier() != null) {
                Tier.check(body.tier(), policy.tiers());
            }
            return Uni.createFrom().<RuleTrialResponse>emitter(
                    emitter -> decide(request, body.tier(), emitter::complete, emitter::fail))
                    .map(result -> Response.ok(result, ErrorResponse.JSON).build());
        });
    }

    /** @param tier tier whose rates apply; null for that of the caller */
    private void decide(ForwardedRequest request, @Nullable String tier, Consumer<RuleTrialResponse> onResult,
            Consumer<Throwable> onFailure) {
        var match = policy.match(new ApiRequest(request.method(),
                methodOverrides.allowedMethods(request.headers(), request.query()), request::authority, request.path(),
                request.query(), request.headers(), () -> callers.address(request).identity(), true));
        if (Cors.isPreflight(request.method().toUpperCase(Locale.ROOT), request.headers())) {
            var address = withTier(callers.address(request), tier);
            decide(request, address, match.preflightRequests(address), onResult, onFailure);
        } else {
            callers.resolveAsGateway(request,
                    caller -> decide(request, withTier(caller, tier), match, onResult, onFailure),
                    failure -> onFailedCaller(failure, onResult, onFailure));
        }
    }

    private static Caller withTier(Caller caller, @Nullable String tier) {
        return tier == null ? caller : new Caller(caller.identity(), tier);
    }

    private void decide(ForwardedRequest request, Caller caller, RuleMatch match, Consumer<RuleTrialResponse> onResult,
            Consumer<Throwable> onFailure) {
        List<RateLimitRequest> requests;
        try {
            requests = match.requests(caller, true);
        } catch (InvalidCostException e) {
            onResult.accept(RuleTrialResponse.refused(ErrorResponse.invalidCost(e)));
            return;
        }
        decide(request, caller, requests, onResult, onFailure);
    }

    private void decide(ForwardedRequest request, Caller caller, List<RateLimitRequest> requests,
            Consumer<RuleTrialResponse> onResult, Consumer<Throwable> onFailure) {
        var queries = reserved.contains(request.path())
                ? List.<RateLimitRequest>of()
                : requests.stream().map(RuleTrialResource::unlabelled).toList();
        if (queries.isEmpty()) {
            onResult.accept(RuleTrialResponse.of(caller, queries,
                    Decision.uncounted(queries, DecisionMode.OFF, Instant.EPOCH), policy));
        } else {
            limiter.decideAll(queries, caller.identity().chain(), CallbackRateLimiter.Mode.TRY,
                    decision -> onResult.accept(RuleTrialResponse.of(caller, queries, decision, policy)), onFailure);
        }
    }

    /** Returns a request that is not counted among the decisions of its rule. */
    private static RateLimitRequest unlabelled(RateLimitRequest request) {
        return new RateLimitRequest(request.identifier(), request.tier(), RateLimitRequest.CUSTOM_LABEL, request.checks(),
                request.shadow());
    }

    private static void onFailedCaller(Throwable failure, Consumer<RuleTrialResponse> onResult, Consumer<Throwable> onFailure) {
        if (failure instanceof CredentialsRejectedException) {
            onResult.accept(RuleTrialResponse.refused(ErrorResponse.unauthorized(failure.getMessage())));
        } else if (failure instanceof KeysUnavailableException) {
            onResult.accept(RuleTrialResponse.refused(ErrorResponse.keysUnavailable()));
        } else if (failure instanceof StoreUnavailableException) {
            onResult.accept(RuleTrialResponse.refused(ErrorResponse.storeUnavailable()));
        } else {
            onFailure.accept(failure);
        }
    }
}
