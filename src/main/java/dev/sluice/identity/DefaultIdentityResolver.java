package dev.sluice.identity;

import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Instance;

import org.eclipse.microprofile.jwt.JsonWebToken;
import org.jspecify.annotations.Nullable;

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
 * proxy that names the caller ({@code X-User-Id}), address of the client.
 */
@ApplicationScoped
@DefaultBean
public class DefaultIdentityResolver implements IdentityResolver {

    /** Message of the error for a token that does not verify; the reason is in the log. */
    public static final String NOT_VERIFIED = "The token does not verify";

    private static final String TIER = "tier";
    private static final BiConsumer<RoutingContext, Throwable> IGNORE_FAILURE = (request, failure) -> {
    };

    private final ApiKeyRegistry apiKeys;
    private final ClientAddressResolver clientAddress;
    private final Instance<IdentityProviderManager> security;
    private final boolean authenticationAvailable;
    private final AnonymousRequestDetector anonymousDetector;

    DefaultIdentityResolver(ApiKeyRegistry apiKeys, ClientAddressResolver clientAddress,
            Instance<IdentityProviderManager> security,
            Instance<AnonymousRequestDetector> anonymousDetector) {
        this.authenticationAvailable = !security.isUnsatisfied();
        this.anonymousDetector = anonymousDetector.isUnsatisfied() ? request -> false : anonymousDetector.get();
        this.apiKeys = apiKeys;
        this.clientAddress = clientAddress;
        this.security = security;
    }

    /**
     * Resolves the identity without waiting, if that is possible.
     *
     * @return the identity; null if authentication is required, see {@link #resolve}
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
            return Uni.createFrom().item(() -> identityWithoutPrincipal(request));
        }
        // With lazy authentication, the first subscriber's failure handler would end the request. The handler is replaced, so that
        // the failure is reported as CredentialsRejectedException only.
        Object failureHandler = request.get(QuarkusHttpUser.AUTH_FAILURE_HANDLER);
        request.put(QuarkusHttpUser.AUTH_FAILURE_HANDLER, IGNORE_FAILURE);
        return QuarkusHttpUser.getSecurityIdentity(request, security.get())
                .onTermination().invoke(() -> request.put(QuarkusHttpUser.AUTH_FAILURE_HANDLER, failureHandler))
                .map(identity -> identity == null || identity.isAnonymous()
                        ? identityWithoutPrincipal(request)
                        : identityOf(identity))
                .onFailure(AuthenticationFailedException.class)
                .transform(failure -> failure.getCause() instanceof CredentialsRejectedException known
                        ? known
                        : new RejectedCredentialException(RejectedCredential.JWT_OTHER, NOT_VERIFIED));
    }

    /**
     * Returns the identity of an authenticated principal.
     *
     * @throws CredentialsRejectedException if it has no name
     */
    public static Identity identityOf(SecurityIdentity identity) {
        var principal = identity.getPrincipal();
        var name = principal.getName();
        Object tier = identity.getAttribute(TIER);
        if (principal instanceof JsonWebToken token) {
            name = token.getSubject(); // getName may be a name that users choose themselves (upn, preferred_username)
            tier = token.getClaim(TIER);
        }
        if (name == null || name.isEmpty()) {
            throw new RejectedCredentialException(RejectedCredential.JWT_MISSING_CLAIM, "The token has no subject (sub)");
        }
        return Identity.user(name, Identity.Source.PRINCIPAL, tier == null ? null : tier.toString());
    }

    private Identity identityWithoutPrincipal(RoutingContext context) {
        var request = context.request();
        return identityWithoutPrincipal(request.remoteAddress(), request.headers(),
                () -> clientAddress.isFromIdentityProxy(request));
    }

    /**
     * Returns the identity of a request without a principal.
     *
     * @param remote remote end of the connection; null if it is not known
     * @param headers headers of the request
     * @param namesCaller returns whether {@link IdentityHeaders} count; called only if there are any
     * @throws CredentialsRejectedException if the API key is unknown
     */
    public Identity identityWithoutPrincipal(@Nullable SocketAddress remote, MultiMap headers, BooleanSupplier namesCaller) {
        var key = apiKeys.hasKeys() ? HeaderText.decode(headers.get(ApiKeyRegistry.HEADER)) : null;
        if (key != null) {
            var identity = apiKeys.find(key);
            if (identity == null) {
                throw new RejectedCredentialException(RejectedCredential.API_KEY_UNKNOWN, "The API key is unknown");
            }
            return identity;
        }
        var user = HeaderText.decode(headers.get(IdentityHeaders.USER_ID));
        if (user != null && !user.isBlank() && namesCaller.getAsBoolean()) {
            return Identity.user(user, Identity.Source.TRUSTED_HEADER,
                    HeaderText.decode(headers.get(IdentityHeaders.USER_TIER)));
        }
        return clientAddress.identity(remote, headers);
    }
}
