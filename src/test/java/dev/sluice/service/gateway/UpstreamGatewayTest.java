package dev.sluice.service.gateway;

import static dev.sluice.testing.EchoUpstream.receivedHeader;
import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.GatewayProfile;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

@QuarkusTest
@TestProfile(GatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class UpstreamGatewayTest extends HttpTestBase {

    private static final int TIMEOUT_MILLIS = 60_000;

    @Test
    void eleventhRequestIsDenied() {
        for (int left = 9; left >= 0; left--) {
            var response = http.get("/api/v1/campaigns");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("10");
            assertThat(response.headers().allValues("X-RateLimit-Limit")).hasSize(1);
            assertThat(response.headers().allValues("RateLimit")).singleElement().asString()
                    .startsWith("\"api:/campaigns\";r=");
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(left));
            assertThat(header(response, "X-Upstream")).isEqualTo("yes");
        }
        var denied = http.get("/api/v1/campaigns");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "X-Upstream")).isNull();
        assertThat(header(denied, "Retry-After")).isNotNull();
        assertThat(error(denied).getString("code")).isEqualTo("RATE_5001");
        assertThat(error(denied).getJsonObject("details").getLong("limit")).isEqualTo(10);
        assertThat(http.get("/api/v1/users").statusCode()).isEqualTo(200);
    }

    @Test
    void requestIsForwardedUnchanged() {
        var response = http.send("PATCH", "/some//odd/%2e%2e/path;a=b?x=1&y=%20z&x=2", "the body", "X-Custom", "kept", "Accept",
                "text/plain", "Content-Type", "text/x-odd");
        assertThat(json(response).getString("method")).isEqualTo("PATCH");
        assertThat(json(response).getString("uri")).isEqualTo("/base/some//odd/%2e%2e/path;a=b?x=1&y=%20z&x=2");
        assertThat(json(response).getString("body")).isEqualTo("the body");
        assertThat(receivedHeader(response, "x-custom")).isEqualTo("kept");
        assertThat(receivedHeader(response, "content-type")).isEqualTo("text/x-odd");
        assertThat(receivedHeader(response, "x-forwarded-for")).isEqualTo("127.0.0.1");
        assertThat(receivedHeader(response, "x-forwarded-proto")).isEqualTo("http");
        assertThat(receivedHeader(response, "x-forwarded-host")).isEqualTo("127.0.0.1:" + port);
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 201, 204, 301, 304, 400, 404, 418, 429, 500, 503})
    void statusAndHeadersOfTheUpstreamAreUntouched(int status) {
        var response = http.get("/status/" + status);
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(header(response, "Retry-After")).isEqualTo("7");
        assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("10");
        assertThat(response.body()).isEqualTo(status == 204 || status == 304 ? "" : "body of /status/" + status);
    }

    @Test
    void headHasNoBodyAndCountsAsGet() {
        assertThat(http.send("HEAD", "/campaigns", null).statusCode()).isEqualTo(200);
        assertThat(header(http.get("/campaigns"), "X-RateLimit-Remaining")).isEqualTo("8");
    }

    @Test
    void largeBodiesPassBothWays() {
        var megabytes = "x".repeat(30 << 20);
        assertThat(http.post("/count", megabytes).body()).isEqualTo(Integer.toString(megabytes.length()));
        assertThat(http.get("/download").body()).hasSize(EchoUpstream.DOWNLOAD_BYTES);
    }

    @Test
    void bodyWithoutLengthPassesOverHttp1AndHttp2() throws Exception {
        for (var version : HttpClient.Version.values()) {
            var client = HttpClient.newBuilder().version(version).build();
            if (version == HttpClient.Version.HTTP_2) {
                // upgrade the connection first: a request with a body is not upgraded by every server
                client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/status/200")).build(),
                        HttpResponse.BodyHandlers.discarding());
            }
            for (var method : List.of("POST", "DELETE", "GET")) {
                var body = HttpRequest.BodyPublishers.fromPublisher(HttpRequest.BodyPublishers.ofString("y".repeat(100_000)));
                var response = client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/count"))
                        .method(method, body).build(), HttpResponse.BodyHandlers.ofString());
                assertThat(response.version()).isEqualTo(version);
                assertThat(response.body()).as(method).isEqualTo("100000");
            }
        }
    }

    @Test
    void firstByteIsForwardedImmediately() throws Exception {
        var response = HttpClient.newHttpClient().send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/trickle?one")).build(),
                HttpResponse.BodyHandlers.ofInputStream());
        try (var reader = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            assertThat(reader.readLine()).isEqualTo("first");
            EchoUpstream.TRICKLING.remove("one").end("second\n");
            assertThat(reader.readLine()).isEqualTo("second");
        }
    }

    @Test
    void expectContinueIsAnsweredWith100() throws Exception {
        try (var socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write(("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
                    + "Connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            var reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            assertThat(reader.readLine()).isEqualTo("HTTP/1.1 100 Continue");
            assertThat(reader.readLine()).isEmpty();
            socket.getOutputStream().write("12345".getBytes(StandardCharsets.US_ASCII));
            assertThat(reader.readLine()).isEqualTo("HTTP/1.1 200 OK");
        }
    }

    @Test
    void clientCannotForgeIdentityHeaders() {
        var response = http.get("/echo", "X-User-Id", "root", "X-User-Tier", "enterprise", "X_User_Id", "root", "Forwarded",
                "for=1.2.3.4", "X-Forwarded-For", "1.2.3.4", "X-Forwarded-Host", "evil", "X-Forwarded-Proto", "https");
        assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("10");
        assertThat(receivedHeader(response, "x-user-id")).isNull();
        assertThat(receivedHeader(response, "x_user_id")).isNull();
        assertThat(receivedHeader(response, "x-user-tier")).isNull();
        assertThat(receivedHeader(response, "forwarded")).isNull();
        assertThat(receivedHeader(response, "x-forwarded-for")).isEqualTo("127.0.0.1");
        assertThat(receivedHeader(response, "x-forwarded-proto")).isEqualTo("http");
        assertThat(receivedHeader(response, "x-forwarded-host")).isEqualTo("127.0.0.1:" + port);
    }

    @Test
    void apiKeyIdentifiesTheCallerAndIsRemoved() {
        var response = http.get("/echo", "X-API-Key", "key-of-bob");
        assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("100");
        assertThat(receivedHeader(response, "x-user-id")).isEqualTo("bob");
        assertThat(receivedHeader(response, "x-user-tier")).isEqualTo("pro");
        assertThat(receivedHeader(response, "x-api-key")).isNull();
        assertThat(admin.limits("user:bob").await().indefinitely()).containsEntry("api:default", 1L);
    }

    @Test
    void unknownApiKeyIs401AndCounted() {
        for (int i = 0; i < 10; i++) {
            var response = http.get("/campaigns", "X-API-Key", "guess-" + i);
            assertThat(response.statusCode()).isEqualTo(401);
            assertThat(error(response).getString("code")).isEqualTo("RATE_4011");
        }
        assertThat(http.get("/campaigns", "X-API-Key", "guess-10").statusCode()).isEqualTo(429);
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsOnlyKeys("api:default");
    }

    @Test
    void connectionHeaderCannotRemoveIdentityHeaders() throws Exception {
        try (var socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write(("GET /echo HTTP/1.1\r\nHost: x\r\nX-API-Key: key-of-bob\r\nX-Hop: 1\r\n"
                    + "Connection: X-User-Id, X-Hop\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            var text = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(text).contains("\"x-user-id\":[\"bob\"]").doesNotContain("x-hop");
        }
    }

    @Test
    void bearerTokenThatIsNoJwtIsForwarded() {
        var response = http.get("/echo", "Authorization", "Bearer sk-something");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(receivedHeader(response, "authorization")).isEqualTo("Bearer sk-something");
        var jwt = http.get("/echo", "Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.x");
        assertThat(jwt.statusCode()).isEqualTo(200);
    }

    @Test
    void preflightsAreCountedByAddress() {
        for (int i = 0; i < 12; i++) {
            var response = http.send("OPTIONS", "/campaigns", null, "Origin", "https://app.example",
                    "Access-Control-Request-Method", "POST", "X-API-Key", i % 2 == 0 ? "key-of-bob" : "guess");
            assertThat(response.statusCode()).isEqualTo(i < 10 ? 200 : 429);
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(Math.max(0, 9 - i)));
        }
        assertThat(admin.limits("user:bob").await().indefinitely()).isEmpty();
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEqualTo(Map.of("api:/campaigns", 10L));
    }

    @Test
    void exemptPathsAreNotCountedAndKeepUpstreamHeaders() {
        for (int i = 0; i < 15; i++) {
            var response = http.get("/healthz/deep");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("upstream");
        }
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEmpty();
    }

    @Test
    void blockedRuleIsDeniedWithoutRetryAfter() {
        var response = http.get("/closed");
        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(header(response, "Retry-After")).isNull();
        assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("0");
    }

    @Test
    void unlimitedRuleIsNotCounted() {
        for (int i = 0; i < 15; i++) {
            assertThat(http.get("/open").statusCode()).isEqualTo(200);
        }
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"/hangup, 502, RATE_5021", "/silent, 504, RATE_5041"})
    void upstreamFailureIsReportedAsErrorBody(String path, int status, String code) {
        for (var method : List.of("GET", "POST")) {
            var response = http.send(method, path, "POST".equals(method) ? "x" : null);
            assertThat(response.statusCode()).isEqualTo(status);
            assertThat(header(response, "Content-Type")).isEqualTo("application/json");
            assertThat(error(response).getString("code")).isEqualTo(code);
            assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("10");
        }
    }

    @Test
    void webSocketIsForwardedAndCountedOnce() throws Exception {
        var echo = new CompletableFuture<String>();
        var description = new CompletableFuture<String>();
        var socket = HttpClient.newHttpClient().newWebSocketBuilder().header("X-API-Key", "key-of-bob")
                .header("X-User-Id", "root").buildAsync(URI.create("ws://127.0.0.1:" + port + "/ws"), new WebSocket.Listener() {
                    private final StringBuilder text = new StringBuilder();

                    @Override
                    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
                        text.append(data);
                        if (last) {
                            (echo.isDone() ? description : echo).complete(text.toString());
                            text.setLength(0);
                        }
                        socket.request(1);
                        return null;
                    }
                }).get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        socket.sendText("hello", true).get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        assertThat(echo.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)).isEqualTo("echo hello");
        socket.sendText("who", true).get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        var headers = new JsonObject(description.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)).getJsonObject("headers");
        assertThat(headers.getJsonArray("x-user-id").encode()).isEqualTo("[\"bob\"]");
        assertThat(headers.containsKey("x-api-key")).isFalse();
        assertThat(admin.limits("user:bob").await().indefinitely()).containsEntry("api:default", 1L);
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Test
    void webSocketRejectedByTheUpstreamIsRejected() {
        var handshake = HttpClient.newHttpClient().newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + port + "/no-ws"), new WebSocket.Listener() {
                });
        assertThat(handshake).failsWithin(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS).withThrowableThat().havingCause()
                .isInstanceOfSatisfying(WebSocketHandshakeException.class,
                        denied -> assertThat(denied.getResponse().statusCode()).isEqualTo(403));
    }

    @Test
    void deniedRequestLeavesTheConnectionUsable() throws Exception {
        try (var socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            var body = "z".repeat(100_000);
            socket.getOutputStream().write(("POST /closed HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n"
                    + body + "GET /status/418 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            var text = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(text).startsWith("HTTP/1.1 429").contains("HTTP/1.1 418");
        }
    }

    private String raw(String request) throws IOException {
        try (var socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void targetWithAFragmentIsRejected() throws IOException {
        for (var target : List.of("/campaigns#x", "/campaigns#/../../healthz", "/healthz?a#b")) {
            var response = raw("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assertThat(response).startsWith("HTTP/1.1 400").contains("RATE_4001").contains("\"path\"");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%zz", "/%", "/a%"})
    void pathThatCannotBeDecodedIsRejected(String path) throws IOException {
        assertThat(raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).startsWith("HTTP/1.1 400");
    }

    @Test
    void nonAsciiBytesAreForwardedAsTheyCame() throws IOException {
        assertThat(raw("GET /caf\u00c3\u00a9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .contains("\"uri\":\"/base/caf\u00c3\u00a9\"");
    }

    @Test
    void http10RequestWithoutHostIsForwarded() throws IOException {
        assertThat(raw("GET /echo HTTP/1.0\r\n\r\n")).startsWith("HTTP/1.0 200").contains("\"uri\":\"/base/echo\"");
    }

    @Test
    void connectionHeaderCannotRemoveTheBody() throws IOException {
        var response = raw("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: content-length\r\n\r\nhello"
                + "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assertThat(response).contains("\"body\":\"hello\"");
    }

    @Test
    void http2RequestWithoutBodyIsForwardedWithoutBody() throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        for (int i = 0; i < 2; i++) {
            var response = client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/echo")).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(receivedHeader(response, "transfer-encoding")).isNull();
        }
    }

    @Test
    void interimResponseIsNotTakenForTheFinalOne() {
        for (int i = 0; i < 3; i++) {
            assertThat(http.get("/interim").body()).isEqualTo("the answer");
            assertThat(http.get("/status/418").statusCode()).isEqualTo(418);
        }
    }

    /** More requests than upstream connections: if each leaked a connection, the last request would never be served. */
    @ParameterizedTest
    @ValueSource(strings = {
            "OPTIONS /t HTTP/1.1\r\nHost: x\r\nOrigin: a\r\nAccess-Control-Request-Method: GET\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
            "POST /open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n",
            "POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
            "GET /open/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            "POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
            "GET /open/silent HTTP/1.1\r\nHost: x\r\n\r\n"})
    void upstreamConnectionsAreReleased(String request) throws IOException {
        for (int i = 0; i < 3 * GatewayProfile.CONNECTIONS; i++) {
            try (var socket = new Socket("127.0.0.1", port)) {
                socket.setSoLinger(true, 0);
                socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            }
        }
        Polling.await().until(() -> http.get("/open").statusCode() == 200);
        var together = new ArrayList<CompletableFuture<Integer>>();
        for (int i = 0; i < GatewayProfile.CONNECTIONS; i++) {
            together.add(CompletableFuture.supplyAsync(() -> http.get("/open/status/200").statusCode()));
        }
        assertThat(together)
                .allSatisfy(response -> assertThat(response.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)).isEqualTo(200));
    }

    @Test
    void missingBodyTimesOut() throws IOException {
        assertThat(raw("POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nConnection: close\r\n\r\nabc"))
                .startsWith("HTTP/1.1 408").contains("RATE_4081");
    }

    @Test
    void ownEndpointsAreNotForwarded() {
        assertThat(http.get("/v1/limits?identifier=a").statusCode()).isEqualTo(403);
        assertThat(http.get("/q/openapi").statusCode()).isEqualTo(200);
        assertThat(http.get("/v1/other").statusCode()).isEqualTo(200);
        assertThat(header(http.get("/q/openapi"), "X-RateLimit-Limit")).isNull();
    }
}
