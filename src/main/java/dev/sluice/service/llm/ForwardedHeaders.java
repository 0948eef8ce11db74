package dev.sluice.service.llm;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.text.FieldNames;

/**
 * Allow-list of the request headers that are forwarded to a provider: those of HTTP that describe the request itself, and those
 * of the official SDKs and coding tools. Everything else stays in Sluice, such as the address of the end user, cookies, and
 * whatever proxies in front of Sluice add. Keys are handled by {@link ProviderHeaders}.
 */
@ApplicationScoped
class ForwardedHeaders {

    static final String SETTING = "rate-limit.llm.forwarded-headers";

    private static final Set<String> NAMES = Set.of(
            // HTTP: content, negotiation, partial and conditional downloads of files
            "accept", "accept-encoding", "accept-language", "content-encoding", "content-type", "user-agent", "range",
            "if-range",
            "if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
            // Retries and tracing
            "idempotency-key", "x-request-id", "x-client-request-id", "traceparent", "tracestate",
            // Timeout of google-genai
            "x-server-timeout",
            // Claude Code, Codex and other coding tools
            "x-app", "x-session-id", "originator", "session-id", "session_id", "conversation_id", "thread-id");
    private static final List<String> PREFIXES = List.of("openai-", "x-openai-", "x-stainless-", "anthropic-", "x-goog-",
            "x-codex-", "x-claude-code-");

    /** Never forwarded, not even if configured: keys, identity, addresses, method overrides, and headers of the connection. */
    private static final Set<String> RESERVED_NAMES = Set.of("authorization", "proxy-authorization", "x-api-key",
            "x-goog-api-key", "api-key", "cookie", "cookie2", "x-user-id", "x-user-tier", "forwarded", "via", "x-real-ip",
            "x-client-ip", "x-cluster-client-ip", "client-ip", "true-client-ip", "cf-connecting-ip", "fastly-client-ip",
            "x-http-method-override", "x-http-method", "x-method-override", "connection", "keep-alive", "proxy-connection",
            "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length", "expect", "http2-settings");
    /** Addresses; identity from Google's Identity-Aware Proxy. */
    private static final List<String> RESERVED_PREFIXES = List.of("x-forwarded-", "x-goog-authenticated-user-", "x-goog-iap-");

    private static final Pattern PATTERN = Pattern.compile("[a-z0-9!#$%&'+.^_`|~-]+\\*?");
    private static final String ALLOWED = "names of headers, separated by commas, * at the end of a name for all that begin with"
            + " it; keys, cookies, identity, addresses and headers of the connection cannot be forwarded";

    private final Set<String> names = new HashSet<>(NAMES);
    private final List<String> prefixes = new ArrayList<>(PREFIXES);
    private final ConfigProblems problems = new ConfigProblems();

    ForwardedHeaders(LlmConfig settings) {
        for (var configured : settings.forwardedHeaders().orElse(List.of())) {
            var pattern = configured.strip().toLowerCase(Locale.ROOT);
            boolean isPrefix = pattern.endsWith("*");
            var text = isPrefix ? pattern.substring(0, pattern.length() - 1) : pattern;
            if (!PATTERN.matcher(pattern).matches() || isPrefix && coversReserved(FieldNames.asSeenByCgi(text))
                    || isReserved(FieldNames.asSeenByCgi(text))) {
                problems.add(SETTING, configured, ALLOWED);
            } else if (isPrefix) {
                prefixes.add(text);
            } else {
                names.add(text);
            }
        }
    }

    void validate(@Observes ConfigProblems all) {
        all.addAll(problems);
    }

    /** Returns whether a header of this name is forwarded, unless its value is an API key of Sluice. */
    boolean contains(String header) {
        var name = header.toLowerCase(Locale.ROOT);
        return (names.contains(name) || startsWithAny(name, prefixes)) && !isReserved(FieldNames.asSeenByCgi(name));
    }

    private static boolean isReserved(String name) {
        return RESERVED_NAMES.contains(name) || startsWithAny(name, RESERVED_PREFIXES);
    }

    private static boolean coversReserved(String prefix) {
        return RESERVED_NAMES.stream().anyMatch(name -> name.startsWith(prefix))
                || RESERVED_PREFIXES.stream().anyMatch(reserved -> reserved.startsWith(prefix));
    }

    private static boolean startsWithAny(String name, List<String> prefixes) {
        for (var prefix : prefixes) {
            if (name.startsWith(prefix)) {
                return true;
            }
        }
        return false;
    }
}
