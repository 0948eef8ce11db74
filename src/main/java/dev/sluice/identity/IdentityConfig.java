package dev.sluice.identity;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** How callers are known. */
@ConfigMapping(prefix = "rate-limit")
public interface IdentityConfig {

    /** In which header trusted proxies name the client. */
    enum Forwarding {
        /** {@code X-Forwarded-For}, or {@code Forwarded} where that is missing. */
        AUTO,
        /** Only {@code X-Forwarded-For}. */
        X_FORWARDED_FOR,
        /** Only {@code Forwarded} (RFC 7239). */
        FORWARDED
    }

    /** API keys, by an id of yours. */
    Map<String, ApiKey> apiKeys();

    /** The peers (CIDR blocks or addresses) whose X-User-Id, X-User-Tier, X-Forwarded-For and Forwarded are believed. */
    Optional<List<String>> trustedProxies();

    /** In which header trusted proxies name the client. Name the one that yours sets, so that no caller can set the other. */
    @WithDefault("auto")
    Forwarding forwardedHeader();

    interface ApiKey {

        /** The key's SHA-256 in hexadecimal. */
        String sha256();

        /** Whose key it is; the identifier is {@code user:<user>}. */
        String user();

        /** The user's tier; the first one where it is missing. */
        Optional<String> tier();
    }
}
