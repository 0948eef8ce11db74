package dev.sluice.http;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import dev.sluice.api.ResourceCheck;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.identity.CredentialsRejectedException;
import dev.sluice.interceptor.MethodLimits;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CallerResolver;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.LimitRule;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** The way that every HTTP request walks: who, by which rates, decided at once, told in the headers. */
@ApplicationScoped
public class RequestRateLimiter {

    private static final Logger LOG = Logger.getLogger(RequestRateLimiter.class);

    private final CallerResolver callers;
    private final CurrentPolicy policy;
    private final RateLimiter limiter;
    private final RateLimitHeaders headers;

    RequestRateLimiter(CallerResolver callers, CurrentPolicy policy, RateLimiter limiter, RateLimitHeaders headers) {
        this.callers = callers;
        this.policy = policy;
        this.limiter = limiter;
        this.headers = headers;
    }

    /** Decides a request by the rows of its path. */
    public void admit(RoutingContext request, Consumer<AdmissionResult> admitted, Consumer<Throwable> failed) {
        admit(request, null, name -> "", admitted, failed);
    }

    /**
     * Decides a request by the rows of its path and by a method's annotations.
     *
     * @param limits null for none
     * @param values finds what {@code {name}} of an annotation's key stands for
     * @param admitted hears what became of it, perhaps before this returns
     */
    public void admit(RoutingContext request, MethodLimits limits, UnaryOperator<String> values,
            Consumer<AdmissionResult> admitted,
            Consumer<Throwable> failed) {
        var question = new Question(request, limits, values, admitted, failed,
                policy.rulesFor(request.request().method().name(), request.request().path()));
        Caller caller;
        try {
            caller = callers.resolveNow(request);
        } catch (CredentialsRejectedException rejected) {
            question.refused(rejected);
            return;
        }
        if (caller != null) {
            question.ask(caller);
        } else {
            callers.resolve(request).subscribe().with(question::ask, question::refused);
        }
    }

    /** One request that stands at the turnstile. */
    private final class Question {

        private final RoutingContext request;
        private final MethodLimits limits;
        private final UnaryOperator<String> values;
        private final Consumer<AdmissionResult> admitted;
        private final Consumer<Throwable> failed;
        private final List<LimitRule> rows;

        Question(RoutingContext request, MethodLimits limits, UnaryOperator<String> values, Consumer<AdmissionResult> admitted,
                Consumer<Throwable> failed, List<LimitRule> rows) {
            this.request = request;
            this.limits = limits;
            this.values = values;
            this.admitted = admitted;
            this.failed = failed;
            this.rows = rows;
        }

        void ask(Caller caller) {
            List<RateLimitRequest> requests;
            try {
                requests = requests(caller, rows, limits, values);
            } catch (RuntimeException e) {
                failed.accept(e);
                return;
            }
            if (requests.isEmpty()) {
                admitted.accept(new AdmissionResult(caller, null));
            } else {
                limiter.checkAll(requests, decision -> decided(caller, decision), this::refused);
            }
        }

        private void decided(Caller caller, Decision decision) {
            AdmissionResult admission;
            try {
                admission = admission(request, caller, decision);
            } catch (RuntimeException e) {
                failed.accept(e);
                return;
            }
            admitted.accept(admission);
        }

        void refused(Throwable cause) {
            if (cause instanceof CredentialsRejectedException) {
                rejectCredentials(request, cause.getMessage()).subscribe().with(admitted, failed);
            } else if (cause instanceof StoreUnavailableException) {
                admitted.accept(new AdmissionResult(null, ErrorResponse.storeUnavailable()));
            } else {
                failed.accept(cause);
            }
        }
    }

    private static List<RateLimitRequest> requests(Caller caller, List<LimitRule> rows, MethodLimits limits,
            UnaryOperator<String> values) {
        boolean annotated = limits != null && !limits.isEmpty();
        var identifier = caller.identity().identifier();
        if (!annotated && rows.size() == 1) {
            var row = rows.get(0);
            return List.of(new RateLimitRequest(identifier, caller.tier(), row.resource(), row.singleUnitChecks(caller.tier())));
        }
        var demands = new ArrayList<ResourceCheck>(2);
        String label = null;
        for (var row : rows) {
            if (!annotated || !row.isDefault()) {
                demands.add(row.check(caller.tier(), 1));
                label = label == null ? row.resource() : label;
            }
        }
        if (annotated) {
            return limits.requests(identifier, caller.tier(), label, demands, values);
        }
        return demands.isEmpty() ? List.of() : List.of(new RateLimitRequest(identifier, caller.tier(), label, demands));
    }

    private AdmissionResult admission(RoutingContext request, Caller caller, Decision decision) {
        headers.write(request.response().headers(), decision);
        return new AdmissionResult(caller, decision.allowed() ? null : ErrorResponse.rateLimitExceeded(decision));
    }

    /**
     * What credentials that do not hold are answered: 401, and 429 from the rate on at which the address's default row is
     * used up by them.
     */
    public Uni<AdmissionResult> rejectCredentials(RoutingContext request, String message) {
        var address = callers.resolveAddress(request);
        var row = policy.defaultRule();
        var attempt = new RateLimitRequest(address.identity().identifier(), address.tier(), row.resource(),
                List.of(row.check(address.tier(), 1)));
        return limiter.check(attempt).map(decision -> {
            var counted = admission(request, address, decision);
            return counted.isDenied() ? counted : new AdmissionResult(null, ErrorResponse.unauthorized(message));
        }).onFailure(StoreUnavailableException.class).recoverWithItem(() -> {
            LOG.debug("A failed credential could not be counted");
            return new AdmissionResult(null, ErrorResponse.storeUnavailable());
        });
    }
}
