package dev.sluice.service.authz;

import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.identity.ClientAddressResolver;
import dev.sluice.identity.CredentialsRejectedException;
import dev.sluice.identity.DefaultIdentityResolver;
import dev.sluice.identity.Identity;
import dev.sluice.identity.RejectedCredential;
import dev.sluice.identity.RejectedCredentialException;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.service.auth.JwtOnlyMechanism;
import dev.sluice.service.config.ServiceConfig;
import io.quarkus.security.AuthenticationFailedException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpHeaders;

/**
 * Resolves the callers of forwarded requests: JWT, API key, address of the client. The gateway does the same by the
 * {@code RoutingContext} of its own requests. {@code X-User-Id} and the other headers that name a caller are ignored, because the
 * proxies pass on what the client has sent, unless {@code rate-limit.forward-auth.trust-identity} is true and a listed proxy asks.
 */
@ApplicationScoped
class ForwardedCallers {

    private final DefaultIdentityResolver identities;
    private final ClientAddressResolver addresses;
    private final JwtOnlyMechanism jwt;
    private final CurrentPolicy policy;
    private final boolean trustIdentity;

    ForwardedCallers(DefaultIdentityResolver identities, ClientAddressResolver addresses, JwtOnlyMechanism jwt,
            CurrentPolicy policy, ServiceConfig settings) {
        this.identities = identities;
        this.addresses = addresses;
        this.jwt = jwt;
        this.policy = policy;
        this.trustIdentity = settings.forwardAuth().trustIdentity();
    }

    /**
     * Resolves the caller of a request. Exactly one callback is called, once, possibly before this method returns, on the event
     * loop of the caller of this method.
     *
     * @param onFailure receives {@link CredentialsRejectedException} if the credentials are invalid,
     *        {@link dev.sluice.identity.KeysUnavailableException}, or {@link dev.sluice.api.StoreUnavailableException} if the API key
     *        cannot be looked up
     */
    void resolve(ForwardedRequest request, Consumer<Caller> onCaller, Consumer<Throwable> onFailure) {
        resolve(request, () -> trustIdentity && addresses.isProxyPeer(request.proxy()), onCaller, onFailure);
    }

    /** Resolves the caller as the gateway would, if it had received the request: proxies that name callers are listed. */
    void resolveAsGateway(ForwardedRequest request, Consumer<Caller> onCaller, Consumer<Throwable> onFailure) {
        resolve(request, () -> addresses.isIdentityProxy(request.peer()), onCaller, onFailure);
    }

    private void resolve(ForwardedRequest request, BooleanSupplier namesCaller, Consumer<Caller> onCaller,
            Consumer<Throwable> onFailure) {
        if (!jwt.configured() || !request.headers().contains(HttpHeaders.AUTHORIZATION)) {
            Identity identity;
            try {
                identity = identities.findWithoutPrincipal(request.peer(), request.headers(), namesCaller);
            } catch (CredentialsRejectedException e) {
                onFailure.accept(e);
                return;
            }
            if (identity != null) {
                onCaller.accept(caller(identity));
            } else {
                loadWithoutPrincipal(request, namesCaller).subscribe().with(loaded -> onCaller.accept(caller(loaded)),
                        onFailure);
            }
            return;
        }
        jwt.authenticate(request.headers())
                .onFailure(AuthenticationFailedException.class).transform(ForwardedCallers::rejection)
                .chain(authenticated -> authenticated == null || authenticated.isAnonymous()
                        ? loadWithoutPrincipal(request, namesCaller)
                        : identities.load(authenticated))
                .subscribe().with(identity -> onCaller.accept(caller(identity)), onFailure);
    }

    private static Throwable rejection(Throwable failure) {
        return failure.getCause() instanceof CredentialsRejectedException known
                ? known
                : new RejectedCredentialException(RejectedCredential.JWT_OTHER, DefaultIdentityResolver.NOT_VERIFIED);
    }

    private Uni<Identity> loadWithoutPrincipal(ForwardedRequest request, BooleanSupplier namesCaller) {
        return identities.loadWithoutPrincipal(request.peer(), request.headers(), namesCaller);
    }

    private Caller caller(Identity identity) {
        return new Caller(identity, policy.effectiveTier(identity.tier()));
    }

    /** Returns the address of the client as a caller in the first tier. */
    Caller address(ForwardedRequest request) {
        return new Caller(addresses.identity(request.peer(), request.headers()), policy.effectiveTier(null));
    }
}
