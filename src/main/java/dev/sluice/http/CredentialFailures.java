package dev.sluice.http;

import java.util.List;
import java.util.Optional;

import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.policy.CallerResolver;
import dev.sluice.policy.CurrentPolicy;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Counts invalid credentials on the default rule of the client's address, to bound attempts at guessing them. */
@ApplicationScoped
public class CredentialFailures {

    private static final Logger LOG = Logger.getLogger(CredentialFailures.class);

    private final CallerResolver callers;
    private final CurrentPolicy policy;
    private final CallbackRateLimiter limiter;
    private final RateLimitHeaders headers;

    CredentialFailures(CallerResolver callers, CurrentPolicy policy, CallbackRateLimiter limiter, RateLimitHeaders headers) {
        this.callers = callers;
        this.policy = policy;
        this.limiter = limiter;
        this.headers = headers;
    }

    /**
     * Rejects a request with invalid credentials.
     *
     * @param request the request
     * @param failures number of invalid credentials
     * @param message message of the 401 response; must not repeat the credentials
     * @return the error to send: 401, 429 if the default rule is exceeded, or 503 if the store is unavailable
     */
    public Uni<ErrorResponse> reject(RoutingContext request, int failures, String message) {
        return decide(request, failures).map(decision -> {
            headers.write(request.response().headers(), decision);
            return decision.allowed() ? ErrorResponse.unauthorized(message) : ErrorResponse.rateLimitExceeded(decision);
        }).onFailure(StoreUnavailableException.class).recoverWithItem(CredentialFailures::storeUnavailable);
    }

    /**
     * Counts invalid credentials of a request that has valid ones too.
     *
     * @param request the request
     * @param failures number of invalid credentials
     * @return empty if they are counted; otherwise the error: 429 if the default rule is exceeded, whose headers are in the
     *         response, or 503 if the store is unavailable
     */
    public Uni<Optional<ErrorResponse>> count(RoutingContext request, int failures) {
        return decide(request, failures).map(decision -> {
            if (decision.allowed()) {
                return Optional.<ErrorResponse>empty();
            }
            headers.write(request.response().headers(), decision);
            return Optional.of(ErrorResponse.rateLimitExceeded(decision));
        }).onFailure(StoreUnavailableException.class).recoverWithItem(() -> Optional.of(storeUnavailable()));
    }

    private Uni<Decision> decide(RoutingContext request, int failures) {
        var caller = callers.resolveAddress(request);
        var check = policy.defaultRule().check(caller.tier(), 1);
        var attempt = new RateLimitRequest(caller.identity().identifier(), caller.tier(), check.resource(),
                List.of(new ResourceCheck(check.resource(), check.rate(), cost(check, failures))
                        .withFallback(check.fallback())));
        return Uni.createFrom().emitter(emitter -> limiter.check(attempt, emitter::complete, emitter::fail));
    }

    /** A cost above the limit would never fit, and so never count. */
    private static long cost(ResourceCheck check, int failures) {
        long cost = failures;
        for (var quota : check.rate().quotas()) {
            cost = Math.min(cost, quota.limit());
        }
        return cost;
    }

    private static ErrorResponse storeUnavailable() {
        LOG.debug("Invalid credentials could not be counted: store unavailable");
        return ErrorResponse.storeUnavailable();
    }
}
