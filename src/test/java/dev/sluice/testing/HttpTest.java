package dev.sluice.testing;

import jakarta.inject.Inject;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.BeforeEach;

import dev.sluice.api.RateLimiter;

/** A test over HTTP; each begins with no window of anybody. */
public abstract class HttpTest {

    @ConfigProperty(name = "quarkus.http.test-port")
    protected int port;

    @Inject
    protected RateLimiter limiter;

    protected Http http;

    @BeforeEach
    void start() {
        http = new Http(port);
        limiter.resetAll().await().indefinitely();
    }
}
