package dev.sluice.service.api;

import java.util.Optional;
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
import dev.sluice.http.RequestRefusedException;
import dev.sluice.identity.ApiKeyResolver;
import dev.sluice.identity.RejectedCredential;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.log.AuditLog;
import dev.sluice.service.token.AdminAccess;
import dev.sluice.service.token.AdminScope;
import dev.sluice.service.token.AdminTokens;
import dev.sluice.service.token.RequestCredentials;
import dev.sluice.service.token.RequestCredentials.Kind;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;

/** Authorizes requests to Sluice's own endpoints by the admin token and the API token. */
@ApplicationScoped
public class EndpointAuthorization {

    private static final Logger LOG = Logger.getLogger(EndpointAuthorization.class);
    private static final String INVALID_CREDENTIAL = "Invalid token or API key";
    private static final ErrorResponse TOKEN_MISSING = ErrorResponse
            .unauthorized("This endpoint requires the API token: Authorization: Bearer ...");

    private static final ErrorResponse SCOPED = ErrorResponse.of(403, "RATE_4031",
            "Admin tokens with a scope are not for this endpoint; it requires the API token or RATE_LIMIT_ADMIN_TOKEN");

    /** The result of authorizing a request to an administrative endpoint: the access that was granted, or the error. */
    private record Admission(AdminAccess access, ErrorResponse error) {
    }

    private final Optional<String> adminToken;
    private final AdminTokens adminTokens;
    private final Optional<String> apiToken;
    private final RequestCredentials credentials;
    private final RequestRateLimiter rateLimiter;
    private final AnonymousCheckLimiter anonymousRequests;
    private final CredentialFailures failures;
    private final AuditLog audit;

