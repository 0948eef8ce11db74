package dev.sluice.http;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.identity.CredentialsRejectedException;
import dev.sluice.identity.KeysUnavailableException;
import dev.sluice.identity.RejectedCredential;
import dev.sluice.identity.RejectedCredentialException;
import dev.sluice.interceptor.MethodLimits;
import dev.sluice.policy.ApiRequest;
import dev.sluice.policy.AwaitedUnits;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CallerResolver;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.RuleMatch;
import dev.sluice.policy.cost.InvalidCostException;
import dev.sluice.settlement.SettlementQueue;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/**
 * Admits HTTP requests: resolves the caller, selects the rules and annotations that apply, decides them atomically and writes
 * the decision to the response headers. A request that is admitted holds its slots of limits of requests in flight until it ends.
 */
@ApplicationScoped
public class RequestRateLimiter {

    private static final AdmissionResult NOT_LIMITED = new AdmissionResult(null, null);

    private final CallerResolver callers;
    private final CurrentPolicy policy;
    private final CallbackRateLimiter limiter;
    private final RateLimitHeaders headers;
    private final CredentialFailures credentialFailures;
    private final SettlementQueue settlements;

    RequestRateLimiter(CallerResolver callers, CurrentPolicy policy, CallbackRateLimiter limiter, RateLimitHeaders headers,
            CredentialFailures credentialFailures, SettlementQueue settlements) {
        this.settlements = settlements;
        this.credentialFailures = credentialFailures;
        this.callers = callers;
        this.policy = policy;
        this.limiter = limiter;
        this.headers = headers;
    }

    /**
     * Admits a request by the rules of its path.
     *
     * @param request the request
     * @param methods methods whose rules hold too
     * @param onResult receives the result, possibly before this method returns
     * @param onFailure receives the failure instead of a result
     */
    public void admit(RoutingContext request, List<String> methods, Consumer<AdmissionResult> onResult,
            Consumer<Throwable> onFailure) {
        admit(new PendingAdmission(request, match(request, methods), null, name -> "", onResult, onFailure));
    }

    /**
     * Admits a CORS preflight by the rules of its path, for the address of the client in the first tier. Browsers send
     * preflights without credentials; if there are any, they are not checked.
     *
     * @param request the request
     * @param methods methods whose rules hold too
     * @param onResult receives the result, possibly before this method returns
     * @param onFailure receives the failure instead of a result
     */
    public void admitPreflight(RoutingContext request, List<String> methods, Consumer<AdmissionResult> onResult,
            Consumer<Throwable> onFailure) {
        var match = match(request, methods);
        var address = callers.resolveAddress(request);
        new PendingAdmission(request, match, null, name -> "", onResult, onFailure)
                .decide(address, match.preflightRequests(address));
    }

    /**
     * Admits a request by the rules of its path and the annotations of a method. A request that nothing limits is admitted
     * without resolving its caller: its credentials are the application's concern.
     *
     * @param request the request
     * @param limits annotations of the method
     * @param placeholders resolves the placeholders of an annotation's key
     * @param onResult receives the result, possibly before this method returns
     * @param onFailure receives the failure instead of a result
     */
    public void admit(RoutingContext request, MethodLimits limits, UnaryOperator<String> placeholders,
            Consumer<AdmissionResult> onResult,
            Consumer<Throwable> onFailure) {
        var match = match(request, List.of());
        if (limits.isEmpty() && match.isUnlimited()) {
            onResult.accept(NOT_LIMITED);
        } else {
            admit(new PendingAdmission(request, match, limits, placeholders, onResult, onFailure));
        }
    }

    private RuleMatch match(RoutingContext context, List<String> methods) {
        var request = context.request();
        return policy.match(new ApiRequest(request.method().name(), methods, () -> RequestAuthority.of(request), request.path(),
                request.query(), request.headers(),
                () -> callers.resolveAddress(context).identity(), true));
    }

    private void admit(PendingAdmission pending) {
        Caller caller;
        try {
            caller = callers.resolveNow(pending.request);
        } catch (CredentialsRejectedException rejected) {
            pending.fail(rejected);
            return;
        }
        if (caller != null) {
            pending.decide(caller);
        } else {
            callers.resolve(pending.request).subscribe().with(pending::decide, pending::fail);
        }
    }

    /** State of the admission of one request. */
    private final class PendingAdmission {

