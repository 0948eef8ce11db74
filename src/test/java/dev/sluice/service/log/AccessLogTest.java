package dev.sluice.service.log;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.GatewayProfile;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Each request has one line in the access log, and each administrative call one in the audit log; neither contains a secret. */
@QuarkusTest
@TestProfile(AccessLogTest.Profile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
@WithTestResource(ProvidersForTests.class)
class AccessLogTest extends HttpTestBase {

    private static final String ADMIN = "Bearer admin-secret";
    private static final String ACCESS = "dev.sluice.access ";
    private static final String AUDIT = "dev.sluice.audit ";

    /** Both logs, an upstream and a provider. */
    public static class Profile extends GatewayProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            var settings = new HashMap<>(super.getConfigOverrides());
            settings.put("rate-limit.access-log", "true");
            settings.put("rate-limit.admin-token", "admin-secret");
            settings.put("rate-limit.check.open", "true");
            settings.put("rate-limit.trusted-proxies", "127.0.0.1/32");
            settings.put("rate-limit.llm.openai.api-key", "sk-openai-of-sluice");
            return settings;
        }
    }

    private LogRecorder log;

    @BeforeEach
    void record() {
        log = LogRecorder.start(Level.INFO, false);
    }

    @AfterEach
    void noSecretIsLogged() {
        log.close();
        assertThat(log.records()).noneMatch(line -> line.matches(".*(secret|key-of|sk-openai).*"));
    }

    private List<String> lines(String category, String text) {
        return log.records().stream().filter(line -> line.startsWith(category) && line.contains(text))
                .map(line -> line.substring(category.length())).toList();
    }

    /** Waits for the only line with a text. */
    private String line(String category, String text) {
        await().until(() -> !lines(category, text).isEmpty());
        assertThat(lines(category, text)).hasSize(1);
        return lines(category, text).get(0);
    }

    @Test
    void forwardedRequestIsLogged() {
        http.get("/api/v1/campaigns/17?api_key=secret", "X-API-Key", "key-of-bob", "X-Request-Id", "id-1", "Cookie", "secret");
        assertThat(line(ACCESS, "/campaigns/17"))
                .matches("client=127\\.0\\.0\\.1 method=GET path=/api/v1/campaigns/17 status=200"
                        + " bytes=[1-9]\\d* ms=\\d+\\.\\d{3} decision=allowed rule=api:/campaigns identifier=user:bob tier=pro"
                        + " store=redis upstream=api upstreamMs=\\d+\\.\\d{3} requestId=id-1 null");
    }

    @Test
    void clientIsTheOneBehindTrustedProxies() {
        http.get("/behind-a-proxy", "X-Forwarded-For", "203.0.113.9");
        assertThat(line(ACCESS, "/behind-a-proxy")).startsWith("client=203.0.113.9 method=GET").contains("decision=allowed")
                .contains("rule=api:default").contains("identifier=ip:203.0.113.9");
    }

    @Test
    void deniedRequestIsLoggedWithoutUpstream() {
        http.get("/closed");
        assertThat(line(ACCESS, "path=/closed")).contains("status=429").contains("decision=denied").contains("rule=api:/closed")
                .doesNotContain("upstream");
    }

    @Test
    void failedRequestIsLogged() {
        http.get("/hangup");
        assertThat(line(ACCESS, "path=/hangup")).contains("status=502").contains("decision=allowed")
                .doesNotContain("upstreamMs");
        http.get("/refused-credentials", "X-API-Key", "key-of-nobody");
        assertThat(line(ACCESS, "/refused-credentials")).contains("status=401");
    }

    @Test
    void ownEndpointsAreLogged() {
        http.post("/v1/check", "{\"identifier\":\"me\",\"resource\":\"r\",\"rate\":\"1/minute\"}", "X-Request-Id", "check-1");
        assertThat(line(ACCESS, "check-1")).contains("method=POST path=/v1/check status=200").contains("rule=custom")
                .contains("identifier=me");
        http.get("/q/openapi", "X-Request-Id", "openapi-1");
        assertThat(line(ACCESS, "openapi-1")).contains("path=/q/openapi status=200").doesNotContain("decision");
    }

    @Test
    void modelCallIsLoggedWithItsTokens() {
        http.post("/openai/v1/chat/completions?key=secret", "{\"model\":\"gpt-4o\",\"messages\":[]}", "Authorization",
                "Bearer key-of-bob");
        assertThat(line(ACCESS, "path=/openai")).contains("status=200").contains("rule=llm:openai")
                .contains("identifier=user:bob").contains("upstream=openai upstreamMs=").contains("model=gpt-4o")
                .containsPattern("inputTokens=[1-9]\\d* outputTokens=[1-9]");
    }

    @Test
    void modelCallOfAnUnknownCallerIsLogged() {
        http.post("/openai/v1/chat/completions", "{}", "Authorization", "Bearer key-of-nobody", "X-Request-Id", "unknown-1");
        assertThat(line(ACCESS, "unknown-1")).contains("status=401").doesNotContain("model");
    }

    @Test
    void webSocketIsLoggedWhenItEnds() {
        var socket = HttpClient.newHttpClient().newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + port + "/ws"), new WebSocket.Listener() {
                }).join();
        assertThat(lines(ACCESS, "path=/ws")).isEmpty();
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
        assertThat(line(ACCESS, "path=/ws")).contains("status=101").contains("upstream=api").doesNotContain("aborted");
    }

    @Test
    void clientThatDisconnectsIsLogged() throws Exception {
        try (var client = new RawHttpConnection(port)) {
            client.send("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        assertThat(line(ACCESS, "path=/silent")).contains("aborted=true");
    }

    @Test
    void malformedRequestIsLogged() throws Exception {
        try (var client = new RawHttpConnection(port)) {
            client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: forged\u0001\r\n\r\n");
            client.send("GET /x HTTP/1.1\r\nHost: a\r\nbad field\r\n\r\n");
        }
        await().until(() -> !lines(ACCESS, "status=400").isEmpty());
        assertThat(lines(ACCESS, "status=400")).allMatch(line -> line.contains("path=/ "));
    }

    @Test
    void adminCallsAreAudited() {
        http.send("DELETE", "/v1/limits?identifier=user:bob&resource=api:/campaigns", null, "Authorization", ADMIN,
                "X-Request-Id", "reset-1");
        assertThat(line(AUDIT, "reset-1")).isEqualTo("credential=admin-token client=127.0.0.1 method=DELETE path=/v1/limits"
                + " identifier=user:bob resource=api:/campaigns status=204 outcome=ok requestId=reset-1 null");
        http.get("/v1/llm/usage?identifier=user:bob&hours=2", "Authorization", ADMIN, "X-Request-Id", "usage-1");
        assertThat(line(AUDIT, "usage-1")).contains("path=/v1/llm/usage").contains("hours=2").contains("status=200");
        http.get("/v1/limits", "Authorization", ADMIN, "X-Request-Id", "bad-1");
        assertThat(line(AUDIT, "bad-1")).contains("status=400 outcome=failed");
    }

    @Test
    void refusedAdminCallsAreAudited() {
        http.get("/v1/limits?identifier=a", "Authorization", "Bearer secret-guess", "X-Request-Id", "guess-1");
        assertThat(line(AUDIT, "guess-1")).startsWith("credential=invalid").contains("status=401 outcome=refused");
        http.get("/v1/limits?identifier=%0AINFO%20forged", "X-Request-Id", "none-1");
        assertThat(line(AUDIT, "none-1")).startsWith("credential=none").contains("status=403 outcome=refused")
                .contains("identifier=\"\\u000aINFO forged\"");
    }

    @Test
    void otherCallsAreNotAudited() {
        http.post("/v1/check", "{\"identifier\":\"me\",\"resource\":\"r\",\"rate\":\"1/minute\"}", "X-Request-Id", "check-2");
        line(ACCESS, "check-2");
        assertThat(lines(AUDIT, "check-2")).isEmpty();
    }
}