    EndpointAuthorization(ServiceConfig settings, RequestCredentials credentials, RequestRateLimiter rateLimiter,
            AnonymousCheckLimiter anonymousRequests, CredentialFailures failures, AuditLog audit, AdminTokens adminTokens) {
        this.adminTokens = adminTokens;
        this.failures = failures;
        this.adminToken = settings.adminToken().filter(token -> !token.isBlank()).map(String::strip);
        this.apiToken = settings.apiToken().filter(token -> !token.isBlank()).map(String::strip);
        this.credentials = credentials;
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

    /** Returns whether any admin token is configured. */
    public boolean isAdminEnabled() {
        return !adminTokens.isEmpty();
    }

    /** Returns whether the decision endpoints require the API token. */
    public boolean isTokenRequired() {
        return apiToken.isPresent();
    }

    /** Returns which requests the decision endpoints serve and which settings change that, for the log. */
    public String describeDecisionAccess() {
        return apiToken.isPresent() ? "with the API token (RATE_LIMIT_API_TOKEN)" : anonymousRequests.describe();
    }

    /**
     * Invokes the endpoint if the request carries an admin token that is not restricted to a team, and whose scope permits its
     * method: GET and HEAD require {@code read}, others {@code write}. Otherwise responds with 401 or 403.
     */
    public Uni<Response> authorizeAdmin(RoutingContext request, Supplier<Uni<Response>> endpoint) {
        return respond(request, admit(request, requiredScope(request), false), access -> endpoint.get());
    }

    /** Invokes the endpoint as {@link #authorizeAdmin} does, but requires {@code read} for any method: it changes nothing. */
    public Uni<Response> authorizeReader(RoutingContext request, Supplier<Uni<Response>> endpoint) {
        return respond(request, admit(request, AdminScope.READ, false), access -> endpoint.get());
    }

    /**
     * Invokes the endpoint as {@link #authorizeAdmin} does, also for tokens that are restricted to a team.
     *
     * @param endpoint receives what the token permits, and must enforce {@link AdminAccess#team}
     */
    public Uni<Response> authorizeTeamAdmin(RoutingContext request, Function<AdminAccess, Uni<Response>> endpoint) {
        return respond(request, admit(request, requiredScope(request), true), endpoint);
    }

    /** Invokes a route if the request carries an admin token of write scope; otherwise sends 401 or 403. */
    public void authorizeWriter(RoutingContext request, Consumer<AdminAccess> route) {
        authorizeRoute(request, AdminScope.WRITE, route);
    }

    /** Invokes a route if the request carries an admin token that is not restricted to a team; otherwise sends 401 or 403. */
    public void authorizeReader(RoutingContext request, Consumer<AdminAccess> route) {
        authorizeRoute(request, AdminScope.READ, route);
    }

    private void authorizeRoute(RoutingContext request, AdminScope required, Consumer<AdminAccess> route) {
        admit(request, required, false).subscribe().with(admission -> {
            if (admission.error() == null) {
                route.accept(admission.access());
            } else {
                admission.error().send(request);
            }
        }, failure -> {
            LOG.error("Failed to authorize a request", failure);
            ServiceErrors.forStatus(500).send(request);
        });
    }

    private static AdminScope requiredScope(RoutingContext request) {
        var method = request.request().method();
        return method == HttpMethod.GET || method == HttpMethod.HEAD ? AdminScope.READ : AdminScope.WRITE;
    }

    /** @param teams whether tokens that are restricted to a team are admitted */
    private Uni<Admission> admit(RoutingContext request, AdminScope required, boolean teams) {
        var owner = adminTokens.isEmpty() ? RequestCredentials.NO_KEY : credentials.keyOwner(request);
        return owner != null
                ? admit(request, owner, required, teams)
                : credentials.loadKeyOwner(request).chain(loaded -> admit(request, loaded, required, teams))
                        .onFailure(StoreUnavailableException.class)
                        .recoverWithItem(() -> new Admission(null, ErrorResponse.storeUnavailable()));
    }

    private Uni<Admission> admit(RoutingContext request, ApiKeyResolver.Owner owner, AdminScope required, boolean teams) {
        var credential = adminTokens.isEmpty() ? Kind.NONE : credentials.kind(request, owner);
        boolean admin = credential == Kind.ADMIN_TOKEN || credential == Kind.SCOPED_TOKEN;
        var access = admin ? credentials.access(request) : null;
        var refusal = access == null ? null : refusal(access, required, teams);
        audit.onAdminCall(request, credential.value(), access == null || access.isUnrestricted() ? null : access.token(),
                access != null && refusal == null);
        if (credential.isInvalid()) {
            return rateLimiter.rejectCredentials(request, rejected(credential, RejectedCredential.ADMIN_TOKEN_UNKNOWN),
                    INVALID_CREDENTIAL).map(admission -> new Admission(null, admission.error()));
        }
        if (access != null) {
            if (refusal != null) {
                failures.countRejected(RejectedCredential.ADMIN_TOKEN_NOT_PERMITTED);
            }
            return Uni.createFrom().item(new Admission(access, refusal));
        }
        if (isAdminEnabled()) {
            failures.countRejected(credential == Kind.NONE
                    ? RejectedCredential.ADMIN_TOKEN_MISSING
                    : RejectedCredential.ADMIN_TOKEN_NOT_PERMITTED);
        }
        return Uni.createFrom().item(new Admission(null, ErrorResponse.of(403, "RATE_4031", isAdminEnabled()
                ? "This endpoint requires the admin token: Authorization: Bearer ..."
                : "The admin endpoints are disabled: set RATE_LIMIT_ADMIN_TOKEN to enable them")));
    }

    /** Returns why a token does not permit a call; null if it does. */
    private static ErrorResponse refusal(AdminAccess access, AdminScope required, boolean teams) {
        if (!access.scope().permits(required)) {
            return ErrorResponse.of(403, "RATE_4031", "This call requires an admin token of scope " + required.label()
                    + "; the scope of this token is " + access.scope().label());
        }
        return access.team() == null || teams
                ? null
                : ErrorResponse.of(403, "RATE_4031", "The scope of this admin token is the keys, members and spend of one team,"
                        + " which this endpoint is not part of");
    }

    private static Uni<Response> respond(RoutingContext request, Uni<Admission> admitted,
            Function<AdminAccess, Uni<Response>> endpoint) {
        return admitted.flatMap(admission -> admission.error() == null
                ? respond(request, () -> endpoint.apply(admission.access()))
                : Uni.createFrom().item(admission.error().toResponse(request)));
    }

    /**
     * Invokes the endpoint if the request may use a decision endpoint, otherwise {@code onRejected}. Calls back synchronously,
     * except for an invalid credential and for a request without a token, which are first counted against the client address.
     *
     * @param endpoint receives whether the request carries no token
     */
    void authorizeDecision(RoutingContext request, Consumer<Boolean> endpoint,
            BiConsumer<RoutingContext, ErrorResponse> onRejected) {
        var owner = credentials.keyOwner(request);
        if (owner != null) {
            authorizeDecision(request, owner, endpoint, onRejected);
            return;
        }
        credentials.loadKeyOwner(request).subscribe()
                .with(loaded -> authorizeDecision(request, loaded, endpoint, onRejected), failure -> {
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
        var credential = credentials.kind(request, owner);
        if (credential.isInvalid()) {
            rateLimiter.rejectCredentials(request, rejected(credential, RejectedCredential.API_TOKEN_UNKNOWN),
                    INVALID_CREDENTIAL).subscribe().with(
                            admission -> onRejected.accept(request, admission.error()),
                            failure -> {
                                LOG.error("Failed to count an invalid token", failure);
                                onRejected.accept(request, ServiceErrors.forStatus(500));
                            });
        } else if (credential == Kind.SCOPED_TOKEN) {
            failures.countRejected(RejectedCredential.ADMIN_TOKEN_NOT_PERMITTED);
            onRejected.accept(request, SCOPED);
        } else if (credential != Kind.NONE) {
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
    public Uni<Response> authorizeDecision(RoutingContext request, Function<Boolean, Uni<Response>> endpoint) {
        return Uni.createFrom().<Uni<Response>>emitter(emitter -> authorizeDecision(request,
                anonymous -> emitter.complete(respond(request, () -> endpoint.apply(anonymous))),
                (rejected, error) -> emitter.complete(Uni.createFrom().item(error.toResponse(rejected)))))
                .flatMap(Function.identity());
    }

    /** Permits the requests of the warm-up, as {@link RequestCredentials#beginWarmUp} describes. */
    public String beginWarmUp() {
        return credentials.beginWarmUp();
    }

    /** Permits no further request of the warm-up. */
    public void endWarmUp() {
        credentials.endWarmUp();
    }

    /** Returns the identifier of the client's address. */
    String addressIdentifier(RoutingContext request) {
        return anonymousRequests.addressOf(request).identity().identifier();
    }

    private static Uni<Response> respond(RoutingContext request, Supplier<Uni<Response>> endpoint) {
        return Uni.createFrom().deferred(() -> endpoint.get())
                .onFailure(RequestRefusedException.class)
                .recoverWithItem(refused -> refused.errorResponse().toResponse(request))
                .onFailure(StoreUnavailableException.class)
                .recoverWithItem(unavailable -> ErrorResponse.storeUnavailable().toResponse(request));
    }

    private static RejectedCredential rejected(Kind credential, RejectedCredential unknownToken) {
        return credential == Kind.INVALID_KEY ? RejectedCredential.API_KEY_UNKNOWN : unknownToken;
    }
}
