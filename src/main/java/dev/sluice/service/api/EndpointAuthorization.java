package dev.sluice.service.api;

import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.core.Response;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.config.ConfigProblems;
import dev.sluice.http.CredentialFailures;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestRateLimiter;
import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.identity.ApiKeyResolver;
import dev.sluice.identity.HeaderText;
import dev.sluice.identity.RejectedCredential;
import dev.sluice.identity.Sha256;
import dev.sluice.service.auth.BearerToken;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.log.AuditLog;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;

/** Authorizes requests to Sluice's own endpoints by the admin token and the API token. */
@ApplicationScoped
public class EndpointAuthorization {

    private static final Logger LOG = Logger.getLogger(EndpointAuthorization.class);
    private static final String INVALID_CREDENTIAL = "Invalid token or API key";
    private static final ErrorResponse TOKEN_MISSING = ErrorResponse
            .unauthorized("This endpoint requires the API token: Authorization: Bearer ...");

    /** Owner of the API key of a request without one. */
    private static final ApiKeyResolver.Owner NO_KEY = new ApiKeyResolver.Owner(null);

    /** Credential presented by a request. */
    private enum Credential {
        NONE("none"), API_TOKEN("api-token"), ADMIN_TOKEN("admin-token"), INVALID_KEY("invalid"), INVALID_TOKEN("invalid");

        /** Value in the audit log. */
        private final String value;

        Credential(String value) {
            this.value = value;
        }

        boolean isInvalid() {
            return this == INVALID_KEY || this == INVALID_TOKEN;
        }
    }

    private final Optional<String> adminToken;
    private final Optional<String> apiToken;
    private final ApiKeyResolver apiKeys;
    private final RequestRateLimiter rateLimiter;
    private final AnonymousCheckLimiter anonymousRequests;
    private final CredentialFailures failures;
    private final AuditLog audit;
    /** Authorization of the warm-up's requests; null if it is not running. */
    private volatile String warmUpAuthorization;

    EndpointAuthorization(ServiceConfig settings, ApiKeyResolver apiKeys, RequestRateLimiter rateLimiter,
            AnonymousCheckLimiter anonymousRequests, CredentialFailures failures, AuditLog audit) {
        this.failures = failures;
        this.adminToken = settings.adminToken().filter(token -> !token.isBlank()).map(String::strip);
        this.apiToken = settings.apiToken().filter(token -> !token.isBlank()).map(String::strip);
        this.apiKeys = apiKeys;
        this.rateLimiter = rateLimiter;
        this.anonymousRequests = anonymousRequests;
        this.audit = audit;
    }

    void validate(@Observes ConfigProblems problems) {
        requireDecoded(problems, "rate-limit.admin-token", adminToken);
        requireDecoded(problems, "rate-limit.api-token", apiToken);
    }

    /** The JVM replaces bytes of variables that its locale cannot decode: the token would be another one. */
    private static void requireDecoded(ConfigProblems problems, String property, Optional<String> token) {
        token.filter(text -> text.indexOf('\uFFFD') >= 0).ifPresent(text -> problems.add(property, "(not shown)",
                "text in the encoding of the process, which cannot decode it; set LC_ALL=C.UTF-8"));
    }

    public boolean isAdminEnabled() {
        return adminToken.isPresent();
    }

    /** Returns whether the decision endpoints require the API token. */
    public boolean isTokenRequired() {
        return apiToken.isPresent();
    }

    /** Returns which requests the decision endpoints serve and which settings change that, for the log. */
    public String describeDecisionAccess() {
        return apiToken.isPresent() ? "with the API token (RATE_LIMIT_API_TOKEN)" : anonymousRequests.describe();
    }

    /** Invokes the endpoint if the request carries the admin token; otherwise responds with 401 or 403. */
    public Uni<Response> authorizeAdmin(RoutingContext request, Supplier<Uni<Response>> endpoint) {
        var owner = adminToken.isEmpty() ? NO_KEY : keyOwner(request);
        return owner != null
                ? authorizeAdmin(request, owner, endpoint)
                : loadKeyOwner(request).chain(loaded -> authorizeAdmin(request, loaded, endpoint))
                        .onFailure(StoreUnavailableException.class)
                        .recoverWithItem(unavailable -> ErrorResponse.storeUnavailable().toResponse(request));
    }

    private Uni<Response> authorizeAdmin(RoutingContext request, ApiKeyResolver.Owner owner,
            Supplier<Uni<Response>> endpoint) {
        var credential = adminToken.isEmpty() ? Credential.NONE : credential(request, owner);
        audit.onAdminCall(request, credential.value, credential == Credential.ADMIN_TOKEN);
        if (credential.isInvalid()) {
            return rateLimiter.rejectCredentials(request, rejected(credential, RejectedCredential.ADMIN_TOKEN_UNKNOWN),
                    INVALID_CREDENTIAL).map(admission -> admission.error().toResponse(request));
        }
        if (credential == Credential.ADMIN_TOKEN) {
            return respond(request, endpoint);
        }
        if (adminToken.isPresent()) {
            failures.countRejected(credential == Credential.NONE
                    ? RejectedCredential.ADMIN_TOKEN_MISSING
                    : RejectedCredential.ADMIN_TOKEN_NOT_PERMITTED);
        }
        var closed = ErrorResponse.of(403, "RATE_4031", adminToken.isPresent()
                ? "This endpoint requires the admin token: Authorization: Bearer ..."
                : "The admin endpoints are disabled: set RATE_LIMIT_ADMIN_TOKEN to enable them");
        return Uni.createFrom().item(closed.toResponse(request));
    }

