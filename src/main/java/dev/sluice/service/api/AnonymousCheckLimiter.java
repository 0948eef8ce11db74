package dev.sluice.service.api;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.api.Quota;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.config.ConfigProblems;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CallerResolver;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.gateway.ApiUpstream;
import io.vertx.ext.web.RoutingContext;

/**
 * Limits requests to the decision endpoints that carry no token. Beside an upstream they are rejected, unless a setting permits
 * them: the clients of the gateway are not those of the decision API. Otherwise each counts against the address of its client.
 */
@ApplicationScoped
public class AnonymousCheckLimiter {

    /** Resource on which the requests of an address are counted. */
    static final String RESOURCE = "api:check";

    private static final Logger LOG = Logger.getLogger(AnonymousCheckLimiter.class);
    private static final String RATE_PROPERTY = "rate-limit.check.rate";
    private static final String WINDOW_PROPERTY = "rate-limit.check.max-total-window";
    private static final Duration LONGEST_TOTAL_WINDOW = Quota.MAX_WINDOW.multipliedBy(Rate.MAX_QUOTAS);
    private static final ErrorResponse CLOSED = ErrorResponse.of(403, "RATE_4031",
            "Requests without a token are not served here, because there is an upstream or rate-limit.check.open=false: set"
                    + " RATE_LIMIT_API_TOKEN and send it as Authorization: Bearer ..., or set rate-limit.check.open=true");

    private static final String EXCEEDED = "Rate limit exceeded: requests without the API token are limited by address ("
            + RATE_PROPERTY + ')';

    private final ServiceConfig.Check settings;
    private final boolean upstream;
    private final boolean open;
    private final Rate rate;
    /** Why the rate cannot be read; null if it can. */
    private final String rateProblem;
    private final List<ResourceCheck> checks;
    private final CallerResolver callers;
    private final CallbackRateLimiter limiter;
    private final RateLimitHeaders headers;

    AnonymousCheckLimiter(ServiceConfig settings, ApiUpstream upstream, CallerResolver callers, CallbackRateLimiter limiter,
            RateLimitHeaders headers) {
        this.settings = settings.check();
        this.upstream = upstream.url().isPresent();
        this.open = this.settings.open().orElse(!this.upstream);
        Rate parsed = Rate.BLOCKED; // if it cannot be read, Sluice does not start
        String problem = null;
        try {
            parsed = Rate.parse(this.settings.rate());
        } catch (IllegalArgumentException e) {
            problem = e.getMessage();
        }
        this.rate = parsed;
        this.rateProblem = problem;
        this.checks = List.of(new ResourceCheck(RESOURCE, parsed, 1));
        this.callers = callers;
        this.limiter = limiter;
        this.headers = headers;
    }

    void validate(@Observes ConfigProblems problems) {
        if (rateProblem != null) {
            problems.add(RATE_PROPERTY, settings.rate(), rateProblem + "; allowed: " + Rate.SYNTAX);
        }
        var window = settings.maxTotalWindow();
        if (window.compareTo(Duration.ofSeconds(1)) < 0 || window.compareTo(LONGEST_TOTAL_WINDOW) > 0) {
            problems.add(WINDOW_PROPERTY, window.toString(),
                    "a duration from 1s to " + LONGEST_TOTAL_WINDOW.toDays() + "d, such as 35d");
        }
    }

    /** Returns which requests without a token are served and which settings change that, for the log. */
    public String describe() {
        if (open) {
            return "open without a token, at " + rate + " for each address"
                    + " (RATE_LIMIT_CHECK_RATE, RATE_LIMIT_CHECK_OPEN=false or RATE_LIMIT_API_TOKEN)";
        }
        return upstream && settings.open().isEmpty()
                ? "closed without a token because there is an upstream (RATE_LIMIT_API_TOKEN, or RATE_LIMIT_CHECK_OPEN=true)"
                : "closed without a token by RATE_LIMIT_CHECK_OPEN=false (true, or RATE_LIMIT_API_TOKEN)";
    }

    /**
     * Counts a request. Exactly one callback is called, once, possibly before this method returns, on the event loop of the
     * request.
     *
     * @param onAdmitted continues with the request
     * @param onRejected receives the error to send: 403 if the endpoints are closed, 429 if the rate is exceeded, or 503 if the
     *        store is unavailable; the headers of the response have been written
     */
    void admit(RoutingContext request, Runnable onAdmitted, Consumer<ErrorResponse> onRejected) {
        if (!open) {
            onRejected.accept(CLOSED);
            return;
        }
        if (rate == Rate.UNLIMITED) {
            onAdmitted.run();
            return;
        }
        var caller = addressOf(request);
        limiter.check(new RateLimitRequest(caller.identity().identifier(), caller.tier(), RESOURCE, checks), decision -> {
            if (decision.denied()) { // in a dry run too
                headers.write(request.response().headers(), decision);
            }
            if (decision.allowed()) {
                proceed(onAdmitted, onRejected);
            } else {
                onRejected.accept(ErrorResponse.rateLimitExceeded(decision, EXCEEDED));
            }
        }, failure -> {
            if (failure instanceof StoreUnavailableException) {
                onRejected.accept(ErrorResponse.storeUnavailable());
            } else {
                LOG.error("Failed to count a request without a token", failure);
                onRejected.accept(ServiceErrors.forStatus(500));
            }
        });
    }

    /** Returns the client's address as a caller. */
    Caller addressOf(RoutingContext request) {
        return callers.resolveAddress(request);
    }

    /** The limiter's callbacks must not throw. */
    private static void proceed(Runnable onAdmitted, Consumer<ErrorResponse> onRejected) {
        try {
            onAdmitted.run();
        } catch (RuntimeException e) {
            LOG.error("Request without a token failed", e);
            onRejected.accept(ServiceErrors.forStatus(500));
        }
    }

    /**
     * Validates a rate that a request without a token names itself: its windows remain in Redis for twice their lengths.
     *
     * @param field field that names the rate
     * @throws BadRequestException if its windows are too long in total
     */
    void validateWindows(Rate requested, String field) {
        var total = Duration.ZERO;
        for (var quota : requested.quotas()) {
            total = total.plus(quota.window());
        }
        if (total.compareTo(settings.maxTotalWindow()) > 0) {
            throw BadRequestException.forField(field, "The windows of one request without the API token may last "
                    + settings.maxTotalWindow().toSeconds() + " seconds in total (" + WINDOW_PROPERTY + ')');
        }
    }
}
