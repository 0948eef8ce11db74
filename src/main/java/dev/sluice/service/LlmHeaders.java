package dev.sluice.service;

import java.util.Locale;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.caller.ApiKeys;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.llm.wire.Provider;
import dev.sluice.policy.Caller;
import dev.sluice.service.LlmCallers.LlmCaller;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;

/** What a provider is told of a call, and what the caller is told of the answer. */
@ApplicationScoped
class LlmHeaders {

    private static final String AUTHORIZATION = "Authorization";

    private final ApiKeys apiKeys;

    LlmHeaders(ApiKeys apiKeys) {
        this.apiKeys = apiKeys;
    }

    /**
     * All that the caller said, but the key is the provider's, and no encoding is asked for that cannot be read.
     *
     * @param caller null for nobody
     * @param rewritten whether the answer will be changed on its way
     */
    MultiMap of(HttpServerRequest request, Provider provider, LlmCaller caller, boolean rewritten) {
        var headers = HttpHeaders.headers().addAll(request.headers());
        UpstreamHeaders.dropHopByHop(headers);
        UpstreamHeaders.dropIdentity(headers);
        headers.remove(HttpHeaders.CONNECTION).remove("Keep-Alive").remove(HttpHeaders.TRANSFER_ENCODING)
                .remove(HttpHeaders.CONTENT_LENGTH).remove(HttpHeaders.HOST).remove(HttpHeaders.COOKIE).remove("Upgrade")
                .remove("TE").remove("Proxy-Authorization");
        var accepted = headers.get(HttpHeaders.ACCEPT_ENCODING);
        if (accepted != null) {
            headers.set(HttpHeaders.ACCEPT_ENCODING,
                    !rewritten && accepted.toLowerCase(Locale.ROOT).contains("gzip") ? "gzip" : "identity");
        }
        if (caller != null) {
            key(headers, provider, caller);
        }
        return headers;
    }

    private void key(MultiMap headers, Provider provider, LlmCaller caller) {
        if (caller.ownKey()) {
            dropOurs(headers, caller.caller());
            return;
        }
        headers.remove(AUTHORIZATION).remove(ApiKeys.HEADER).remove(LlmCallers.GOOGLE_KEY);
        switch (provider) {
            case OPENAI -> headers.set(AUTHORIZATION, "Bearer " + caller.key());
            case ANTHROPIC -> headers.set("x-api-key", caller.key());
            case GEMINI -> headers.set(LlmCallers.GOOGLE_KEY, caller.key());
        }
    }

    /** What the caller showed to Sluice is not the provider's business. */
    private void dropOurs(MultiMap headers, Caller caller) {
        for (var name : new String[]{ApiKeys.HEADER, LlmCallers.GOOGLE_KEY}) {
            var value = headers.get(name);
            if (value != null && apiKeys.find(value) != null) {
                headers.remove(name);
            }
        }
        var bearer = headers.get(AUTHORIZATION);
        if (bearer != null && (caller.identity().source() == dev.sluice.caller.Identity.Source.PRINCIPAL
                || bearer.length() > 7 && apiKeys.find(bearer.substring(7).strip()) != null)) {
            headers.remove(AUTHORIZATION);
        }
    }

    /** The query as it was sent, with its question mark, without what Sluice was shown in it. */
    String query(HttpServerRequest request, LlmCaller caller) {
        var query = request.query();
        if (query == null || query.isEmpty()) {
            return "";
        }
        var kept = new StringBuilder();
        for (var part : query.split("&", -1)) {
            var parameters = new QueryStringDecoder(part, false).parameters();
            var values = parameters.get(LlmCallers.QUERY_KEY);
            if (values != null && (caller == null || !caller.ownKey() || apiKeys.find(values.get(0)) != null)) {
                continue;
            }
            kept.append(kept.isEmpty() ? '?' : '&').append(part);
        }
        return kept.toString();
    }

    /** Takes off an answer what is for the next hop only, and what Sluice says itself. */
    static void clean(MultiMap headers, MultiMap answered) {
        UpstreamHeaders.dropHopByHop(headers);
        headers.remove(HttpHeaders.CONNECTION).remove("Keep-Alive").remove(HttpHeaders.TRANSFER_ENCODING).remove("Upgrade");
        if (answered.contains(RateLimitHeaders.LIMIT)) {
            RateLimitHeaders.NAMES.forEach(headers::remove);
        }
    }
}
