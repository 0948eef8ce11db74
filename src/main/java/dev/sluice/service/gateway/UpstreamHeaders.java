package dev.sluice.service.gateway;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.http.RequestAuthority;
import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.identity.ApiKeyResolver;
import dev.sluice.identity.ClientAddressResolver;
import dev.sluice.identity.IdentityHeaders;
import dev.sluice.policy.Caller;
import dev.sluice.service.proxy.HopByHopHeaders;
import dev.sluice.service.token.OwnCredentials;
import dev.sluice.text.FieldNames;
import dev.sluice.text.PercentEncoding;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.headers.HeadersMultiMap;

/**
 * Builds the request headers for the upstream: those of the client, except hop-by-hop headers and those that only Sluice may
 * set.
 */
@ApplicationScoped
public class UpstreamHeaders {

    private static final String FORWARDED_FOR = "X-Forwarded-For";
    private static final String FORWARDED_PROTO = "X-Forwarded-Proto";
    private static final String FORWARDED_HOST = "X-Forwarded-Host";
    /** Fields that Sluice sets. */
    private static final Set<String> FORWARDING = Set.of("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host");
    private static final CharSequence WEBSOCKET = HttpHeaders.createOptimized("websocket");

    private final ApiKeyResolver apiKeys;
    private final OwnCredentials ownCredentials;
    private final ClientAddressResolver addresses;
    private final MethodOverrides methodOverrides;

    UpstreamHeaders(ApiKeyResolver apiKeys, OwnCredentials ownCredentials, ClientAddressResolver addresses,
            MethodOverrides methodOverrides) {
        this.methodOverrides = methodOverrides;
        this.apiKeys = apiKeys;
        this.ownCredentials = ownCredentials;
        this.addresses = addresses;
    }

    /**
     * @param caller null if the caller was not resolved
     * @param webSocket whether the request asks for an upgrade to WebSocket
     * @throws IllegalArgumentException if a field contains a character that HTTP/1 does not allow
     */
    MultiMap forRequest(HttpServerRequest request, Caller caller, boolean webSocket) {
        // HTTP/1 parsing has validated the fields already.
        var headers = (request.version() == HttpVersion.HTTP_2 ? HttpHeaders.headers() : HeadersMultiMap.headers())
                .addAll(request.headers());
        HopByHopHeaders.removeFromRequest(headers);
        if (webSocket) {
            headers.set(HttpHeaders.CONNECTION, HttpHeaders.UPGRADE).set(HttpHeaders.UPGRADE, WEBSOCKET);
        }
        boolean trusted = addresses.isFromTrustedProxy(request);
        removeReserved(headers, trusted);
        methodOverrides.removeFrom(headers);
        IdentityHeaders.ALL.forEach(headers::remove);
        addForwarded(request, headers, trusted);
        if (caller != null) {
            putIdentity(headers, caller);
        }
        return headers;
    }

    /** Names a caller to an upstream. Adds nothing if the caller is not a user; the team and the organisation, if there are any. */
    public static void putIdentity(MultiMap headers, Caller caller) {
        namesOf(caller).forEach((field, name) -> headers.set(field, percentEncode(name)));
    }

    private static Map<String, String> namesOf(Caller caller) {
        var names = new LinkedHashMap<String, String>();
        caller.identity().userName().ifPresent(user -> {
            names.put(IdentityHeaders.USER_ID, user);
            names.put(IdentityHeaders.USER_TIER, caller.tier());
        });
        var chain = caller.identity().chain();
        if (chain.team() != null) {
            names.put(IdentityHeaders.TEAM_ID, chain.team());
        }
        if (chain.org() != null) {
            names.put(IdentityHeaders.ORG_ID, chain.org());
        }
        return names;
    }

    /**
     * Returns the names, in lower case, of fields that must not reach the upstream from a request that another proxy forwards:
     * those that name the caller unless {@link #putIdentity} replaces them, credentials of Sluice, and fields that applications could take
     * for one of these.
     *
     * @param headers headers of the request
     */
    public Set<String> namesToRemove(MultiMap headers, Caller caller) {
        var names = new LinkedHashSet<String>();
        var replaced = namesOf(caller);
        for (var field : IdentityHeaders.ALL) {
            if (!replaced.containsKey(field)) {
                names.add(field.toLowerCase(Locale.ROOT));
            }
        }
        var key = headers.get(ApiKeyRegistry.HEADER);
        if (apiKeys.hasKeys() && (key == null || ownCredentials.isCarriedBy(key))) {
            names.add(ApiKeyRegistry.HEADER.toLowerCase(Locale.ROOT));
        }
        for (var header : headers) {
            if (isReserved(header.getKey(), header.getValue(), true)) {
                names.add(header.getKey().toLowerCase(Locale.ROOT));
            }
        }
        return names;
    }

    /** Removes fields with credentials of Sluice, and those that applications could take for one that Sluice sets. */
    private void removeReserved(MultiMap headers, boolean trusted) {
        List<String> reserved = null;
        for (var header : headers) {
            if (isReserved(header.getKey(), header.getValue(), trusted)) {
                reserved = reserved == null ? new ArrayList<>() : reserved;
                reserved.add(header.getKey());
            }
        }
        if (reserved != null) {
            reserved.forEach(headers::remove);
        }
    }

    private boolean isReserved(String field, String value, boolean trusted) {
        boolean plain = FieldNames.isPlain(field);
        var name = plain ? field : FieldNames.asSeenByCgi(field);
        if (OwnCredentials.isCredentialField(name)) {
            return ownCredentials.isCarriedBy(value);
        }
        return !plain && (isIdentity(name) || !trusted && FORWARDING.contains(name));
    }

    private static boolean isIdentity(String name) {
        for (var field : IdentityHeaders.ALL) {
            if (name.equalsIgnoreCase(field)) {
                return true;
            }
        }
        return false;
    }

    private static void addForwarded(HttpServerRequest request, MultiMap headers, boolean trusted) {
        var peer = request.remoteAddress() == null ? null : request.remoteAddress().hostAddress();
        var authority = RequestAuthority.of(request);
        if (authority != null && (!headers.contains(HttpHeaders.HOST) || !request.uri().startsWith("/"))) {
            headers.set(HttpHeaders.HOST, authority);
        }
        var chain = trusted ? String.join(", ", headers.getAll(FORWARDED_FOR)) : "";
        if (peer != null) {
            headers.set(FORWARDED_FOR, chain.isEmpty() ? peer : chain + ", " + peer);
        }
        if (!trusted) {
            headers.remove("Forwarded");
        }
        if (!trusted || !headers.contains(FORWARDED_PROTO)) {
            headers.set(FORWARDED_PROTO, request.connection().isSsl() ? "https" : "http");
        }
        if (!trusted || !headers.contains(FORWARDED_HOST)) {
            headers.remove(FORWARDED_HOST);
            if (authority != null) {
                headers.set(FORWARDED_HOST, authority);
            }
        }
    }

    /** Percent-encodes as UTF-8 all except visible ASCII; percent signs are encoded too. */
    private static String percentEncode(String name) {
        var encoded = new StringBuilder(name.length());
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            if (b >= ' ' && b < 0x7f && b != '%') {
                encoded.append((char) b);
            } else {
                PercentEncoding.append(encoded, b);
            }
        }
        return encoded.toString();
    }
}
