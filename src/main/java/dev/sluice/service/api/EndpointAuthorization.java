package dev.sluice.service.api;

import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.Response;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestRateLimiter;
import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.identity.Sha256;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.ServiceErrors;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Who may use Sluice's own doors. */
@ApplicationScoped
public class EndpointAuthorization {

    private static final Logger LOG = Logger.getLogger(EndpointAuthorization.class);
    private static final String BEARER = "bearer ";
    private static final String WRONG = "The token or key does not verify";
    private static final ErrorResponse TOKEN_MISSING = ErrorResponse
            .unauthorized("This endpoint asks for the API token: Authorization: Bearer ...");
    private static final ErrorResponse RESERVED = new ErrorResponse(403, "RATE_4031",
            "Identifiers that begin with user: or ip: ask"
                    + " for the API token: set RATE_LIMIT_API_TOKEN and send it",
            new JsonObject().put("field", "identifier"),
            JsonObject::new);

    /** What a request has shown. */
    private enum Shown {
        NOTHING, API_TOKEN, ADMIN_TOKEN, WRONG
    }

    private final Optional<String> adminToken;
    private final Optional<String> apiToken;
    private final ApiKeyRegistry apiKeys;
    private final RequestRateLimiter turnstile;

    EndpointAuthorization(ServiceConfig settings, ApiKeyRegistry apiKeys, RequestRateLimiter turnstile) {
        this.adminToken = settings.adminToken().filter(token -> !token.isBlank()).map(String::strip);
        this.apiToken = settings.apiToken().filter(token -> !token.isBlank()).map(String::strip);
        this.apiKeys = apiKeys;
        this.turnstile = turnstile;
    }

    public boolean adminOpen() {
        return adminToken.isPresent();
    }

    public boolean apiTokenAsked() {
        return apiToken.isPresent();
    }

    /** Answers with the endpoint where the admin token is shown. */
    Uni<Response> admin(RoutingContext request, Supplier<Uni<Response>> endpoint) {
        var shown = adminToken.isEmpty() ? Shown.NOTHING : shown(request);
        if (shown == Shown.WRONG) {
            return refuse(request);
        }
        if (shown == Shown.ADMIN_TOKEN) {
            return answer(request, endpoint);
        }
        var closed = ErrorResponse.of(403, "RATE_4031", adminToken.isPresent()
                ? "This endpoint asks for the admin token: Authorization: Bearer ..."
                : "The admin endpoints are closed: set RATE_LIMIT_ADMIN_TOKEN to open them");
        return Uni.createFrom().item(closed.response(request));
    }

    /**
     * Decides whether a request may use a decision endpoint, and hands on to one of both, at once where no token was shown in
     * vain.
     */
    void decision(RoutingContext request, Consumer<RoutingContext> endpoint,
            BiConsumer<RoutingContext, ErrorResponse> refused) {
        var shown = shown(request);
        if (shown == Shown.WRONG) {
            turnstile.reject(request, WRONG).subscribe().with(admission -> refused.accept(request, admission.refusal()),
                    failure -> {
                        LOG.error("A wrong token could not be counted", failure);
                        refused.accept(request, ServiceErrors.answer(500));
                    });
        } else if (shown == Shown.NOTHING && apiToken.isPresent()) {
            refused.accept(request, TOKEN_MISSING);
        } else {
            endpoint.accept(request);
        }
    }

    /** Answers with the endpoint where the API token is shown, or is not asked for. */
    Uni<Response> decision(RoutingContext request, Supplier<Uni<Response>> endpoint) {
        var shown = shown(request);
        if (shown == Shown.WRONG) {
            return refuse(request);
        }
        if (shown == Shown.NOTHING && apiToken.isPresent()) {
            return Uni.createFrom().item(TOKEN_MISSING.response(request));
        }
        return answer(request, endpoint);
    }

    /** Whether a request that came through {@link #decision} may not ask for this identifier. */
    boolean reserved(RoutingContext request, String identifier) {
        return (identifier.startsWith("user:") || identifier.startsWith("ip:")) && shown(request) == Shown.NOTHING;
    }

    static ErrorResponse reservedAnswer() {
        return RESERVED;
    }

    private static Uni<Response> answer(RoutingContext request, Supplier<Uni<Response>> endpoint) {
        return Uni.createFrom().deferred(() -> endpoint.get())
                .onFailure(BadRequestException.class).recoverWithItem(bad -> bad.answer().response(request))
                .onFailure(StoreUnavailableException.class)
                .recoverWithItem(gone -> ErrorResponse.storeUnavailable().response(request));
    }

    private Uni<Response> refuse(RoutingContext request) {
        return turnstile.reject(request, WRONG)
                .map(admission -> admission.refusal().response(request));
    }

    private Shown shown(RoutingContext request) {
        var key = request.request().getHeader(ApiKeyRegistry.HEADER);
        if (key != null && apiKeys.any() && apiKeys.find(key) == null) {
            return Shown.WRONG;
        }
        var authorization = request.request().getHeader(HttpHeaders.AUTHORIZATION);
        if (authorization == null || adminToken.isEmpty() && apiToken.isEmpty()) {
            return Shown.NOTHING;
        }
        if (!authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return Shown.WRONG;
        }
        var token = authorization.substring(BEARER.length()).strip();
        boolean admin = adminToken.isPresent() && Sha256.same(adminToken.get(), token);
        boolean api = apiToken.isPresent() && Sha256.same(apiToken.get(), token);
        return admin ? Shown.ADMIN_TOKEN : api ? Shown.API_TOKEN : Shown.WRONG;
    }
}
