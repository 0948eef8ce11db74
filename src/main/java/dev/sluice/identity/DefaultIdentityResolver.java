package dev.sluice.identity;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.BiConsumer;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Instance;

import org.eclipse.microprofile.jwt.JsonWebToken;

import io.quarkus.arc.DefaultBean;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.vertx.http.runtime.security.QuarkusHttpUser;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Principal, else API key, else a trusted proxy's headers, else the client's address. */
@ApplicationScoped
@DefaultBean
public class DefaultIdentityResolver implements IdentityResolver {

    private static final String TIER = "tier";
    private static final BiConsumer<RoutingContext, Throwable> TELL_NOBODY = (request, failure) -> {
    };

    private final ApiKeyRegistry apiKeys;
    private final ClientAddressResolver clientAddress;
    private final Instance<IdentityProviderManager> security;
    private final boolean secured;
    private final AnonymousRequestDetector anonymity;

    DefaultIdentityResolver(ApiKeyRegistry apiKeys, ClientAddressResolver clientAddress,
            Instance<IdentityProviderManager> security,
            Instance<AnonymousRequestDetector> anonymity) {
        this.secured = !security.isUnsatisfied();
        this.anonymity = anonymity.isUnsatisfied() ? request -> false : anonymity.get();
        this.apiKeys = apiKeys;
        this.clientAddress = clientAddress;
        this.security = security;
    }

    /**
     * Who is calling, where that can be told without waiting; null where authentication has to be asked.
     *
     * @throws CredentialsRejectedException where credentials came and do not hold
     */
    public Identity resolveNow(RoutingContext request) {
        return secured && !anonymity.isCertainlyAnonymous(request) ? null : withoutPrincipal(request);
    }

    @Override
    public Uni<Identity> resolve(RoutingContext request) {
        if (!secured) {
            return Uni.createFrom().item(() -> withoutPrincipal(request));
        }
        // With lazy authentication the first to ask is who tells the caller of a failure: we do, and nobody else before us.
        Object teller = request.get(QuarkusHttpUser.AUTH_FAILURE_HANDLER);
        request.put(QuarkusHttpUser.AUTH_FAILURE_HANDLER, TELL_NOBODY);
        return QuarkusHttpUser.getSecurityIdentity(request, security.get())
                .onTermination().invoke(() -> request.put(QuarkusHttpUser.AUTH_FAILURE_HANDLER, teller))
                .map(identity -> identity == null || identity.isAnonymous() ? withoutPrincipal(request) : principal(identity))
                .onFailure(AuthenticationFailedException.class)
                .transform(failure -> new CredentialsRejectedException("The token does not verify"));
    }

    private static Identity principal(SecurityIdentity identity) {
        var principal = identity.getPrincipal();
        var name = principal.getName();
        Object tier = identity.getAttribute(TIER);
        if (principal instanceof JsonWebToken token) {
            name = token.getSubject() == null ? name : token.getSubject();
            tier = token.getClaim(TIER);
        }
        if (name == null || name.isEmpty()) {
            throw new CredentialsRejectedException("The token names nobody: it has no sub");
        }
        return Identity.user(name, Identity.Source.PRINCIPAL, tier == null ? null : tier.toString());
    }

    /** A header's characters stand for bytes; where these are UTF-8, what they say. */
    private static String utf8(String header) {
        if (isAscii(header)) {
            return header;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(header.getBytes(StandardCharsets.ISO_8859_1)))
                    .toString();
        } catch (CharacterCodingException e) {
            return header;
        }
    }

    private static boolean isAscii(String header) {
        for (int i = 0; i < header.length(); i++) {
            if (header.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    private Identity withoutPrincipal(RoutingContext context) {
        var request = context.request();
        var key = apiKeys.hasKeys() ? request.getHeader(ApiKeyRegistry.HEADER) : null;
        if (key != null) {
            var owner = apiKeys.find(key);
            if (owner == null) {
                throw new CredentialsRejectedException("The API key is not known");
            }
            return owner;
        }
        var user = request.getHeader(IdentityHeaders.USER_ID);
        if (user != null && !user.isBlank() && clientAddress.isFromTrustedProxy(request)) {
            return Identity.user(utf8(user), Identity.Source.TRUSTED_HEADER, request.getHeader(IdentityHeaders.USER_TIER));
        }
        return clientAddress.identity(request);
    }
}
