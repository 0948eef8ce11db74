package dev.sluice.service.auth;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.List;
import java.util.Set;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Alternative;

import org.eclipse.microprofile.config.Config;

import dev.sluice.config.ConfigProblems;
import dev.sluice.identity.AnonymousRequestDetector;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.request.AuthenticationRequest;
import io.quarkus.smallrye.jwt.runtime.auth.JWTAuthMechanism;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticationMechanism;
import io.quarkus.vertx.http.runtime.security.HttpCredentialTransport;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.jwt.util.KeyUtils;
import io.smallrye.jwt.util.ResourceUtils;
import io.smallrye.mutiny.Uni;
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

    private static final String KEY = "mp.jwt.verify.publickey";
    private static final String LOCATION = "mp.jwt.verify.publickey.location";
    private static final List<String> KEYS = List.of(KEY, LOCATION, "smallrye.jwt.verify.key.location");

    private final JWTAuthMechanism jwt;
    private final boolean configured;

    JwtOnlyMechanism(JWTAuthMechanism jwt, Config config) {
        this.jwt = jwt;
        this.configured = KEYS.stream()
                .anyMatch(key -> config.getOptionalValue(key, String.class).filter(value -> !"NONE".equals(value)).isPresent());
    }

    void validate(@Observes ConfigProblems problems, Config config) {
        config.getOptionalValue(LOCATION, String.class).filter(location -> !location.startsWith("http")).ifPresent(location -> {
            try {
                if (ResourceUtils.readResource(location) == null) {
                    problems.add(LOCATION, location, "a file, a resource or an http(s) URL; not found");
                }
            } catch (IOException e) {
                problems.add(LOCATION, location, "a file, a resource or an http(s) URL; it cannot be read");
            }
        });
        config.getOptionalValue(KEY, String.class).filter(key -> !"NONE".equals(key)).ifPresent(key -> {
            if (!readable(key)) {
                problems.add(KEY, "(not shown)", "a public key (RSA or EC): PEM, base64, JWK or JWK set");
            }
        });
    }

    private static boolean readable(String key) {
        for (var algorithm : List.of(SignatureAlgorithm.RS256, SignatureAlgorithm.ES256)) {
            try {
                KeyUtils.decodePublicKey(key, algorithm);
                return true;
            } catch (GeneralSecurityException | IllegalArgumentException e) {
                // not a key for this algorithm
            }
        }
        try {
            return !KeyUtils.loadJsonWebKeys(key).isEmpty();
        } catch (RuntimeException e) {
            return false;
        }
    }

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
        if (!configured) {
            return Uni.createFrom().nullItem();
        }
        var authorizations = context.request().headers().getAll("Authorization");
        if (authorizations.stream().noneMatch(JwtOnlyMechanism::bearsJwt)) {
            return Uni.createFrom().nullItem();
        }
        // The upstream might interpret any other form differently, and derive another identity than Sluice.
        return authorizations.size() == 1
                && authorizations.get(0).regionMatches(true, 0, BearerToken.PREFIX, 0, BearerToken.PREFIX.length())
                && authorizations.get(0).charAt(BearerToken.PREFIX.length()) > ' '
                        ? jwt.authenticate(context, providers)
                        : Uni.createFrom().failure(
                                new AuthenticationFailedException("exactly one token in one Authorization header is required"));
    }

    /** Returns whether the value is a Bearer compact JWS, with any white space. */
    public static boolean bearsJwt(String authorization) {
        var stripped = authorization.strip();
        int scheme = BearerToken.PREFIX.length() - 1;
        if (stripped.length() <= scheme || !stripped.regionMatches(true, 0, BearerToken.PREFIX, 0, scheme)
                || !Character.isWhitespace(stripped.charAt(scheme))) {
            return false;
        }
        var token = stripped.substring(scheme).strip();
        int first = token.indexOf('.');
        int last = token.lastIndexOf('.');
        if (first <= 0 || token.indexOf('.', first + 1) != last || first == last) {
            return false;
        }
        try {
            var header = new String(Base64.getUrlDecoder().decode(token.substring(0, first)), StandardCharsets.UTF_8);
            return header.startsWith("{") && header.contains("\"alg\"");
        } catch (IllegalArgumentException e) {
            return false;
        }
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
