package dev.sluice.http;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;

import dev.sluice.annotation.MethodLimits;
import dev.sluice.caller.CredentialsRejectedException;
import dev.sluice.limit.Decision;
import dev.sluice.limit.Demand;
import dev.sluice.limit.RateLimitRequest;
import dev.sluice.limit.RateLimiter;
import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.policy.Caller;
import dev.sluice.policy.Callers;
import dev.sluice.policy.Policy;
import dev.sluice.policy.Row;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** The way that every HTTP request walks: who, by which rates, decided at once, told in the headers. */
@ApplicationScoped
public class Turnstile {

    private static final Logger LOG = Logger.getLogger(Turnstile.class);

    private final Callers callers;
    private final Policy policy;
    private final RateLimiter limiter;

    Turnstile(Callers callers, Policy policy, RateLimiter limiter) {
        this.callers = callers;
        this.policy = policy;
        this.limiter = limiter;
    }

    /** Decides a request by the rows of its path. */
    public Uni<Admission> admit(RoutingContext request) {
        return admit(request, null, name -> "");
    }

    /**
     * Decides a request by the rows of its path and by a method's annotations.
     *
     * @param limits null for none
     * @param values finds what {@code {name}} of an annotation's key stands for
     */
    public Uni<Admission> admit(RoutingContext request, MethodLimits limits, UnaryOperator<String> values) {
        var rows = policy.govern(request.request().method().name(), request.request().path());
        return callers.of(request).chain(caller -> decide(request, caller, rows, limits, values))
                .onFailure(CredentialsRejectedException.class)
                .recoverWithUni(rejected -> reject(request, rejected.getMessage()))
                .onFailure(StoreUnavailableException.class)
                .recoverWithItem(() -> new Admission(null, ErrorAnswer.storeUnavailable()));
    }

    private Uni<Admission> decide(RoutingContext request, Caller caller, List<Row> rows, MethodLimits limits,
            UnaryOperator<String> values) {
        boolean annotated = limits != null && !limits.isEmpty();
        var demands = new ArrayList<Demand>(2);
        String label = null;
        for (var row : rows) {
            if (!annotated || !row.isDefault()) {
                demands.add(row.demand(caller.tier(), 1));
                label = label == null ? row.resource() : label;
            }
        }
        var identifier = caller.identity().identifier();
        var requests = annotated
                ? limits.requests(identifier, caller.tier(), label, demands, values)
                : demands.isEmpty()
                        ? List.<RateLimitRequest>of()
                        : List.of(new RateLimitRequest(identifier, caller.tier(), label, demands));
        if (requests.isEmpty()) {
            return Uni.createFrom().item(new Admission(caller, null));
        }
        return limiter.checkAll(requests).map(decision -> admission(request, caller, decision));
    }

    private static Admission admission(RoutingContext request, Caller caller, Decision decision) {
        RateLimitHeaders.write(request.response().headers(), decision);
        return new Admission(caller, decision.allowed() ? null : ErrorAnswer.exceeded(decision));
    }

    /**
     * What credentials that do not hold are answered: 401, and 429 from the rate on at which the address's default row is
     * used up by them.
     */
    public Uni<Admission> reject(RoutingContext request, String message) {
        var address = callers.address(request);
        var row = policy.defaultRow();
        var attempt = new RateLimitRequest(address.identity().identifier(), address.tier(), row.resource(),
                List.of(row.demand(address.tier(), 1)));
        return limiter.check(attempt).map(decision -> {
            var counted = admission(request, address, decision);
            return counted.refused() ? counted : new Admission(null, ErrorAnswer.unauthorized(message));
        }).onFailure(StoreUnavailableException.class).recoverWithItem(() -> {
            LOG.debug("A failed credential could not be counted");
            return new Admission(null, ErrorAnswer.storeUnavailable());
        });
    }
}
