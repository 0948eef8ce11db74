package dev.sluice.service.gateway;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.http.RateLimitHeaders;
import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.identity.ClientAddressResolver;
import dev.sluice.identity.IdentityHeaders;
import dev.sluice.identity.PercentEncoding;
import dev.sluice.policy.Caller;
import dev.sluice.service.edge.SecurityHeaders;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;

/**
 * Builds the request headers for the upstream: those of the client, except hop-by-hop headers and those that only Sluice may
 * set.
 */
@ApplicationScoped
public class UpstreamHeaders {

    private static final String FORWARDED_FOR = "X-Forwarded-For";
    private static final String FORWARDED_PROTO = "X-Forwarded-Proto";
    private static final String FORWARDED_HOST = "X-Forwarded-Host";
    /** Connection options, and headers for framing and routing. */
    private static final Set<String> NEVER_REMOVED = Set.of("close", "keep-alive", "upgrade", "content-length",
            "transfer-encoding", "host");

    private final ApiKeyRegistry apiKeys;
    private final ClientAddressResolver addresses;

    UpstreamHeaders(ApiKeyRegistry apiKeys, ClientAddressResolver addresses) {
        this.apiKeys = apiKeys;
        this.addresses = addresses;
    }

    /** @param caller null if the caller was not resolved */
    MultiMap forRequest(HttpServerRequest request, Caller caller) {
        var headers = HttpHeaders.headers().addAll(request.headers());
        removeHopByHop(headers);
        removeIdentity(headers);
        var key = headers.get(ApiKeyRegistry.HEADER);
        if (key != null && apiKeys.find(key) != null) {
            headers.remove(ApiKeyRegistry.HEADER);
        }
        addForwarded(request, headers);
        if (caller != null && caller.identity().userName().isPresent()) {
            headers.set(IdentityHeaders.USER_ID, percentEncode(caller.identity().userName().get()));
            headers.set(IdentityHeaders.USER_TIER, percentEncode(caller.tier()));
        }
        return headers;
    }

    /** Removes hop-by-hop headers named in Connection, and Expect, which has been handled already. */
    public static void removeHopByHop(MultiMap headers) {
        for (var line : headers.getAll(HttpHeaders.CONNECTION)) {
            for (var name : line.split(",")) {
                if (!name.isBlank() && !NEVER_REMOVED.contains(name.strip().toLowerCase(Locale.ROOT))) {
                    headers.remove(name.strip());
                }
            }
        }
        headers.remove(HttpHeaders.EXPECT);
    }

    /** Removes hop-by-hop headers, and headers that Sluice sets itself, from a response of the upstream. */
    static void cleanResponse(MultiMap headers, HttpServerResponse response) {
        SecurityHeaders.remove(response.headers());
        removeHopByHop(headers);
        headers.remove(HttpHeaders.CONNECTION).remove("Keep-Alive");
        RateLimitHeaders.removeOverridden(headers, response.headers());
    }

    /** Removes identity headers, including variants with underscores, which CGI and WSGI do not distinguish. */
    public static void removeIdentity(MultiMap headers) {
        for (var name : List.copyOf(headers.names())) {
            var dashed = name.replace('_', '-');
            if (dashed.equalsIgnoreCase(IdentityHeaders.USER_ID) || dashed.equalsIgnoreCase(IdentityHeaders.USER_TIER)) {
                headers.remove(name);
            }
        }
    }

    private void addForwarded(HttpServerRequest request, MultiMap headers) {
        boolean trusted = addresses.isFromTrustedProxy(request);
        var peer = request.remoteAddress() == null ? null : request.remoteAddress().hostAddress();
        var chain = trusted ? String.join(", ", headers.getAll(FORWARDED_FOR)) : "";
        if (peer != null) {
            headers.set(FORWARDED_FOR, chain.isEmpty() ? peer : chain + ", " + peer);
        }
        if (!trusted) {
            headers.remove("Forwarded");
        }
        if (!trusted || !headers.contains(FORWARDED_PROTO)) {
            headers.set(FORWARDED_PROTO, request.scheme() == null ? "http" : request.scheme());
        }
        if (!trusted || !headers.contains(FORWARDED_HOST)) {
            headers.remove(FORWARDED_HOST);
            if (request.authority() != null) {
                headers.set(FORWARDED_HOST, request.authority().toString());
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
