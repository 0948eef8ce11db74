package dev.sluice.service.llm;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.http.RateLimitHeaders;
import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.policy.RequestPath;
import dev.sluice.service.auth.BearerToken;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.gateway.UpstreamHeaders;
import dev.sluice.service.llm.LlmCallerResolver.LlmCaller;
import dev.sluice.service.proxy.HopByHopHeaders;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;

/** Builds request headers for a provider and cleans the headers of its responses. */
@ApplicationScoped
class ProviderHeaders {

    /** Headers that may carry an API key. */
    private static final Set<String> KEY_HEADERS = Set.of("authorization", "x-api-key", "x-goog-api-key");
    /** Method override headers, which could turn a harmless request into another one. */
    private static final List<String> METHOD_OVERRIDES = List.of("X-HTTP-Method-Override", "X-HTTP-Method",
            "X-Method-Override");

    /** gzip, requested with a weight other than zero. */
    private static final Pattern GZIP = Pattern.compile("(^|[,\\s])gzip\\s*($|,|;(?!\\s*q=0(\\.0*)?\\s*($|,)))",
            Pattern.CASE_INSENSITIVE);

    private static final String FIELD_MASK = "X-Goog-FieldMask";
    /** Response formats of Google from which usage can be extracted. */
    private static final Set<String> READABLE_FORMATS = Set.of("sse", "json");

    private final ApiKeyRegistry apiKeys;

    ProviderHeaders(ApiKeyRegistry apiKeys) {
        this.apiKeys = apiKeys;
    }

    /**
     * Returns the headers of the caller, with the key for the provider and only content encodings that can be decoded.
     *
     * @param caller null for none
     * @param rewritten whether the response will be modified
     */
    MultiMap forRequest(HttpServerRequest request, Provider provider, LlmCaller caller, boolean rewritten) {
        var headers = HttpHeaders.headers().addAll(request.headers());
        HopByHopHeaders.removeFromRequest(headers);
        UpstreamHeaders.removeIdentity(headers);
        headers.remove(HttpHeaders.CONNECTION).remove("Keep-Alive").remove(HttpHeaders.TRANSFER_ENCODING)
                .remove(HttpHeaders.CONTENT_LENGTH).remove(HttpHeaders.HOST).remove(HttpHeaders.COOKIE).remove("Upgrade")
                .remove("TE").remove("Proxy-Authorization").remove("Proxy-Connection").remove("HTTP2-Settings");
        METHOD_OVERRIDES.forEach(headers::remove);
        var accepted = headers.get(HttpHeaders.ACCEPT_ENCODING);
        if (accepted != null) {
            headers.set(HttpHeaders.ACCEPT_ENCODING,
                    !rewritten && GZIP.matcher(accepted).find() ? "gzip" : "identity");
        }
        replaceKeys(headers, provider, caller);
        return headers;
    }

    /** Forwards exactly one key, the one that was checked; credentials for Sluice are never forwarded. */
    private void replaceKeys(MultiMap headers, Provider provider, LlmCaller caller) {
        for (var name : List.copyOf(headers.names())) {
            var values = headers.getAll(name);
            if (KEY_HEADERS.contains(name.replace('_', '-').toLowerCase(Locale.ROOT))) {
                headers.remove(name);
                if (caller != null && caller.ownKey()) {
                    values.stream().filter(value -> caller.key().equals(extractKey(value))).findFirst()
                            .ifPresent(value -> headers.set(name, value));
                }
            } else if (values.stream().anyMatch(value -> apiKeys.isKey(extractKey(value)))) {
                headers.remove(name);
            }
        }
        if (caller == null || caller.ownKey()) {
            return;
        }
        switch (provider) {
            case OPENAI -> headers.set(LlmCallerResolver.AUTHORIZATION, "Bearer " + caller.key());
            case ANTHROPIC -> headers.set("x-api-key", caller.key());
            case GEMINI -> headers.set(LlmCallerResolver.GOOGLE_KEY, caller.key());
        }
    }

    /** Returns the API key in a header value, with or without the Bearer scheme. */
    private static String extractKey(String value) {
        var bearer = BearerToken.of(value);
        return bearer == null ? value.strip() : bearer;
    }

    /** Returns whether a request to Google overrides its method, or with Sluice's key requests a response without usage. */
    static boolean changesMethodOrHidesUsage(HttpServerRequest request, Provider provider, LlmCaller caller) {
        if (provider != Provider.GEMINI) {
            return false;
        }
        if (!caller.ownKey() && request.headers().contains(FIELD_MASK)) {
            return true;
        }
        var query = request.query();
        for (var part : query == null ? new String[0] : query.split("&")) {
            for (var parameter : LlmCallerResolver.parameters(part).entrySet()) {
                var name = parameter.getKey().startsWith("$") ? parameter.getKey().substring(1) : parameter.getKey();
                boolean readable = !name.equals("alt") || READABLE_FORMATS.contains(parameter.getValue().get(0));
                if (name.equalsIgnoreCase("httpMethod") || !caller.ownKey() && (name.equals("fields") || !readable)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Returns the query as it was sent, with its question mark, without credentials for Sluice. */
    String forwardedQuery(HttpServerRequest request, LlmCaller caller) {
        var query = request.query();
        if (query == null || query.isEmpty()) {
            return "";
        }
        var own = caller != null && caller.ownKey() ? caller.key() : null;
        var kept = new StringBuilder();
        for (var part : query.split("&", -1)) {
            if (isForwarded(part, own)) {
                kept.append(kept.isEmpty() ? '?' : '&').append(part);
            }
        }
        return RequestPath.toAscii(kept.toString());
    }

    private boolean isForwarded(String part, String own) {
        for (var parameter : LlmCallerResolver.parameters(part).entrySet()) {
            for (var value : parameter.getValue()) {
                if (apiKeys.find(value) != null || parameter.getKey().equalsIgnoreCase(LlmCallerResolver.QUERY_KEY)
                        && !value.equals(own)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Removes headers that Sluice sets itself from a response. */
    static void cleanResponse(MultiMap headers, MultiMap responseHeaders) {
        Cors.removeAll(headers);
        RateLimitHeaders.removeOverridden(headers, responseHeaders);
    }
}
