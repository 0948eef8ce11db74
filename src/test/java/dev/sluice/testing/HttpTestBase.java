package dev.sluice.testing;

import jakarta.inject.Inject;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.RateLimiter;
import dev.sluice.engine.WindowReset;
import io.restassured.RestAssured;
import io.restassured.config.EncoderConfig;
import io.restassured.config.JsonConfig;
import io.restassured.path.json.config.JsonPathConfig.NumberReturnType;

/** Base class of tests over HTTP; each test begins with empty windows, and ends without stored identities. */
public abstract class HttpTestBase {

    @ConfigProperty(name = "quarkus.http.test-port")
    protected int port;

    @Inject
    protected RateLimiter limiter;

    @Inject
    protected RateLimitAdmin admin;

    @Inject
    protected StoredIdentities stored;

    /** For requests that REST Assured would change, and for tests of forwarded requests. */
    protected HttpTestClient http;

    @BeforeEach
    void start() {
        http = new HttpTestClient(port);
        configureRestAssured();
        WindowReset.resetAll(admin);
    }

    @AfterEach
    void deleteIdentities() {
        stored.close();
    }

    /**
     * Lets REST Assured send paths, queries and Content-Type as they are written, and read fractions as double instead of float.
     * Quarkus sets the port before each test, and restores the address and the configuration after it.
     */
    private static void configureRestAssured() {
        RestAssured.baseURI = "http://127.0.0.1";
        RestAssured.urlEncodingEnabled = false;
        RestAssured.config = RestAssured.config()
                .encoderConfig(EncoderConfig.encoderConfig().defaultContentCharset("UTF-8")
                        .appendDefaultContentCharsetToContentTypeIfUndefined(false))
                .jsonConfig(JsonConfig.jsonConfig().numberReturnType(NumberReturnType.DOUBLE));
    }
}
