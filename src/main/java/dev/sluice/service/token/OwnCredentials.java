package dev.sluice.service.token;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.identity.ApiKeyResolver;
import io.netty.handler.codec.http.QueryStringDecoder;

/**
 * Finds Sluice's own credentials in requests to upstreams and providers, which must not receive them: API keys, the API token and admin
 * tokens. They may be there because a path is misspelt, or beside the credential that counts. Thread-safe.
 */
@ApplicationScoped
public class OwnCredentials {

    /** Fields in which Sluice accepts credentials, and those in which clients send them to proxies, in lower case. */
    private static final String[] FIELDS = {"authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "api-key",
            "x-auth-token", "x-access-token"};
    /** Parameters in which Sluice accepts credentials, and that of RFC 6750, 2.3. */
    private static final List<String> QUERY_FIELDS = List.of("key", "access_token", "api_key", "token");
    private static final String BASIC = "Basic ";
    private static final Pattern PARTS = Pattern.compile("&");

    private final ApiKeyResolver apiKeys;
    private final AdminTokens tokens;

    OwnCredentials(ApiKeyResolver apiKeys, AdminTokens tokens) {
        this.apiKeys = apiKeys;
        this.tokens = tokens;
    }

    /** Returns whether a field may carry credentials of Sluice. */
    public static boolean isCredentialField(String name) {
        for (var field : FIELDS) {
            if (name.equalsIgnoreCase(field)) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether a text is a credential of Sluice: see {@link ApiKeyResolver#isKey}. Does not read Redis. */
    public boolean contains(String text) {
        return tokens.isToken(text) || apiKeys.isKey(text);
    }

    /**
     * Returns whether the value of a field is a credential of Sluice, however it is {@linkplain KeySyntax written}, has one between
     * other characters than those of keys, or as the user name or password of the scheme Basic.
     */
    public boolean isCarriedBy(String value) {
        var text = KeySyntax.ofHeader(value);
        if (text.regionMatches(true, 0, BASIC, 0, BASIC.length()) && isInBasic(text.substring(BASIC.length()).strip())) {
            return true;
        }
        if (!tokens.hasTokens() && !apiKeys.hasKeys() && !value.contains(ApiKeyResolver.KEY_PREFIX)) {
            return false;
        }
        return contains(text) || KeySyntax.hasSeparator(text) && KeySyntax.containsKey(text, this::contains);
    }

    /** @param encoded user name and password (RFC 7617, 2) */
    private boolean isInBasic(String encoded) {
        try {
            var pair = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
            int colon = pair.indexOf(':');
            return contains(KeySyntax.normalize(pair.substring(colon + 1)))
                    || colon > 0 && contains(KeySyntax.normalize(pair.substring(0, colon)));
        } catch (IllegalArgumentException e) {
            return false; // no base64: the upstream's own
        }
    }

    /** Returns a target without the parameters for credentials that are one of Sluice. */
    public String removeFrom(String target) {
        int query = target.indexOf('?');
        if (query < 0 || target.indexOf('%', query) < 0
                && QUERY_FIELDS.stream().noneMatch(field -> target.indexOf(field + '=', query) >= 0)) {
            return target;
        }
        var parts = PARTS.split(target.substring(query + 1), -1);
        var kept = Arrays.stream(parts).filter(part -> !isCredential(part)).toList();
        return kept.size() == parts.length
                ? target
                : target.substring(0, query) + (kept.isEmpty() ? "" : '?' + String.join("&", kept));
    }

    private boolean isCredential(String part) {
        try {
            var parameters = new QueryStringDecoder(part, false).parameters();
            return QUERY_FIELDS.stream().flatMap(field -> parameters.getOrDefault(field, List.of()).stream())
                    .anyMatch(value -> contains(KeySyntax.normalize(value)));
        } catch (IllegalArgumentException e) {
            return false; // a lone percent sign
        }
    }
}
