package dev.sluice.service.token;

import java.util.Arrays;
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

    /** Fields in which Sluice accepts credentials, in lower case. */
    private static final String[] FIELDS = {"authorization", "x-api-key", "x-goog-api-key", "api-key"};
    private static final String QUERY_FIELD = "key";
    private static final Pattern PARTS = Pattern.compile("&");

    private final ApiKeyResolver apiKeys;
    private final AdminTokens tokens;

    OwnCredentials(ApiKeyResolver apiKeys, AdminTokens tokens) {
        this.apiKeys = apiKeys;
        this.tokens = tokens;
    }

    /** Returns whether Sluice accepts credentials in a field. */
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
     * Returns whether the value of a field is a credential of Sluice, however it is {@linkplain KeySyntax written}, or has one between
     * other characters than those of keys.
     */
    public boolean isCarriedBy(String value) {
        if (!tokens.hasTokens() && !apiKeys.hasKeys() && !value.contains(ApiKeyResolver.KEY_PREFIX)) {
            return false;
        }
        var text = KeySyntax.ofHeader(value);
        return contains(text) || KeySyntax.hasSeparator(text) && KeySyntax.containsKey(text, this::contains);
    }

    /** Returns a target without the parameters {@code key} that are a credential of Sluice. */
    public String removeFrom(String target) {
        int query = target.indexOf('?');
        if (query < 0 || target.indexOf(QUERY_FIELD + '=', query) < 0 && target.indexOf('%', query) < 0) {
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
            return new QueryStringDecoder(part, false).parameters().getOrDefault(QUERY_FIELD, List.of()).stream()
                    .anyMatch(value -> contains(KeySyntax.normalize(value)));
        } catch (IllegalArgumentException e) {
            return false; // a lone percent sign
        }
    }
}
