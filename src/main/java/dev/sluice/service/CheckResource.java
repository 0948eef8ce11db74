package dev.sluice.service;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import dev.sluice.http.ErrorAnswer;
import dev.sluice.http.OwnDoor;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.limit.Decision;
import dev.sluice.limit.RateLimitRequest;
import dev.sluice.limit.RateLimiter;
import dev.sluice.policy.Policy;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** The decision endpoint. */
@OwnDoor
@Path("/v1/check")
@Consumes(MediaType.WILDCARD)
@Produces({ErrorAnswer.JSON, ErrorAnswer.PROBLEM, MediaType.WILDCARD})
public class CheckResource {

    private final RateLimiter limiter;
    private final Policy policy;
    private final Doors doors;

    CheckResource(RateLimiter limiter, Policy policy, Doors doors) {
        this.limiter = limiter;
        this.policy = policy;
        this.doors = doors;
    }

    /** Asks whether something may go ahead. */
    @POST
    @NonBlocking
    public Uni<Response> check(byte[] body, RoutingContext context) {
        return doors.decision(context, () -> {
            var request = CheckRequest.read(body, policy);
            if (doors.reserved(context, request.identifier())) {
                return Uni.createFrom().item(Answers.of(context, Doors.reservedAnswer()));
            }
            return limiter.check(request).map(decision -> answer(context, request, decision));
        });
    }

    private static Response answer(RoutingContext context, RateLimitRequest request, Decision decision) {
        RateLimitHeaders.write(context.response().headers(), decision);
        boolean asked = request.demands().get(0).cost() == 0;
        if (!decision.allowed() && !asked) {
            return Answers.of(context, ErrorAnswer.exceeded(decision));
        }
        var answer = new JsonObject().put("allowed", decision.allowed());
        decision.closest().ifPresentOrElse(quota -> answer.put("limit", quota.limit()).put("remaining", quota.remaining())
                .put("window_seconds", quota.window().isZero() ? null : quota.window().toSeconds())
                .put("reset_at", RateLimitHeaders.resetAt(quota)),
                () -> answer.putNull("limit").putNull("remaining").putNull("window_seconds").putNull("reset_at"));
        answer.put("retry_after", decision.allowed()
                ? Long.valueOf(0)
                : decision.retryAfter().map(ErrorAnswer::roundedUp).orElse(null));
        return Answers.ok(answer);
    }
}