        private final RoutingContext request;
        private final RuleMatch match;
        private final MethodLimits limits;
        private final UnaryOperator<String> placeholders;
        private final Consumer<AdmissionResult> onResult;
        private final Consumer<Throwable> onFailure;

        /** @param limits annotations of the method; null if there is none */
        PendingAdmission(RoutingContext request, RuleMatch match, MethodLimits limits, UnaryOperator<String> placeholders,
                Consumer<AdmissionResult> onResult, Consumer<Throwable> onFailure) {
            this.request = request;
            this.match = match;
            this.limits = limits;
            this.placeholders = placeholders;
            this.onResult = onResult;
            this.onFailure = onFailure;
        }

        void decide(Caller caller) {
            List<RateLimitRequest> requests;
            try {
                requests = requests(caller);
            } catch (InvalidCostException e) {
                onResult.accept(new AdmissionResult(caller, ErrorResponse.invalidCost(e)));
                return;
            } catch (RuntimeException e) {
                onFailure.accept(e);
                return;
            }
            decide(caller, requests);
        }

        void decide(Caller caller, List<RateLimitRequest> requests) {
            if (requests.isEmpty()) {
                onResult.accept(new AdmissionResult(caller, null));
            } else {
                limiter.checkAll(requests, caller.identity().chain(), decision -> complete(caller, requests, decision),
                        this::fail);
            }
        }

        private List<RateLimitRequest> requests(Caller caller) {
            var annotated = limits == null || limits.isEmpty()
                    ? List.<RateLimitRequest>of()
                    : limits.requests(match.keySource(caller, placeholders), caller.tier(), placeholders);
            if (annotated.isEmpty()) {
                return match.requests(caller, true);
            }
            var requests = new ArrayList<>(match.requests(caller, false));
            requests.addAll(annotated);
            return requests;
        }

        private void complete(Caller caller, List<RateLimitRequest> requests, Decision decision) {
            AdmissionResult result;
            try {
                RequestSlot.hold(request, decision.slot());
                var awaited = decision.allowed() ? match.awaited(requests) : List.<AwaitedUnits>of();
                result = awaited.isEmpty()
                        ? writeDecision(request, caller, decision)
                        : awaitAnswer(request, caller, decision, awaited);
            } catch (RuntimeException e) {
                decision.slot().release();
                onFailure.accept(e);
                return;
            }
            onResult.accept(result);
        }

        void fail(Throwable cause) {
            if (cause instanceof CredentialsRejectedException) {
                rejectCredentials(request, RejectedCredentialException.credentialOf(cause), cause.getMessage()).subscribe()
                        .with(onResult,
                                onFailure);
            } else if (cause instanceof KeysUnavailableException) {
                onResult.accept(new AdmissionResult(null, credentialFailures.keysUnavailable(request)));
            } else if (cause instanceof StoreUnavailableException) {
                onResult.accept(new AdmissionResult(null, ErrorResponse.storeUnavailable()));
            } else {
                onFailure.accept(cause);
            }
        }
    }

    /** Admits a request whose units depend on its answer. The headers tell what was left before the request. */
    private AdmissionResult awaitAnswer(RoutingContext request, Caller caller, Decision decision, List<AwaitedUnits> awaited) {
        headers.write(request.response().headers(), AwaitedUnits.withoutCounted(decision, awaited));
        var answer = new PendingAnswer(awaited, decision.reservation().orElse(null), caller.identity().chain(),
                settlements);
        answer.observe(request);
        return new AdmissionResult(caller, null, answer);
    }

    private AdmissionResult writeDecision(RoutingContext request, Caller caller, Decision decision) {
        headers.write(request.response().headers(), decision);
        return new AdmissionResult(caller, decision.allowed() ? null : ErrorResponse.rateLimitExceeded(decision));
    }

    /**
     * Rejects a request with invalid credentials. Each such request counts on the default rule of the client's address, to
     * bound attempts at guessing credentials.
     *
     * @param request the request
     * @param credential what is rejected, for the metric
     * @param message message of the 401 response; must not repeat the credentials
     * @return a result with the error to send: 401, 429 if the default rule is exceeded, or 503 if the store is unavailable
     */
    public Uni<AdmissionResult> rejectCredentials(RoutingContext request, RejectedCredential credential, String message) {
        return credentialFailures.reject(request, credential, 1, message).map(error -> new AdmissionResult(null, error));
    }
}
