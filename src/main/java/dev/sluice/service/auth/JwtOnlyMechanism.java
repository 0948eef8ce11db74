package dev.sluice.service.auth;

import java.util.Set;
import java.util.function.Function;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Alternative;

import org.eclipse.microprofile.jwt.JsonWebToken;

import dev.sluice.identity.AnonymousRequestDetector;
import dev.sluice.identity.DefaultIdentityResolver;
import dev.sluice.identity.RejectedCredential;
import dev.sluice.identity.RejectedCredentialException;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.request.AuthenticationRequest;
import io.quarkus.security.identity.request.TokenAuthenticationRequest;
import io.quarkus.smallrye.jwt.runtime.auth.JWTAuthMechanism;
import io.quarkus.smallrye.jwt.runtime.auth.JsonWebTokenCredential;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticationMechanism;
import io.quarkus.vertx.http.runtime.security.HttpCredentialTransport;
import io.smallrye.jwt.auth.principal.ParseException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;

/**
 * Restricts JWT authentication to bearer tokens that are JWTs (compact JWS, RFC 7515), if a verification key is configured. All
 * other bearer tokens belong to other parties: Sluice itself, a provider or the upstream.
 */
@Alternative
@Priority(1)
@ApplicationScoped
public class JwtOnlyMechanism implements HttpAuthenticationMechanism, AnonymousRequestDetector {

    private final JWTAuthMechanism jwt;
    private final JwtVerifier verifier;
    private final IdentityProviderManager providers;
    private final boolean configured;
    private final JwtRejectionLog log = new JwtRejectionLog();

    JwtOnlyMechanism(JWTAuthMechanism jwt, JwtVerifier verifier, JwtKeySettings settings, IdentityProviderManager providers) {
        this.jwt = jwt;
        this.providers = providers;
        this.verifier = verifier;
        this.configured = settings.configured();
    }

    /** Returns whether JWTs are verified. */
    public boolean configured() {
        return configured;
    }

    /** Returns whether the request is anonymous: no other mechanism exists. */
    @Override
    public boolean isCertainlyAnonymous(RoutingContext request) {
        return !configured || !request.request().headers().contains(HttpHeaders.AUTHORIZATION);
    }

    @Override
    public Uni<SecurityIdentity> authenticate(RoutingContext context, IdentityProviderManager providers) {
        return authenticate(context.request().headers(), token -> jwt.authenticate(context, providers));
    }

    /**
     * Authenticates a request that a proxy describes, by its JWT.
     *
     * @param headers headers of the request
     * @return the identity, or null if the request has no JWT; fails with {@link AuthenticationFailedException}, whose cause is a
     *         {@link RejectedCredentialException}, or {@link dev.sluice.identity.KeysUnavailableException}
     */
    public Uni<SecurityIdentity> authenticate(MultiMap headers) {
        return authenticate(headers,
                token -> providers.authenticate(new TokenAuthenticationRequest(new JsonWebTokenCredential(token))));
    }

    private Uni<SecurityIdentity> authenticate(MultiMap headers, Function<String, Uni<SecurityIdentity>> verification) {
        if (!configured) {
            return Uni.createFrom().nullItem();
        }
        var authorizations = headers.getAll(HttpHeaders.AUTHORIZATION);
        if (authorizations.stream().noneMatch(JwtOnlyMechanism::bearsJwt)) {
            return Uni.createFrom().nullItem();
        }
        var only = authorizations.get(0);
        // The upstream might interpret any other form differently, and derive another identity than Sluice.
        if (authorizations.size() != 1 || !only.regionMatches(true, 0, BearerToken.PREFIX, 0, BearerToken.PREFIX.length())
                || only.charAt(BearerToken.PREFIX.length()) <= ' ') {
            return Uni.createFrom().failure(rejected(new JwtRejection(RejectedCredential.JWT_MALFORMED,
                    "required=\"exactly one token in one Authorization header\"")));
        }
        return verify(BearerToken.of(only), verification);
    }

    private Uni<SecurityIdentity> verify(String token, Function<String, Uni<SecurityIdentity>> verification) {
        var keys = verifier.requireKeys(token);
        var verified = Uni.createFrom().deferred(() -> verification.apply(token))
                .onFailure(AuthenticationFailedException.class).transform(failure -> rejected(JwtRejection.of(
                        failure.getCause() instanceof ParseException cause ? cause : null, token, verifier.settings())))
                .onFailure(StackOverflowError.class)
                .transform(deep -> rejected(new JwtRejection(RejectedCredential.JWT_MALFORMED,
                        "required=\"claims that are not nested deeply\"")))
                .invoke(this::logMissingSubject);
        return keys.succeeded() ? verified : onCurrentContext(keys).chain(() -> verified);
    }

    /** The keys are fetched on another event loop. */
    private static Uni<Void> onCurrentContext(Future<Void> keys) {
        var current = Vertx.currentContext();
        return Uni.createFrom().emitter(emitter -> keys.onComplete(done -> {
            Runnable resume = () -> {
                if (done.succeeded()) {
                    emitter.complete(null);
                } else {
                    emitter.fail(done.cause());
                }
            };
            if (current == null) {
                resume.run();
            } else {
                current.runOnContext(now -> resume.run());
            }
        }));
    }

    private AuthenticationFailedException rejected(JwtRejection rejection) {
        log.log(rejection);
        return new AuthenticationFailedException(
                new RejectedCredentialException(rejection.credential(), DefaultIdentityResolver.NOT_VERIFIED));
    }

    /** The identity resolver rejects the token. */
    private void logMissingSubject(SecurityIdentity identity) {
        if (identity != null && identity.getPrincipal() instanceof JsonWebToken token
                && (token.getSubject() == null || token.getSubject().isEmpty())) {
            log.log(new JwtRejection(RejectedCredential.JWT_MISSING_CLAIM, "required=sub"));
        }
    }

    /** Returns whether the value is a Bearer compact JWS, with any white space. */
    public static boolean bearsJwt(String authorization) {
        var stripped = authorization.strip();
        int scheme = BearerToken.PREFIX.length() - 1;
        if (stripped.length() <= scheme || !stripped.regionMatches(true, 0, BearerToken.PREFIX, 0, scheme)
                || !Character.isWhitespace(stripped.charAt(scheme))) {
            return false;
        }
        return CompactJws.matches(stripped.substring(scheme).strip());
    }

    @Override
    public Uni<ChallengeData> getChallenge(RoutingContext context) {
        return jwt.getChallenge(context);
    }

    @Override
    public Set<Class<? extends AuthenticationRequest>> getCredentialTypes() {
        return jwt.getCredentialTypes();
    }

    @Override
    public Uni<HttpCredentialTransport> getCredentialTransport(RoutingContext context) {
        return jwt.getCredentialTransport(context);
    }
}
