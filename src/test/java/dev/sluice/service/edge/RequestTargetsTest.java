package dev.sluice.service.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.policy.RequestPath;
import dev.sluice.testing.CorsProfile;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RawHttpConnection.Response;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Request targets as browsers write them. */
@QuarkusTest
@TestProfile(CorsProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class RequestTargetsTest extends HttpTestBase {

    private Response request(String method, String target) throws IOException {
        return RawHttpConnection.exchange(port, method + ' ' + target
                + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin-secret\r\nContent-Length: 0\r\n\r\n");
    }

    private Response get(String target) throws IOException {
        return request("GET", target);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/open/{a}", "/open/a|b", "/open/a^b", "/open/a\"b", "/open/a`b", "/open/<a>", "/open/a\\b",
            "/open/[a]", "/open?q={\"a\":[1]}", "/open?q=100%", "/open?q=%zz", "/open?q=%", "/open?q=a|b^c`d\\e<f>",
            "/open/caf\u00e9", "/open?q=\u65e5\u672c", "/open/%7Ba%7D", "/open/a'b(c)*!$&,;=:@", "/open?q=\u00ff"})
    void targetsPassAsTheyCame(String target) throws IOException {
        var bytes = new String(target.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        var response = get(bytes);
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        assertThat(response.header("X-RateLimit-Limit")).as("unlimited rule of /open").isEqualTo("upstream");
        assertThat(new JsonObject(response.text()).getString("uri")).isIn("/base" + bytes,
                "/base" + RequestPath.toAscii(bytes));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%63losed", "/closed/{a}", "/closed/a|b", "/closed\\a", "/closed/caf\u00c3\u00a9", "/{/../closed",
            "/|/../closed", "/closed?q=%", "/closed/\"<>^`"})
    void rulesApplyToThem(String target) throws IOException {
        assertThat(get(target).status()).isEqualTo(429);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a%", "/a%z", "/a%zz/b", "/%", "/%%20", "/open/a%2", "/v1/limits%", "/openai/v1/models%zz", "/q/%",
            "/open/%?q", "/a#b", "/a?b#c", "/v1/check%1"})
    void unreadablePathsAreRejected(String target) throws IOException {
        var response = get(target);
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.text()).contains("RATE_4001").contains("\"field\":\"path\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%zz", "%", "{", "|", "a=%zz", "a={x}", "identifier=%zz", "identifier=%", "identifier=%ff%",
            "key=%zz", "alt=%zz", "resource=%"})
    void ownEndpointsAnswerUndecodableQueries(String query) throws IOException {
        for (var endpoint : new String[]{"GET /v1/limits", "DELETE /v1/limits", "GET /v1/usage", "GET /v1/llm/usage",
                "POST /v1/check", "POST /v1/llm/check", "GET /q/openapi", "GET /openai/v1/models",
                "POST /gemini/v1beta/models/m:generateContent", "POST /anthropic/v1/messages", "GET /v1/nothing"}) {
            var response = request(endpoint.split(" ")[0], endpoint.split(" ")[1] + '?' + query);
            assertThat(response.status()).as("%s?%s: %s", endpoint, query, response.text()).isLessThan(500);
            if (response.status() >= 400) {
                assertThat(response.text()).as(endpoint).contains("\"error\"");
            }
        }
    }
}
