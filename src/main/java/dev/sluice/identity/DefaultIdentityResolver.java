package dev.sluice.identity;

import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Instance;

import org.eclipse.microprofile.jwt.JsonWebToken;
import org.jspecify.annotations.Nullable;

import dev.sluice.directory.IdentityNames;
import dev.sluice.identity.chain.ClaimReader;
import dev.sluice.text.HeaderText;
import io.quarkus.arc.DefaultBean;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.vertx.http.runtime.security.QuarkusHttpUser;
import io.smallrye.mutiny.Uni;
import io.vertx.core.MultiMap;
import io.vertx.core.net.SocketAddress;
import io.vertx.ext.web.RoutingContext;

/**
 * Default identity resolver. Uses the first that applies: authenticated principal, API key ({@code X-API-Key}), headers of a
 * proxy that names the caller ({@code X-User-Id}), address of the client. What Redis has stored of the caller is added.
 */
@ApplicationScoped
@DefaultBean
public class DefaultIdentityResolver implements IdentityResolver {

    /** Message of the error for a token that does not verify; the reason is in the log. */
    public static final String NOT_VERIFIED = "The token does not verify";

    private static final String TIER = "tier";
    private static final BiConsumer<RoutingContext, Throwable> IGNORE_FAILURE = (request, failure) -> {
    };

    private final ApiKeyResolver apiKeys;
    private final IdentityEnricher enricher;
    private final ClientAddressResolver clientAddress;
    private final Instance<IdentityProviderManager> security;
    private final boolean authenticationAvailable;
    private final AnonymousRequestDetector anonymousDetector;

    DefaultIdentityResolver(ApiKeyResolver apiKeys, IdentityEnricher enricher, ClientAddressResolver clientAddress,
            Instance<IdentityProviderManager> security,
            Instance<AnonymousRequestDetector> anonymousDetector) {
        this.authenticationAvailable = !security.isUnsatisfied();
        this.anonymousDetector = anonymousDetector.isUnsatisfied() ? request -> false : anonymousDetector.get();
        this.apiKeys = apiKeys;
        this.enricher = enricher;
        this.clientAddress = clientAddress;
        this.security = security;
    }

    /**
     * Resolves the identity without waiting, if that is possible.
     *
     * @return the identity; null if authentication or a lookup in Redis is required, see {@link #resolve}
     * @throws CredentialsRejectedException if the request has invalid credentials
     */
    public @Nullable Identity resolveNow(RoutingContext request) {
        return authenticationAvailable && !anonymousDetector.isCertainlyAnonymous(request)
                ? null
                : identityWithoutPrincipal(request);
    }

    @Override
    public Uni<Identity> resolve(RoutingContext request) {
        if (!authenticationAvailable) {
            return loadWithoutPrincipal(request);
        }
        // With lazy authentication, the first subscriber's failure handler would end the request. The handler is replaced, so that
        // the failure is reported as CredentialsRejectedException only.
        Object failureHandler = request.get(QuarkusHttpUser.AUTH_FAILURE_HANDLER);
        request.put(QuarkusHttpUser.AUTH_FAILURE_HANDLER, IGNORE_FAILURE);
        return QuarkusHttpUser.getSecurityIdentity(request, security.get())
                .onTermination().invoke(() -> request.put(QuarkusHttpUser.AUTH_FAILURE_HANDLER, failureHandler))
                .onFailure(AuthenticationFailedException.class)
                .transform(failure -> failure.getCause() instanceof CredentialsRejectedException known
                        ? known
                        : new RejectedCredentialException(RejectedCredential.JWT_OTHER, NOT_VERIFIED))
                .chain(identity -> identity == null || identity.isAnonymous()
                        ? loadWithoutPrincipal(request)
                        : load(identity));
    }

    /**
     * Returns the identity of an authenticated principal, with the limits of the stored user, team and organisation.
     *
     * @return completes on the subscriber's Vert.x context; fails with {@link CredentialsRejectedException} if it has no name, or the
     *         token names several teams or organisations
     */
    public Uni<Identity> load(SecurityIdentity identity) {
        var principal = identity.getPrincipal();
        var name = principal.getName();
        Object tier = identity.getAttribute(TIER);
        if (principal instanceof JsonWebToken token) {
            name = token.getSubject(); // getName may be a name that users choose themselves (upn, preferred_username)
            tier = token.getClaim(TIER);
        }
        if (name == null || name.isEmpty()) {
            return Uni.createFrom().failure(
                    new RejectedCredentialException(RejectedCredential.JWT_MISSING_CLAIM, "The token has no subject (sub)"));
        }
        var user = Identity.user(name, Identity.Source.PRINCIPAL, tier == null ? null : tier.toString());
        return Uni.createFrom().deferred(() -> principal instanceof JsonWebToken token
                ? enricher.loadForToken(
                        user.withClaims(path -> new ClaimReader(path).readText(token::getClaim, token.getRawToken())), token)
                : enricher.load(user, null, null));
    }

