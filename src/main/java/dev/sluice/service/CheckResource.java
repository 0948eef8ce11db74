package dev.sluice.service;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.headers.Header;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.ExampleObject;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;

import dev.sluice.http.ErrorAnswer;
import dev.sluice.http.OwnDoor;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.limit.Decision;
import dev.sluice.limit.RateLimitRequest;
import dev.sluice.limit.RateLimiter;
import dev.sluice.llm.LlmRows;
import dev.sluice.policy.Policy;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** The decision endpoint. */
@OwnDoor
@Path("/v1/check")
@Consumes(MediaType.WILDCARD)
@Produces({ErrorAnswer.JSON, ErrorAnswer.PROBLEM, MediaType.WILDCARD})
public class CheckResource {

    private final RateLimiter limiter;
    private final Policy policy;
    private final LlmRows llmRows;
    private final Doors doors;

    CheckResource(RateLimiter limiter, Policy policy, LlmRows llmRows, Doors doors) {
        this.limiter = limiter;
        this.policy = policy;
        this.llmRows = llmRows;
        this.doors = doors;
    }

    /** Asks whether something may go ahead. */
    @POST
    @NonBlocking
    @Operation(operationId = "check", summary = "Asks whether something may go ahead, and counts it if so")
    @SecurityRequirement(name = ApiDocument.TOKEN)
    @RequestBody(required = true, content = @Content(mediaType = ErrorAnswer.JSON, schema = @Schema(implementation = ApiDocument.Check.class), examples = {
            @ExampleObject(name = "own rate", value = "{\"identifier\":\"user123\",\"resource\":\"custom_operation\",\"limit\":10,\"window_seconds\":60,\"cost\":1}"),
            @ExampleObject(name = "several rates", value = "{\"identifier\":\"user123\",\"resource\":\"custom_operation\",\"rate\":\"10/second;100/minute\"}"),
            @ExampleObject(name = "configured row", value = "{\"identifier\":\"user123\",\"resource\":\"api:/campaigns\",\"tier\":\"pro\"}")}))
    @APIResponse(responseCode = "200", description = "It may; or with a cost of 0, whether it might", headers = {
            @Header(ref = "X-RateLimit-Limit", name = "X-RateLimit-Limit"),
            @Header(ref = "X-RateLimit-Remaining", name = "X-RateLimit-Remaining"),
            @Header(ref = "X-RateLimit-Reset", name = "X-RateLimit-Reset")}, content = @Content(mediaType = ErrorAnswer.JSON, schema = @Schema(implementation = ApiDocument.Checked.class), example = "{\"allowed\":true,\"limit\":10,\"remaining\":9,\"window_seconds\":60,\"reset_at\":1701234567,\"retry_after\":0}"))
    @APIResponse(responseCode = "400", ref = ApiDocument.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = ApiDocument.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = ApiDocument.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = ApiDocument.TOO_MANY)
    @APIResponse(responseCode = "503", ref = ApiDocument.UNAVAILABLE)
    public Uni<Response> check(byte[] body, @Context RoutingContext context) {
        return doors.decision(context, () -> {
            var request = CheckRequest.read(body, policy, llmRows);
            if (doors.reserved(context, request.identifier())) {
                return Uni.createFrom().item(Doors.reservedAnswer().response(context));
            }
            return limiter.check(request).map(decision -> answer(context, request, decision));
        });
    }

    private static Response answer(RoutingContext context, RateLimitRequest request, Decision decision) {
        RateLimitHeaders.write(context.response().headers(), decision);
        boolean asked = request.demands().get(0).cost() == 0;
        return decision.allowed() || asked
                ? Response.ok(DecisionBody.of(decision).encode(), ErrorAnswer.JSON).build()
                : ErrorAnswer.exceeded(decision).response(context);
    }
}
