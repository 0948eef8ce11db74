package dev.sluice.service.config;

import java.time.Duration;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** The doors of the service. */
@ConfigMapping(prefix = "rate-limit")
public interface ServiceConfig {

    /** The bearer token of the admin endpoints; without it they answer 403. */
    Optional<String> adminToken();

    /** The bearer token of the decision endpoints; without it they serve no identifier that begins with user: or ip:. */
    Optional<String> apiToken();

    /** Whether each request is a span, with its decision as an event, sent to a collector by OTLP. */
    @WithDefault("false")
    boolean tracing();

    /** How long callers may let their connections wait. */
    Connections connections();

    interface Connections {

        /** The longest from the first byte of a request to the end of its head. */
        @WithDefault("30s")
        Duration headTimeout();

        /** The longest that the body of a request to one of Sluice's own doors may take. */
        @WithDefault("30s")
        Duration bodyTimeout();

        /** The longest between two requests; longer than what load balancers keep connections for. */
        @WithDefault("11m")
        Duration idleTimeout();

        /** The longest that a client may take nothing of an answer that waits for it. */
        @WithDefault("2m")
        Duration readerTimeout();
    }

    /** What passes the limits is forwarded here. */
    Upstream upstream();

    interface Upstream {

        /** {@code http://host:port} or {@code https://…}, with or without a path; without it nothing is forwarded. */
        Optional<String> url();

        /** The longest that a connection to the upstream may take to be made. */
        @WithDefault("2s")
        Duration connectTimeout();

        /** The longest that the upstream may take to begin its answer. */
        @WithDefault("60s")
        Duration timeout();

        /** The most connections to the upstream at one time. */
        @WithDefault("512")
        int maxConnections();
    }
}