    private @Nullable Identity identityWithoutPrincipal(RoutingContext context) {
        var request = context.request();
        return findWithoutPrincipal(request.remoteAddress(), request.headers(),
                () -> clientAddress.isFromIdentityProxy(request));
    }

    private Uni<Identity> loadWithoutPrincipal(RoutingContext context) {
        var request = context.request();
        return loadWithoutPrincipal(request.remoteAddress(), request.headers(),
                () -> clientAddress.isFromIdentityProxy(request));
    }

    /**
     * Returns the identity of a request without a principal, if it is known without reading Redis.
     *
     * @param remote remote end of the connection; null if it is not known
     * @param headers headers of the request
     * @param namesCaller returns whether {@link IdentityHeaders} count; called only if there are any
     * @return null if Redis is to be read, see {@link #loadWithoutPrincipal}
     * @throws CredentialsRejectedException if the API key is unknown, or the name of a team or organisation is not one
     */
    public @Nullable Identity findWithoutPrincipal(@Nullable SocketAddress remote, MultiMap headers,
            BooleanSupplier namesCaller) {
        var key = apiKey(headers);
        if (key != null) {
            var owner = apiKeys.find(key);
            return owner == null ? null : known(owner);
        }
        var user = namedUser(headers, namesCaller);
        return user != null
                ? enricher.find(user, name(headers, IdentityHeaders.TEAM_ID), name(headers, IdentityHeaders.ORG_ID))
                : clientAddress.identity(remote, headers);
    }

    /**
     * Returns the identity of a request without a principal, with parameters as in {@link #findWithoutPrincipal}.
     *
     * @return completes on the subscriber's Vert.x context; fails with {@link CredentialsRejectedException}, or with
     *         {@link dev.sluice.api.StoreUnavailableException} if the API key is to be read and Redis does not reply
     */
    public Uni<Identity> loadWithoutPrincipal(@Nullable SocketAddress remote, MultiMap headers, BooleanSupplier namesCaller) {
        return Uni.createFrom().deferred(() -> {
            var key = apiKey(headers);
            if (key != null) {
                var owner = apiKeys.find(key);
                return owner == null
                        ? apiKeys.load(key).map(DefaultIdentityResolver::known)
                        : Uni.createFrom().item(known(owner));
            }
            var user = namedUser(headers, namesCaller);
            return user != null
                    ? enricher.load(user, name(headers, IdentityHeaders.TEAM_ID), name(headers, IdentityHeaders.ORG_ID))
                    : Uni.createFrom().item(clientAddress.identity(remote, headers));
        });
    }

    /** @return null if there is none, or the header is not Sluice's */
    private @Nullable String apiKey(MultiMap headers) {
        var key = HeaderText.decode(headers.get(ApiKeyRegistry.HEADER));
        return key != null && apiKeys.isCredential(key) ? key : null;
    }

    private static Identity known(ApiKeyResolver.Owner owner) {
        var identity = owner.identity();
        if (identity == null) {
            throw new RejectedCredentialException(RejectedCredential.API_KEY_UNKNOWN, "The API key is unknown");
        }
        return identity;
    }

    private static @Nullable Identity namedUser(MultiMap headers, BooleanSupplier namesCaller) {
        var user = HeaderText.decode(headers.get(IdentityHeaders.USER_ID));
        return user != null && !user.isBlank() && namesCaller.getAsBoolean()
                ? Identity.user(user, Identity.Source.TRUSTED_HEADER, HeaderText.decode(headers.get(IdentityHeaders.USER_TIER)))
                : null;
    }

    /** @return null if the header is missing or blank */
    private static @Nullable String name(MultiMap headers, String field) {
        var name = HeaderText.decode(headers.get(field));
        if (name == null || name.isBlank()) {
            return null;
        }
        if (!IdentityNames.isValid(name)) {
            throw new RejectedCredentialException(RejectedCredential.OTHER, field + " must be a name: " + IdentityNames.RULE);
        }
        return name;
    }
}
