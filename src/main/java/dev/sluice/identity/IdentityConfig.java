package dev.sluice.identity;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the identification of callers. */
@ConfigMapping(prefix = "rate-limit")
public interface IdentityConfig {

    /** Header by which trusted proxies report the client's address. */
    enum Forwarding {
        /**
         * {@code X-Forwarded-For}, or {@code Forwarded} where that is missing. If both are present and differ, the address of the
         * proxy counts.
         */
        AUTO,
        /** Only {@code X-Forwarded-For}. */
        X_FORWARDED_FOR,
        /** Only {@code Forwarded} (RFC 7239). */
        FORWARDED
    }

    /** API keys, by an id of your choice. */
    Map<String, ApiKey> apiKeys();

    /**
     * Trusted proxies, as addresses or CIDR blocks: peers that report the client's address. X-Forwarded-For and Forwarded of
     * other peers are ignored.
     */
    Optional<List<String>> trustedProxies();

    /**
     * Proxies that name the caller, as addresses or CIDR blocks. X-User-Id, X-User-Tier, X-Team-Id and X-Org-Id of other peers are
     * ignored. Name only proxies that remove these fields from the requests of their clients.
     */
    Optional<List<String>> identityProxies();

    /**
     * Header by which trusted proxies report the client's address. Select the one that your proxies set, so that no client can
     * set the other.
     */
    @WithDefault("auto")
    Forwarding forwardedHeader();

    /** Claims of JWTs. */
    Jwt jwt();

    interface Jwt {

        /** Claim that names the caller's team, or a path with dots into nested claims. */
        @WithDefault("team")
        String teamClaim();

        /** Claim that names the caller's organisation, or a path with dots into nested claims. */
        @WithDefault("org")
        String orgClaim();
    }

    /** One API key. */
    interface ApiKey {

        /** SHA-256 of the key, in hexadecimal. */
        Optional<String> sha256();

        /** User of the key; the identifier is {@code user:<user>}. */
        Optional<String> user();

        /** Tier of the user; the first configured tier by default. */
        Optional<String> tier();
    }
}
