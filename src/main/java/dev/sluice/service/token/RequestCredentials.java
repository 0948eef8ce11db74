package dev.sluice.service.token;

import java.util.Optional;
import java.util.UUID;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.identity.ApiKeyResolver;
import dev.sluice.identity.Sha256;
import dev.sluice.service.auth.BearerToken;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.text.HeaderText;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;

/** Finds out which credential a request to Sluice's own endpoints carries. Thread-safe. */
@ApplicationScoped
public class RequestCredentials {

    /** Owner of the API key of a request without one. */
    public static final ApiKeyResolver.Owner NO_KEY = new ApiKeyResolver.Owner(null);

    /** Kind of credential. */
    public enum Kind {
        /** None. */
        NONE("none"),
        /** The API token. */
        API_TOKEN("api-token"),
        /** The token of {@code RATE_LIMIT_ADMIN_TOKEN}. */
        ADMIN_TOKEN("admin-token"),
        /** An admin token with a scope. */
        SCOPED_TOKEN("admin-token"),
        /** An API key that is not known. */
        INVALID_KEY("invalid"),
        /** A token that is not known. */
        INVALID_TOKEN("invalid");

        private final String value;

        Kind(String value) {
            this.value = value;
        }

        /** Returns the value in the audit log. */
        public String value() {
            return value;
        }

        /** Returns whether the credential is not known. */
        public boolean isInvalid() {
            return this == INVALID_KEY || this == INVALID_TOKEN;
        }
    }

    private final AdminTokens adminTokens;
    private final Optional<String> apiToken;
    private final ApiKeyResolver apiKeys;
    /** Authorization of the warm-up's requests; null if it is not running. */
    private volatile String warmUpAuthorization;

    RequestCredentials(AdminTokens adminTokens, ServiceConfig settings, ApiKeyResolver apiKeys) {
        this.adminTokens = adminTokens;
        this.apiToken = settings.apiToken().filter(token -> !token.isBlank()).map(String::strip);
        this.apiKeys = apiKeys;
    }

    /** Returns the API key of a request; null if it has none, or the header is not Sluice's. */
    private String apiKey(RoutingContext request) {
        var key = HeaderText.decode(request.request().getHeader(ApiKeyRegistry.HEADER));
        return key != null && apiKeys.isCredential(key) ? key : null;
    }

    /** Returns the owner of a request's API key, or {@link #NO_KEY}; null if it is to be read from Redis. */
    public ApiKeyResolver.Owner keyOwner(RoutingContext request) {
        var key = apiKey(request);
        return key == null ? NO_KEY : apiKeys.find(key);
    }

    /** Reads the owner of a request's API key; fails with {@link dev.sluice.api.StoreUnavailableException} if Redis does not reply. */
    public Uni<ApiKeyResolver.Owner> loadKeyOwner(RoutingContext request) {
        var key = apiKey(request);
        return key == null ? Uni.createFrom().item(NO_KEY) : apiKeys.load(key);
    }

    /** Returns the kind of the credential of a request. */
    public Kind kind(RoutingContext request, ApiKeyResolver.Owner keyOwner) {
        if (keyOwner != NO_KEY && keyOwner.identity() == null) {
            return Kind.INVALID_KEY;
        }
        var authorization = HeaderText.decode(request.request().getHeader(HttpHeaders.AUTHORIZATION));
        if (authorization == null) {
            return Kind.NONE;
        }
        if (authorization.equals(warmUpAuthorization)) { // only before the port is open, so nobody measures how long this takes
            return Kind.API_TOKEN;
        }
        if (adminTokens.isEmpty() && apiToken.isEmpty()) {
            return Kind.NONE;
        }
        var token = bearerToken(request);
        if (token == null) {
            return Kind.INVALID_TOKEN;
        }
        var access = adminTokens.find(token);
        boolean api = apiToken.isPresent() && Sha256.constantTimeEquals(apiToken.get(), token);
        if (access != null) {
            return access.isUnrestricted() ? Kind.ADMIN_TOKEN : Kind.SCOPED_TOKEN;
        }
        return api ? Kind.API_TOKEN : Kind.INVALID_TOKEN;
    }

    /** Returns what the admin token of a request permits; null if it carries none. */
    public AdminAccess access(RoutingContext request) {
        var token = bearerToken(request);
        return token == null ? null : adminTokens.find(token);
    }

    private static String bearerToken(RoutingContext request) {
        return BearerToken.of(HeaderText.decode(request.request().getHeader(HttpHeaders.AUTHORIZATION)));
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
}
