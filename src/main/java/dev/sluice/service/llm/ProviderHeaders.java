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
import dev.sluice.service.edge.SecurityHeaders;
import dev.sluice.service.gateway.UpstreamHeaders;
import dev.sluice.service.llm.LlmCallerResolver.LlmCaller;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;

/** What a provider is told of a call, and what the caller is told of the answer. */
@ApplicationScoped
class ProviderHeaders {

    /** Where a key of anybody's may stand. */
    private static final Set<String> KEY_HEADERS = Set.of("authorization", "x-api-key", "x-goog-api-key");
    /** With these a request that looks harmless becomes another one. */
    private static final List<String> METHOD_OVERRIDES = List.of("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override");

    /** Asked for, and not with a weight of zero. */
    private static final Pattern GZIP = Pattern.compile("(^|[,\\s])gzip\\s*($|,|;(?!\\s*q=0(\\.0*)?\\s*($|,)))",
            Pattern.CASE_INSENSITIVE);

    private static final String FIELD_MASK = "X-Goog-FieldMask";
    /** In which forms Google may answer. */
    private static final Set<String> READABLE_FORMATS = Set.of("sse", "json");

    private final ApiKeyRegistry apiKeys;

    ProviderHeaders(ApiKeyRegistry apiKeys) {
        this.apiKeys = apiKeys;
    }

    /**
     * All that the caller said, but the key is the provider's, and no encoding is asked for that cannot be read.
     *
     * @param caller null for nobody
     * @param rewritten whether the answer will be changed on its way
     */
    MultiMap forRequest(HttpServerRequest request, Provider provider, LlmCaller caller, boolean rewritten) {
        var headers = HttpHeaders.headers().addAll(request.headers());
        UpstreamHeaders.removeHopByHop(headers);
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

    /** One key goes on, and it is the one that was looked at; what the caller showed to Sluice is not the provider's business. */
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

    /** The key in a header's value, if there is one in it. */
    private static String extractKey(String value) {
        var bearer = LlmCallerResolver.bearer(value);
        return bearer == null ? value.strip() : bearer;
    }

    /**
     * Whether a request to Google asks for another method than it has, or with Sluice's key for an answer in which the usage is
     * not to be found.
     */
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

    /** The query as it was sent, with its question mark, without what Sluice was shown in it. */
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
        return RequestPath.ascii(kept.toString());
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

    /** Takes off an answer what is for the next hop only, and what Sluice says itself. */
    static void cleanResponse(MultiMap headers, MultiMap responseHeaders) {
        SecurityHeaders.remove(responseHeaders);
        UpstreamHeaders.removeHopByHop(headers);
        headers.remove(HttpHeaders.CONNECTION).remove("Keep-Alive").remove("Proxy-Connection")
                .remove(HttpHeaders.TRANSFER_ENCODING)
                .remove("Upgrade");
        RateLimitHeaders.replaceIn(headers, responseHeaders);
    }
}
