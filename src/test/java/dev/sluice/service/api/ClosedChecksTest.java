package dev.sluice.service.api;

import static dev.sluice.testing.RawHttpConnection.post;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.ClosedChecksProfile;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Beside an upstream, the decision endpoints serve no request without a token. */
@QuarkusTest
@TestProfile(ClosedChecksProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class ClosedChecksTest extends HttpTestBase {

    private static final String CHECK = "{\"identifier\":\"a\",\"resource\":\"r\",\"rate\":\"9/minute\"}";
    private static final String LLM_CHECK = "{\"provider\":\"openai\",\"identifier\":\"a\",\"model\":\"m\"}";
    private static final String LLM_USAGE = "{\"provider\":\"openai\",\"identifier\":\"a\",\"model\":\"m\",\"input_tokens\":1}";
    private static final String TOKEN = "Authorization: Bearer admin-secret";

    @Inject
    EndpointAuthorization authorization;

    private void assertClosed(String path, String body, String... headers) throws IOException {
        var response = RawHttpConnection.exchange(port, post(path, body, headers));
        assertThat(response.status()).as(path).isEqualTo(403);
        assertThat(response.header("X-Upstream")).isNull();
        var error = new JsonObject(response.text()).getJsonObject("error");
        assertThat(error.getString("code")).isEqualTo("RATE_4031");
        assertThat(error.getString("message")).contains("rate-limit.check.open=true").contains("RATE_LIMIT_API_TOKEN");
    }

    /** Those that are Sluice's own. */
    @ParameterizedTest
    @ValueSource(strings = {"/v1/check", "/v1/check/", "/v1/check?x=1", "/v1/%63heck", "/v1/./check", "/v1/x/../check",
            "//v1/check", "/v1//check", "http://other/v1/check"})
    void checkIsClosedInAllSpellings(String path) throws IOException {
        assertClosed(path, CHECK);
        assertThat(admin.limits("a").await().indefinitely()).isEmpty();
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEmpty();
        assertThat(RawHttpConnection.exchange(port, post(path, CHECK, TOKEN)).status()).isEqualTo(200);
    }

    @Test
    void llmEndpointsAreClosed() throws IOException {
        for (var path : List.of("/v1/llm/check", "/v1/llm/check/", "/v1/llm//check")) {
            assertClosed(path, LLM_CHECK);
        }
        assertClosed("/v1/llm/usage", LLM_USAGE);
        assertThat(RawHttpConnection.exchange(port, post("/v1/llm/usage", LLM_USAGE, TOKEN)).status()).isEqualTo(204);
    }

    /** Closed before the body is read into a request, so a client learns nothing from errors about it. */
    @Test
    void bodyMakesNoDifference() throws IOException {
        assertClosed("/v1/check", "nonsense");
        assertClosed("/v1/check", CHECK.replace("\"a\"", "\"user:alice\""));
        assertClosed("/v1/check", CHECK, "X-Forwarded-For: 127.0.0.1", "X-User-Id: alice");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "TRACE", "PROPFIND"})
    void otherMethodsAreNeitherServedNorForwarded(String method) throws IOException {
        for (var path : List.of("/v1/check", "/v1/check/", "/v1/%63heck", "/v1/llm/check")) {
            var response = http.send(method, path, method.equals("HEAD") ? null : CHECK, "X-HTTP-Method-Override", "POST");
            assertThat(response.headers().map()).as(path).doesNotContainKey("x-upstream");
            assertThat(response.statusCode()).as(path).isIn(method.equals("OPTIONS") ? List.of(200) : List.of(404, 405));
        }
        assertThat(admin.limits("a").await().indefinitely()).isEmpty();
    }

    @Test
    void wrongTokenIsCountedAgainstTheAddress() throws IOException {
        var response = RawHttpConnection.exchange(port, post("/v1/check", CHECK, "Authorization: Bearer guess"));
        assertThat(response.status()).isEqualTo(401);
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsOnlyKeys("api:default");
    }

    @Test
    void otherPathsAreForwarded() {
        assertThat(http.post("/v1/checkout", "{}").headers().map()).containsKey("x-upstream");
    }

    @Test
    void warmUpIsServed() throws IOException {
        var header = "Authorization: " + authorization.beginWarmUp();
        assertThat(RawHttpConnection.exchange(port, post("/v1/check", CHECK, header)).status()).isEqualTo(200);
        authorization.endWarmUp();
        assertThat(RawHttpConnection.exchange(port, post("/v1/check", CHECK, header)).status()).isEqualTo(401);
    }
}
