package dev.sluice.service.edge;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.config.TestProviders;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.testing.CorsProfile;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.smallrye.config.SmallRyeConfigBuilder;

/** Browsers can read Sluice's own responses from the configured origins only. */
@QuarkusTest
@TestProfile(CorsProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class CorsTest extends HttpTestBase {

    private static final String ORIGIN = "https://app.example";
    private static final String EXPOSED = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Mode,"
            + " X-RateLimit-Dry-Run, RateLimit, RateLimit-Policy, Retry-After";
    private static final String CHECK = "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":60}";

    @Inject
    Cors cors;

    private static void assertReadable(HttpResponse<String> response, String origin) {
        assertThat(response.headers().allValues("Access-Control-Allow-Origin")).as(response.toString()).containsExactly(origin);
        assertThat(response.headers().allValues("Vary")).containsExactly("Origin");
        assertThat(response.headers().allValues("Access-Control-Expose-Headers")).containsExactly(EXPOSED);
        assertThat(header(response, "Access-Control-Allow-Credentials")).isNull();
    }

    private static void assertNotReadable(HttpResponse<String> response) {
        assertThat(response.headers().map().keySet()).noneMatch(name -> name.toLowerCase().startsWith("access-control-"));
        assertThat(header(response, "Vary")).isNull();
    }

    @Test
    void ownResponsesAreReadable() {
        var responses = List.of(http.post("/v1/check", CHECK, "Origin", ORIGIN),
                http.post("/v1/check", CHECK, "Origin", ORIGIN), http.post("/v1/check", "x", "Origin", ORIGIN),
                http.get("/v1/limits", "Origin", ORIGIN), http.get("/closed", "Origin", ORIGIN),
                http.get("/campaigns", "X-API-Key", "guess", "Origin", ORIGIN),
                http.get("/openai/v1/models", "Origin", ORIGIN), http.get("/openai/v2", "Origin", ORIGIN),
                http.get("/q/nothing", "Origin", ORIGIN));
        assertThat(responses.stream().map(HttpResponse::statusCode)).containsExactly(200, 429, 400, 403, 429, 401, 401, 404,
                404);
        assertThat(responses).allSatisfy(response -> assertReadable(response, ORIGIN));
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /a% HTTP/1.1\r\n", "GET a HTTP/1.1\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n",
            "POST /v1/check HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n"})
    void errorsOfMalformedRequestsAreReadable(String request) throws IOException {
        var response = RawHttpConnection.exchange(port, request + "Host: x\r\nOrigin: " + ORIGIN + "\r\n\r\n");
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.header("Access-Control-Allow-Origin")).isEqualTo(ORIGIN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://a.dev.example:8443", "https://a.b.dev.example:8443", "http://localhost:3000",
            "HTTPS://App.Example"})
    void allowedOrigins(String origin) {
        assertReadable(http.get("/closed", "Origin", origin), origin);
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://other.example", "http://app.example", "https://app.example:444",
            "https://app.example.evil",
            "https://dev.example:8443", "https://.dev.example", "https://xdev.example:8443", "https://a.dev.example",
            "https://evil.test/.dev.example:8443", "https://evil.test#.dev.example:8443", "null", ""})
    void otherOrigins(String origin) {
        assertNotReadable(http.get("/closed", "Origin", origin));
        assertNotReadable(http.send("OPTIONS", "/v1/check", null, "Origin", origin, "Access-Control-Request-Method", "POST"));
        assertNotReadable(
                http.send("OPTIONS", "/openai/v1/models", null, "Origin", origin, "Access-Control-Request-Method", "GET"));
        assertNotReadable(http.get("/closed"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/openai/v1/chat/completions", "/anthropic/v1/messages", "/gemini/v1beta/models", "/openai/v9",
            "/v1/check", "/v1/limits"})
    void preflightsOfOwnEndpointsAreAnswered(String path) {
        var response = http.send("OPTIONS", path, null, "Origin", ORIGIN, "Access-Control-Request-Method", "POST",
                "Access-Control-Request-Headers", "authorization,content-type");
        assertThat(response.statusCode()).isEqualTo(204);
        assertThat(header(response, "Access-Control-Allow-Origin")).isEqualTo(ORIGIN);
        assertThat(header(response, "Access-Control-Allow-Methods")).contains("POST").contains("DELETE");
        assertThat(header(response, "Access-Control-Allow-Headers")).isEqualTo("authorization,content-type");
        assertThat(header(response, "Access-Control-Max-Age")).isEqualTo("7200");
        assertThat(header(response, "Access-Control-Expose-Headers")).isNull();
        assertThat(response.headers().allValues("Vary")).containsExactly("Origin");
        var unmatched = http.send("OPTIONS", path, null, "Origin", "https://other.example", "Access-Control-Request-Method",
                "POST");
        assertThat(unmatched.statusCode()).isEqualTo(204);
    }

    @Test
    void preflightsToTheUpstreamAreLimitedByAddress() {
        for (int i = 0; i < 10; i++) {
            var response = preflight("key-of-bob");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(9 - i));
        }
        var denied = preflight("guess");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertReadable(denied, ORIGIN);
        assertThat(header(http.get("/campaigns", "X-API-Key", "key-of-bob"), "X-RateLimit-Remaining")).isEqualTo("99");
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsEntry("api:/campaigns", 10L);
    }

    private HttpResponse<String> preflight(String key) {
        return http.send("OPTIONS", "/campaigns", null, "Origin", ORIGIN, "Access-Control-Request-Method", "POST", "X-API-Key",
                key);
    }

    private static List<String> problems(String origins, String credentials) {
        var config = new SmallRyeConfigBuilder().withMapping(ServiceConfig.class).withDefaultValue("rate-limit.cors.origins",
                origins).withDefaultValue("rate-limit.cors.credentials", credentials).addDiscoveredConverters()
                .withValidateUnknown(false).build();
        var problems = new ConfigProblems();
        new Cors(config.getConfigMapping(ServiceConfig.class), new ReservedPaths(TestProviders.builtIn(), false))
                .validate(problems);
        return problems.lines();
    }

    @ParameterizedTest
    @CsvSource({"https://app.example/,false", "app.example,false", "https://*,false", "https://a.*.example,false",
            "https://*.*.example,false", "null,false", "https://a.example/path,false", "https://user@a.example,false",
            "*,true"})
    void invalidSettingsAreRejected(String origins, String credentials) {
        assertThat(problems(origins, credentials)).singleElement().asString().startsWith("rate-limit.cors.");
    }

    @ParameterizedTest
    @CsvSource({"*,false", "https://app.example,true", "http://127.0.0.1:8080,true", "http://[::1]:8080,true",
            "capacitor://localhost,true", "https://*.example.com,true"})
    void validSettingsAreAccepted(String origins, String credentials) {
        assertThat(problems(origins, credentials)).isEmpty();
    }
}
