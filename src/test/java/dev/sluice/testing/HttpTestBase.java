package dev.sluice.testing;

import jakarta.inject.Inject;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.BeforeEach;

import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.RateLimiter;

/** Base class of tests over HTTP; each test begins with empty windows. */
public abstract class HttpTestBase {

    @ConfigProperty(name = "quarkus.http.test-port")
    protected int port;

    @Inject
    protected RateLimiter limiter;

    @Inject
    protected RateLimitAdmin admin;

    protected HttpTestClient http;

    @BeforeEach
    void start() {
        http = new HttpTestClient(port);
        admin.resetAll().await().indefinitely();
    }
}
