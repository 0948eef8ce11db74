package dev.sluice.service.authz;

import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.http.AdmissionResult;
import dev.sluice.http.CredentialFailures;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.identity.CredentialsRejectedException;
import dev.sluice.identity.KeysUnavailableException;
import dev.sluice.identity.RejectedCredentialException;
import dev.sluice.policy.ApiRequest;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.RuleMatch;
import dev.sluice.policy.cost.InvalidCostException;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.gateway.MethodOverrides;
import io.vertx.core.MultiMap;

/**
 * Admits requests that a proxy forwards or describes, by the rules, callers and tiers of the gateway. The protocols by which
 * proxies ask (forward authentication, ext_authz) only map their messages to {@link ForwardedRequest} and from
 * {@link AdmissionResult}.
 */
@ApplicationScoped
public class ForwardedRequestLimiter {

    private static final Logger LOG = Logger.getLogger(ForwardedRequestLimiter.class);

    private final ForwardedCallers callers;
    private final CurrentPolicy policy;
    private final CallbackRateLimiter limiter;
    private final RateLimitHeaders headers;
    private final CredentialFailures credentialFailures;

    ForwardedRequestLimiter(ForwardedCallers callers, CurrentPolicy policy, CallbackRateLimiter limiter,
            RateLimitHeaders headers, CredentialFailures credentialFailures) {
        this.callers = callers;
        this.policy = policy;
        this.limiter = limiter;
        this.headers = headers;
        this.credentialFailures = credentialFailures;
    }

    /**
     * Admits a request. Call it on an event loop; the callback is called once, possibly before this method returns.
     *
     * @param request the request
     * @param responseHeaders receives the rate-limit headers and {@code Retry-After}, before the result
     * @param onResult receives the caller and the error to send: 400 if the cost is invalid, 401 if the credentials are, 429 if the rate is exceeded,
     *        503 if the store or the keys of JWTs are unavailable, 500 if the decision fails; null if the request is allowed
     */
    public void admit(ForwardedRequest request, MultiMap responseHeaders, Consumer<AdmissionResult> onResult) {
        new Admission(request, responseHeaders, onResult).begin();
    }

    private RuleMatch match(ForwardedRequest forwarded) {
        var request = new ApiRequest(forwarded.method(), MethodOverrides.methods(forwarded.headers(), forwarded.query()),
                forwarded::authority, forwarded.path(), forwarded.query(), forwarded.fields(),
                () -> callers.address(forwarded).identity(), false);
        return forwarded.rule() == null ? policy.match(request) : policy.match(request, forwarded.rule());
    }

    /** State of the admission of one request. */
    private final class Admission {

        private final ForwardedRequest request;
        private final MultiMap responseHeaders;
        private final Consumer<AdmissionResult> onResult;

        Admission(ForwardedRequest request, MultiMap responseHeaders, Consumer<AdmissionResult> onResult) {
            this.request = request;
            this.responseHeaders = responseHeaders;
            this.onResult = onResult;
        }

        void begin() {
            if (Cors.isPreflight(request.method().toUpperCase(Locale.ROOT), request.headers())) {
                var address = callers.address(request);
                decide(address, match(request).preflightRequests(address));
            } else {
                callers.resolve(request, this::decide, this::fail);
            }
        }

        private void decide(Caller caller) {
            List<RateLimitRequest> requests;
            try {
                requests = match(request).requests(caller, true);
            } catch (InvalidCostException e) {
                onResult.accept(new AdmissionResult(caller, ErrorResponse.invalidCost(e)));
                return;
            }
            decide(caller, requests);
        }

        private void decide(Caller caller, List<RateLimitRequest> matching) {
            var requests = RuleMatch.withoutConcurrency(matching); // a proxy does not tell when the request ends
            if (requests.isEmpty()) {
                onResult.accept(new AdmissionResult(caller, null));
                return;
            }
            // rules that count by the answer, which is not known here, only ask whether a unit is left
            limiter.decideAll(requests, caller.identity().chain(), CallbackRateLimiter.Mode.ASK, decision -> {
                headers.write(responseHeaders, decision);
                onResult.accept(
                        new AdmissionResult(caller, decision.allowed() ? null : ErrorResponse.rateLimitExceeded(decision)));
            }, this::fail);
        }

        private void fail(Throwable failure) {
            if (failure instanceof CredentialsRejectedException) {
                credentialFailures
                        .reject(callers.address(request), responseHeaders, RejectedCredentialException.credentialOf(failure), 1,
                                failure.getMessage())
                        .subscribe().with(this::reject, this::failUnexpectedly);
            } else if (failure instanceof KeysUnavailableException) {
                reject(credentialFailures.keysUnavailable(responseHeaders));
            } else if (failure instanceof StoreUnavailableException) {
                reject(ErrorResponse.storeUnavailable());
            } else {
                failUnexpectedly(failure);
            }
        }

        private void failUnexpectedly(Throwable failure) {
            LOG.error("Decision on a forwarded request failed", failure);
            reject(ServiceErrors.forStatus(500));
        }

        private void reject(ErrorResponse error) {
            onResult.accept(new AdmissionResult(null, error));
        }
    }
}
