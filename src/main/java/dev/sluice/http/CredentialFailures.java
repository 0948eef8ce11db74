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
import dev.sluice.identity.RejectedCredential;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CallerResolver;
import dev.sluice.policy.CurrentPolicy;
import io.smallrye.mutiny.Uni;
import io.vertx.core.MultiMap;
import io.vertx.ext.web.RoutingContext;

/** Counts invalid credentials on the default rule of the client's address, to bound attempts at guessing them. */
@ApplicationScoped
public class CredentialFailures {

    private static final String TOO_MANY_FAILURES = "Rate limit exceeded: too many requests with invalid credentials from this"
            + " address";
    private static final Logger LOG = Logger.getLogger(CredentialFailures.class);

    private final CallerResolver callers;
    private final CurrentPolicy policy;
    private final CallbackRateLimiter limiter;
    private final RateLimitHeaders headers;
    private final CredentialMetrics metrics;

    CredentialFailures(CallerResolver callers, CurrentPolicy policy, CallbackRateLimiter limiter, RateLimitHeaders headers,
            CredentialMetrics metrics) {
        this.metrics = metrics;
        this.callers = callers;
        this.policy = policy;
        this.limiter = limiter;
        this.headers = headers;
    }

    /**
     * Rejects a request with invalid credentials.
     *
     * @param request the request
     * @param credential what was rejected, for the metric
     * @param failures number of invalid credentials
     * @param message message of the 401 response; must not repeat the credentials
     * @return the error to send: 401, 429 if the default rule is exceeded, or 503 if the store is unavailable
     */
    public Uni<ErrorResponse> reject(RoutingContext request, RejectedCredential credential, int failures, String message) {
        return reject(callers.resolveAddress(request), request.response().headers(), credential, failures, message);
    }

    /**
     * Rejects a request with invalid credentials.
     *
     * @param address address of the client, as a caller
     * @param responseHeaders headers to which the decision is written
     * @param credential what was rejected, for the metric
     * @param failures number of invalid credentials
     * @param message message of the 401 response; must not repeat the credentials
     * @return the error to send: 401, 429 if the default rule is exceeded, or 503 if the store is unavailable
     */
    public Uni<ErrorResponse> reject(Caller address, MultiMap responseHeaders, RejectedCredential credential, int failures,
            String message) {
        return decide(address, credential, failures).map(decision -> {
            headers.write(responseHeaders, decision);
            return decision.allowed()
                    ? ErrorResponse.unauthorized(message)
                    : ErrorResponse.rateLimitExceeded(decision, TOO_MANY_FAILURES);
        }).onFailure(StoreUnavailableException.class).recoverWithItem(CredentialFailures::storeUnavailable);
    }

    /**
     * Counts invalid credentials of a request that has valid ones too.
     *
     * @param request the request
     * @param credential what was rejected, for the metric
     * @param failures number of invalid credentials
     * @return empty if they are counted; otherwise the error: 429 if the default rule is exceeded, whose headers are in the
     *         response, or 503 if the store is unavailable
     */
    public Uni<Optional<ErrorResponse>> count(RoutingContext request, RejectedCredential credential, int failures) {
        return decide(callers.resolveAddress(request), credential, failures).map(decision -> {
            if (decision.allowed()) {
                return Optional.<ErrorResponse>empty();
            }
            headers.write(request.response().headers(), decision);
            return Optional.of(ErrorResponse.rateLimitExceeded(decision));
        }).onFailure(StoreUnavailableException.class).recoverWithItem(() -> Optional.of(storeUnavailable()));
    }

    /**
     * Rejects a request whose token cannot be verified at the moment. It does not count against the client's address: the token
     * may be valid.
     *
     * @param request the request; its response gets {@code Retry-After}
     * @return the error to send, 503
     */
    public ErrorResponse keysUnavailable(RoutingContext request) {
        return keysUnavailable(request.response().headers());
    }

    /**
     * Rejects a request whose token cannot be verified at the moment.
     *
     * @param responseHeaders headers of the response, which get {@code Retry-After}
     * @return the error to send, 503
     */
    public ErrorResponse keysUnavailable(MultiMap responseHeaders) {
        countRejected(RejectedCredential.JWT_KEYS_UNAVAILABLE);
        responseHeaders.set(RateLimitHeaders.RETRY_AFTER, "1");
        return ErrorResponse.keysUnavailable();
    }

    /** Counts a rejected credential in the metric only. */
    public void countRejected(RejectedCredential credential) {
        metrics.count(credential, 1);
    }

    private Uni<Decision> decide(Caller caller, RejectedCredential credential, int failures) {
        metrics.count(credential, failures);
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
