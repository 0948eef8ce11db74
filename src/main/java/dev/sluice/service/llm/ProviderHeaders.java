package dev.sluice.service.llm;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.http.RateLimitHeaders;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderType;
import dev.sluice.policy.RequestPath;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.llm.LlmCallerResolver.LlmCaller;
import dev.sluice.service.token.KeySyntax;
import dev.sluice.service.token.OwnCredentials;
import dev.sluice.text.FieldNames;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;

/** Builds request headers for a provider and cleans the headers of its responses. */
@ApplicationScoped
class ProviderHeaders {

    /** Headers that may carry an API key. */
    private static final Set<String> KEY_HEADERS = Set.of("authorization", "x-api-key", "x-goog-api-key",
            RequestKeys.AZURE_KEY);

    /** gzip, requested with a weight other than zero. */
    private static final Pattern GZIP = Pattern.compile("(^|[,\\s])gzip\\s*($|,|;(?!\\s*q=0(\\.0*)?\\s*($|,)))",
            Pattern.CASE_INSENSITIVE);

    /**
     * Headers that select whom the provider bills, or what of an account the call may use. They belong to a key: with Sluice's,
     * Sluice's own account counts.
     */
    private static final Set<String> ACCOUNT_HEADERS = Set.of("openai-organization", "openai-project", "x-goog-user-project");
    /**
     * Parameters of Google's APIs that select whom the provider bills, or wrap the response in a script, so that its usage cannot
     * be read. Each may begin with a dollar sign.
     *
     * @see <a href="https://cloud.google.com/apis/docs/system-parameters">System parameters</a>
     */
    private static final Set<String> ACCOUNT_PARAMETERS = Set.of("userproject", "callback");
    /**
     * Parameters of Google's APIs that replace the key. They are never forwarded: the key that is counted, and proven by a
     * successful call, must be the one that Google checks.
     */
    private static final Set<String> TOKEN_PARAMETERS = Set.of("access_token", "oauth_token", "bearer_token");
    private static final String FIELD_MASK = "X-Goog-FieldMask";
    /** Response formats of Google from which usage can be extracted. */
    private static final Set<String> READABLE_FORMATS = Set.of("sse", "json");

    private final OwnCredentials ownCredentials;
    private final ForwardedHeaders forwardedHeaders;
    private final Providers providers;

    ProviderHeaders(OwnCredentials ownCredentials, ForwardedHeaders forwardedHeaders, Providers providers) {
        this.providers = providers;
        this.ownCredentials = ownCredentials;
        this.forwardedHeaders = forwardedHeaders;
    }

    /**
     * Returns the headers of the caller that are on the allow-list, with the key for the provider and only content encodings that
     * can be decoded.
     *
     * @param rewritten whether the response will be modified
     */
    MultiMap forRequest(HttpServerRequest request, Provider provider, LlmCaller caller, boolean rewritten) {
        var headers = HttpHeaders.headers();
        var connectionOptions = connectionOptions(request.headers());
        for (var header : request.headers()) {
            var name = header.getKey();
            var plainName = FieldNames.asSeenByCgi(name);
            if (!connectionOptions.isEmpty() && connectionOptions.contains(name.toLowerCase(Locale.ROOT))) {
                continue;
            }
            if (!caller.ownKey() && ACCOUNT_HEADERS.contains(plainName)) {
                continue;
            }
            if (KEY_HEADERS.contains(plainName)) {
                if (caller.ownKey() && caller.key().equals(KeySyntax.ofHeader(header.getValue()))) {
                    setOwnKey(headers, name, header.getValue(), caller.key());
                }
            } else if (forwardedHeaders.contains(name) && !ownCredentials.isCarriedBy(header.getValue())) {
                headers.add(name, header.getValue());
            }
        }
        var accepted = headers.get(HttpHeaders.ACCEPT_ENCODING);
        if (accepted != null) {
            headers.set(HttpHeaders.ACCEPT_ENCODING,
                    !rewritten && GZIP.matcher(accepted).find() ? "gzip" : "identity");
        }
        addKey(headers, provider, caller, isGeminiInOpenAiForm(request, provider));
        providers.config(provider).headers().forEach(headers::set);
        return headers;
    }

    /** Returns the names of hop-by-hop headers that a request lists itself, in lower case. */
    private static Set<String> connectionOptions(MultiMap headers) {
        var lines = headers.getAll(HttpHeaders.CONNECTION);
        var names = lines.isEmpty() ? Set.<String>of() : new HashSet<String>();
        for (var line : lines) {
            for (var name : line.split(",")) {
                names.add(name.strip().toLowerCase(Locale.ROOT));
            }
        }
        return names;
    }

