package dev.sluice.service.edge;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.GatewayProfile;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

@QuarkusTest
@TestProfile(GatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class RequestFramingGuardTest extends HttpTestBase {

    @ParameterizedTest
    @CsvSource({"HTTP/1.1,'Transfer-Encoding: gzip, chunked',transfer-encoding", "HTTP/1.1,Host: other,host"})
    void ambiguousFramingIsRejected(String version, String header, String field) throws IOException {
        for (var target : List.of("/open", "/v1/check", "/openai/v1/models")) {
            try (var raw = new RawHttpConnection(port)) {
                raw.send("POST " + target + " " + version + "\r\nHost: x\r\n" + header + "\r\n\r\n"
                        + "GET /open/count HTTP/1.1\r\nHost: x\r\n\r\n");
                var response = raw.readResponse();
                assertThat(response.status()).as(target).isEqualTo(400);
                assertThat(response.text()).contains("RATE_4001").contains("\"field\":\"" + field + "\"");
                // Subsequent input must not be read as a request.
                assertThatThrownBy(raw::readLine).isInstanceOf(IOException.class);
            }
        }
    }

    /** The decoder rejects these before RequestFramingGuard does. */
    @ParameterizedTest
    @ValueSource(strings = {"xchunked", "identity", "chunked, gzip"})
    void transferCodingOtherThanChunkedLastIsRejected(String coding) throws IOException {
        for (var target : List.of("/open", "/v1/check", "/openai/v1/models")) {
            try (var raw = new RawHttpConnection(port)) {
                raw.send("POST " + target + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + "\r\n\r\n"
                        + "GET /open/count HTTP/1.1\r\nHost: x\r\n\r\n");
                var response = raw.readResponse();
                assertThat(response.status()).as(target).isEqualTo(400);
                assertThat(response.text()).contains("RATE_4001");
                assertThatThrownBy(raw::readLine).isInstanceOf(IOException.class);
            }
        }
    }

    /** A proxy in front of Sluice would pass on the frames after an upgrade without looking at them. */
    @ParameterizedTest
    @ValueSource(strings = {"Via: 1.1 edge", "X-Forwarded-For: 203.0.113.9", "forwarded: for=203.0.113.9",
            "X-Real-IP: 203.0.113.9"})
    void upgradeToHttp2BehindAProxyIsIgnored(String field) throws IOException {
        for (var protocol : List.of("h2c", "H2C")) {
            try (var raw = new RawHttpConnection(port)) {
                for (int i = 0; i < 2; i++) {
                    raw.send(upgrade(protocol, field + "\r\n"));
                    assertThat(raw.readResponse().status()).isEqualTo(405);
                }
            }
        }
    }

    @Test
    void upgradeToHttp2WithoutAProxyIsAccepted() throws IOException {
        try (var raw = new RawHttpConnection(port)) {
            raw.send(upgrade("h2c", ""));
            assertThat(raw.readLine()).isEqualTo("HTTP/1.1 101 Switching Protocols");
        }
    }

    private static String upgrade(String protocol, String field) {
        return "GET /v1/check HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + "\r\n"
                + field
                + "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n";
    }

    private static List<String> securityHeaders(HttpResponse<String> response) {
        var safe = new ArrayList<String>();
        for (var name : List.of("X-Content-Type-Options", "Cache-Control", "Content-Security-Policy")) {
            safe.add(header(response, name));
        }
        return safe;
    }

    @Test
    void ownResponsesHaveSecurityHeaders() {
        var check = "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":60}";
        var responses = List.of(http.post("/v1/check", check), http.post("/v1/check", check), http.post("/v1/check", "x"),
                http.get("/v1/check"), http.get("/v1/limits"), http.get("/q/openapi"), http.get("/q/nothing"),
                http.get("/closed"), http.get("/campaigns", "X-API-Key", "guess"), http.get("/hangup"), http.get("/silent"),
                http.get("/openai/v1/models"), http.get("/openai/v2"), http.post("/v1/check", "x".repeat(1 << 17)),
                http.get("/open"));
        assertThat(responses.stream().map(HttpResponse::statusCode)).containsExactly(200, 429, 400, 405, 403, 200, 404, 429,
                401,
                502, 504, 401, 404, 413, 200);
        assertThat(responses.subList(0, 14))
                .allSatisfy(response -> assertThat(securityHeaders(response)).as(response.toString())
                        .containsExactly("nosniff", "no-store", "default-src 'none'; frame-ancestors 'none'"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/open", "/echo", "/status/404", "/status/429", "/open/no-ws"})
    void upstreamResponsesKeepTheirHeaders(String path) {
        assertThat(securityHeaders(http.get(path))).containsOnlyNulls();
    }
}