    /**
     * Invokes the endpoint if the request may use a decision endpoint, otherwise {@code onRejected}. Calls back synchronously,
     * except for an invalid credential and for a request without a token, which are first counted against the client address.
     *
     * @param endpoint receives whether the request carries no token
     */
    void authorizeDecision(RoutingContext request, Consumer<Boolean> endpoint,
            BiConsumer<RoutingContext, ErrorResponse> onRejected) {
        var owner = keyOwner(request);
        if (owner != null) {
            authorizeDecision(request, owner, endpoint, onRejected);
            return;
        }
        loadKeyOwner(request).subscribe().with(loaded -> authorizeDecision(request, loaded, endpoint, onRejected), failure -> {
            if (failure instanceof StoreUnavailableException) {
                onRejected.accept(request, ErrorResponse.storeUnavailable());
            } else {
                LOG.error("Failed to look up an API key", failure);
                onRejected.accept(request, ServiceErrors.forStatus(500));
            }
        });
    }

    private void authorizeDecision(RoutingContext request, ApiKeyResolver.Owner owner, Consumer<Boolean> endpoint,
            BiConsumer<RoutingContext, ErrorResponse> onRejected) {
        var credential = credential(request, owner);
        if (credential.isInvalid()) {
            rateLimiter.rejectCredentials(request, rejected(credential, RejectedCredential.API_TOKEN_UNKNOWN),
                    INVALID_CREDENTIAL).subscribe().with(
                            admission -> onRejected.accept(request, admission.error()),
                            failure -> {
                                LOG.error("Failed to count an invalid token", failure);
                                onRejected.accept(request, ServiceErrors.forStatus(500));
                            });
        } else if (credential != Credential.NONE) {
            endpoint.accept(false);
        } else if (apiToken.isPresent()) {
            failures.countRejected(RejectedCredential.API_TOKEN_MISSING);
            onRejected.accept(request, TOKEN_MISSING);
        } else {
            anonymousRequests.admit(request, () -> endpoint.accept(true), error -> onRejected.accept(request, error));
        }
    }

    /**
     * Invokes the endpoint if the request may use a decision endpoint; otherwise responds with the error.
     *
     * @param endpoint receives whether the request carries no token
     */
    Uni<Response> authorizeDecision(RoutingContext request, Function<Boolean, Uni<Response>> endpoint) {
        return Uni.createFrom().<Uni<Response>>emitter(emitter -> authorizeDecision(request,
                anonymous -> emitter.complete(respond(request, () -> endpoint.apply(anonymous))),
                (rejected, error) -> emitter.complete(Uni.createFrom().item(error.toResponse(rejected)))))
                .flatMap(Function.identity());
    }

    /**
     * Permits the requests of the warm-up, which must count against no one.
     *
     * @return value of their Authorization header; valid until {@link #endWarmUp}
     */
    public String beginWarmUp() {
        var value = "Bearer " + UUID.randomUUID();
        warmUpAuthorization = value;
        return value;
    }

    /** Permits no further request of the warm-up. */
    public void endWarmUp() {
        warmUpAuthorization = null;
    }

    /** Returns the identifier of the client's address. */
    String addressIdentifier(RoutingContext request) {
        return anonymousRequests.addressOf(request).identity().identifier();
    }

    private static Uni<Response> respond(RoutingContext request, Supplier<Uni<Response>> endpoint) {
        return Uni.createFrom().deferred(() -> endpoint.get())
                .onFailure(BadRequestException.class).recoverWithItem(invalid -> invalid.errorResponse().toResponse(request))
                .onFailure(StoreUnavailableException.class)
                .recoverWithItem(unavailable -> ErrorResponse.storeUnavailable().toResponse(request));
    }

    private static RejectedCredential rejected(Credential credential, RejectedCredential unknownToken) {
        return credential == Credential.INVALID_KEY ? RejectedCredential.API_KEY_UNKNOWN : unknownToken;
    }

    /** Returns the API key of a request; null if it has none, or the header is not Sluice's. */
    private String apiKey(RoutingContext request) {
        var key = HeaderText.decode(request.request().getHeader(ApiKeyRegistry.HEADER));
        return key != null && apiKeys.isCredential(key) ? key : null;
    }

    /** Returns the owner of a request's API key; null if it is to be read from Redis. */
    private ApiKeyResolver.Owner keyOwner(RoutingContext request) {
        var key = apiKey(request);
        return key == null ? NO_KEY : apiKeys.find(key);
    }

    private Uni<ApiKeyResolver.Owner> loadKeyOwner(RoutingContext request) {
        var key = apiKey(request);
        return key == null ? Uni.createFrom().item(NO_KEY) : apiKeys.load(key);
    }

    private Credential credential(RoutingContext request, ApiKeyResolver.Owner keyOwner) {
        if (keyOwner != NO_KEY && keyOwner.identity() == null) {
            return Credential.INVALID_KEY;
        }
        var authorization = HeaderText.decode(request.request().getHeader(HttpHeaders.AUTHORIZATION));
        if (authorization == null) {
            return Credential.NONE;
        }
        if (authorization.equals(warmUpAuthorization)) { // only before the port is open, so nobody measures how long this takes
            return Credential.API_TOKEN;
        }
        if (adminToken.isEmpty() && apiToken.isEmpty()) {
            return Credential.NONE;
        }
        var token = BearerToken.of(authorization);
        if (token == null) {
            return Credential.INVALID_TOKEN;
        }
        boolean admin = adminToken.isPresent() && Sha256.constantTimeEquals(adminToken.get(), token);
        boolean api = apiToken.isPresent() && Sha256.constantTimeEquals(apiToken.get(), token);
        return admin ? Credential.ADMIN_TOKEN : api ? Credential.API_TOKEN : Credential.INVALID_TOKEN;
    }
}
