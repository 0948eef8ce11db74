package dev.sluice.service.config;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;

/** Settings of the service: tokens, decision endpoints, connections, logs, tracing, CORS and upstream. */
@ConfigMapping(prefix = "rate-limit")
public interface ServiceConfig {

    /** The bearer token of the admin endpoints; without it they respond with 403. */
    Optional<String> adminToken();

    /** The bearer token of the decision endpoints; without it they serve no identifier of the gateways' callers. */
    Optional<String> apiToken();

    /** Requests to the decision endpoints without a token. */
    Check check();

    interface Check {

        /** Rate of these requests for each client address. */
        @WithDefault("600/minute")
        String rate();

        /** Maximum total length of the windows of one such request, of the rates that the request names itself. 1 s to 248 days. */
        @WithDefault("35d")
        Duration maxTotalWindow();

        /**
         * {@code true}: the decision endpoints serve requests without a token; {@code false}: they do not. By default, they do
         * unless there is an upstream. Without effect if the API token is set, which they then require.
         */
        Optional<Boolean> open();
    }

    /** Forward authentication and ext_authz. */
    ForwardAuth forwardAuth();

    interface ForwardAuth {

        /**
         * Accepts X-User-Id, X-User-Tier, X-Team-Id and X-Org-Id in the requests of trusted proxies and identity proxies to the endpoints of forward
         * authentication and ext_authz. Only for proxies that remove these fields from the requests of their clients: most pass
         * all of them on.
         */
        @WithDefault("false")
        boolean trustIdentity();
    }

    /** Exports each request as an OpenTelemetry span (OTLP), with its decision as an event. */
    @WithDefault("false")
    boolean tracing();

    /** Logs each request in one line, in the category {@code dev.sluice.access}. */
    @WithDefault("false")
    boolean accessLog();

    /** Logs each call of an administrative endpoint in one line, in the category {@code dev.sluice.audit}. */
    @WithDefault("true")
    boolean auditLog();

    /** Export of metrics, besides {@code /q/metrics}. */
    Metrics metrics();

    interface Metrics {

        /** Exports all metrics by OTLP to an OpenTelemetry collector too. */
        @WithDefault("false")
        boolean otlp();
    }

    /** Verification of JWTs, besides the settings of MicroProfile JWT ({@code mp.jwt.verify.*}). */
    Jwt jwt();

    interface Jwt {

        /** Audiences, one of which the claim {@code aud} of a JWT must contain; not checked if it is not set. */
        Optional<List<String>> audience();

        /**
         * Longest time to wait for the keys of JWTs, if they are fetched from an http(s) URL: look-up of the host, connection,
         * TLS handshake and the whole response. 1 ms to 1 minute.
         */
        @WithDefault("2s")
        Duration timeout();

        /**
         * Shortest time between two requests for the keys if there are any already: for a token with an unknown key identifier
         * ({@code kid}), or after a request that failed. Without keys, a failed request is repeated after one second. 1 second to
         * 1 day.
         */
        @WithDefault("30s")
        Duration minRefreshInterval();
    }

    /** Treatment of method overrides in requests to the upstream. */
    enum MethodOverride {
        /** They are removed. */
        DROP,
        /** They pass, and the rules of the methods that they name hold too. */
        ALLOW
    }

    /**
     * Treatment of fields by which clients replace the method of a request: {@code X-HTTP-Method-Override}, {@code X-Method-Override},
     * {@code X-HTTP-Method} or the query parameter {@code _method}.
     */
    @WithDefault("drop")
    MethodOverride methodOverride();

    /** Timeouts of client connections. */
    Connections connections();

    interface Connections {

        /** Maximum time from the first byte of a request to the end of its header section. */
        @WithDefault("30s")
        Duration headTimeout();

        /** Maximum time for the body of a request to one of Sluice's own endpoints to arrive. */
        @WithDefault("30s")
        Duration bodyTimeout();

        /** Keep-alive timeout between two requests; should exceed the keep-alive timeout of load balancers. */
        @WithDefault("11m")
        Duration idleTimeout();

        /** Write-stall timeout: maximum time during which a client reads nothing of a pending response. */
        @WithDefault("2m")
        Duration readerTimeout();
    }

    /** Cross-origin resource sharing (CORS) of Sluice's own responses, errors and limits included. */
    CrossOrigin cors();

    interface CrossOrigin {

        /**
         * Origins that may read responses of Sluice itself: {@code https://app.example.com}, {@code https://*.example.com} for
         * all subdomains, or {@code *} for all origins. Responses of the upstream have its own CORS headers.
         */
        Optional<List<String>> origins();

        /** Lets these origins send credentials (cookies, TLS client certificates); not with {@code *}. */
        @WithDefault("false")
        boolean credentials();
    }

    /** Upstream to which admitted requests are forwarded. */
    Upstream upstream();

    interface Upstream {

        /**
         * Base URL of the upstream, {@code http://host:port} or {@code https://…}, with an optional path; nothing is forwarded
         * if it is not set.
         */
        Optional<String> url();

        /** Maximum time to establish a connection to the upstream, including the TLS handshake. */
        @WithDefault("2s")
        Duration connectTimeout();

        /** Maximum time to wait for a free connection if {@link #maxConnections} are in use; then 503. */
        @WithDefault("2s")
        Duration queueTimeout();

        /** Maximum time until the upstream begins its response; then 504. */
        @WithDefault("60s")
        Duration timeout();

        /** Maximum time without a byte in the middle of a response, which is then aborted. */
        @WithDefault("60s")
        Duration idleTimeout();

        /** The same for event streams (text/event-stream) and gRPC calls. */
        @WithDefault("10m")
        Duration eventStreamIdleTimeout();

        /** Maximum time without a byte on a WebSocket, which is then closed. */
        @WithDefault("1h")
        @WithName("websocket-idle-timeout")
        Duration webSocketIdleTimeout();

        /** Time at shutdown, after the shutdown delay, until open WebSockets are closed with status 1001. */
        @WithDefault("1s")
        @WithName("websocket-grace-period")
        Duration webSocketGracePeriod();

        /** Maximum number of connections to the upstream, without those of event streams and WebSockets. */
        @WithDefault("512")
        int maxConnections();

        /** Maximum number of connections that carry an event stream or a WebSocket; a further one gets 503. */
        @WithDefault("10000")
        int maxStreams();

        /** Uses HTTP/2 to the upstream, which gRPC needs: without negotiation on plain connections, by ALPN on TLS. */
        @WithDefault("false")
        boolean http2();

        /**
         * Name of a configuration in Quarkus's TLS registry with the trust store and the client certificate for the upstream:
         * {@code quarkus.tls.<name>.trust-store.pem.certs} and so on. The JVM's trust store if it is not set.
         */
        Optional<String> tlsConfigurationName();
    }
}