    private static boolean isGeminiInOpenAiForm(HttpServerRequest request, Provider provider) {
        return provider.is(ProviderType.GEMINI)
                && request.path().startsWith(ProviderOperation.GEMINI_OPENAI_FORM + '/', provider.id().length() + 1);
    }

    /** Adds Sluice's key for the provider, unless the caller's own is forwarded. */
    private void addKey(MultiMap headers, Provider provider, LlmCaller caller, boolean geminiInOpenAiForm) {
        if (caller.ownKey() || caller.key() == null) {
            return;
        }
        if (geminiInOpenAiForm) { // the form in which Google documents it; two keys are rejected
            headers.set(RequestKeys.AUTHORIZATION, "Bearer " + caller.key());
        } else {
            headers.set(providers.authHeader(provider), providers.authValue(provider, caller.key()));
        }
    }

    /** Sets a header to the caller's own key as it was counted, whatever its spelling. */
    private static void setOwnKey(MultiMap headers, String name, String value, String key) {
        if (!name.equalsIgnoreCase(RequestKeys.AUTHORIZATION)) {
            headers.set(name, key);
        } else if (KeySyntax.ofAuthorization(value) != null) {
            headers.set(name, "Bearer " + key);
        }
    }

    /** Returns whether a request to Google overrides its method, or with Sluice's key requests a response without usage. */
    static boolean changesMethodOrHidesUsage(HttpServerRequest request, Provider provider, LlmCaller caller) {
        if (!provider.is(ProviderType.GEMINI)) {
            return false;
        }
        if (!caller.ownKey() && request.headers().contains(FIELD_MASK)) {
            return true;
        }
        var query = request.query();
        for (var part : query == null ? new String[0] : query.split("&")) {
            for (var parameter : ProviderQuery.parameters(part).entrySet()) {
                var name = systemParameter(parameter.getKey());
                boolean readable = !name.equals("alt") || READABLE_FORMATS.contains(parameter.getValue().get(0));
                if (name.equalsIgnoreCase("httpMethod") || !caller.ownKey() && (name.equals("fields") || !readable)) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Returns the query as it was sent, with its question mark, without credentials for Sluice and what Sluice's key does not go
     * with.
     */
    String forwardedQuery(HttpServerRequest request, Provider provider, LlmCaller caller) {
        var query = request.query();
        var added = providers.query(provider);
        if (added.isEmpty() && (query == null || query.isEmpty())) {
            return "";
        }
        var kept = new StringBuilder();
        for (var part : query == null || query.isEmpty() ? new String[0] : query.split("&", -1)) {
            if (isForwarded(part, provider, caller)) {
                kept.append(kept.isEmpty() ? '?' : '&').append(withNormalizedKey(part, caller));
            }
        }
        if (!added.isEmpty()) {
            kept.append(kept.isEmpty() ? '?' : '&').append(added);
        }
        return RequestPath.toAscii(kept.toString());
    }

    private boolean isForwarded(String part, Provider provider, LlmCaller caller) {
        var own = caller.ownKey() ? caller.key() : null;
        var replaced = providers.config(provider).query();
        for (var parameter : ProviderQuery.parameters(part).entrySet()) {
            if (replaced.containsKey(parameter.getKey())) {
                return false;
            }
            var name = systemParameter(parameter.getKey()).toLowerCase(Locale.ROOT);
            for (var value : parameter.getValue()) {
                var key = KeySyntax.normalize(value);
                if (ownCredentials.contains(key) || name.equals(RequestKeys.QUERY_KEY) && !key.equals(own)) {
                    return false;
                }
            }
            if (provider.is(ProviderType.GEMINI) && (TOKEN_PARAMETERS.contains(name)
                    || !caller.ownKey() && ACCOUNT_PARAMETERS.contains(name))) {
                return false;
            }
        }
        return true;
    }

    /** Returns a forwarded part of the query; the caller's own key in it as it was counted, whatever its spelling. */
    private static String withNormalizedKey(String part, LlmCaller caller) {
        if (!caller.ownKey()) {
            return part;
        }
        for (var parameter : ProviderQuery.parameters(part).entrySet()) {
            if (systemParameter(parameter.getKey()).equalsIgnoreCase(RequestKeys.QUERY_KEY)
                    && !parameter.getValue().equals(List.of(caller.key()))) {
                return parameter.getKey() + '=' + URLEncoder.encode(caller.key(), StandardCharsets.UTF_8);
            }
        }
        return part;
    }

    /** Returns the name of a parameter without the dollar sign with which the names of system parameters may begin. */
    private static String systemParameter(String name) {
        return name.startsWith("$") ? name.substring(1) : name;
    }

    /** Removes headers that Sluice sets itself from a response. */
    static void cleanResponse(MultiMap headers, MultiMap responseHeaders) {
        Cors.removeAll(headers);
        RateLimitHeaders.removeOverridden(headers, responseHeaders);
    }
}
