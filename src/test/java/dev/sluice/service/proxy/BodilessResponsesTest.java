package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Responses without a body, interim responses and surplus bytes are not confused with one another, whatever the upstream sends. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class BodilessResponsesTest extends HopTestBase {

    private static final String SECRET = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";

    /** Sends requests one after another over one client connection, each followed by an ordinary one. */
    private void repeat(Wire wire, WireRequest request, Consumer<WireResponse> verifier) throws IOException {
        try (var client = wire == Wire.HTTP_1_0 ? null : wire.open(port)) {
            for (int i = 0; i < 2 * HopProfile.CONNECTIONS; i++) {
                var response = client == null ? wire.exchange(port, request) : client.exchange(request);
                assertThat(response.isComplete()).as("%s", response).isTrue();
                verifier.accept(response);
                var next = WireRequest.get("/ordinary?" + i);
                assertThat((client == null ? wire.exchange(port, next) : client.exchange(next)).text())
                        .startsWith("GET /ordinary?" + i + " ");
            }
        }
    }

    static Stream<Arguments> bodiless() {
        return Stream.of("204 No Content\r\n\r\n", "204 No Content\r\nContent-Length: 5\r\n\r\nhello",
                "204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                "204 No Content\r\nContent-Length: 0\r\n\r\n", "304 Not Modified\r\n\r\n",
                "304 Not Modified\r\nContent-Length: 100\r\n\r\n", "304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
                "304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n")
                .flatMap(response -> Stream.of(Wire.values())
                        .map(wire -> Arguments.of(response, wire)));
    }

    @ParameterizedTest
    @MethodSource("bodiless")
    void statusWithoutBodyHasNone(String bytes, Wire wire) throws IOException {
        upstream.respond("/none", "HTTP/1.1 " + bytes);
        repeat(wire, WireRequest.get("/none").field("If-None-Match", "\"a\""), response -> {
            assertThat(response.status()).isEqualTo(Integer.parseInt(bytes.substring(0, 3)));
            assertThat(response.body()).isEmpty();
            if (response.status() == 204) {
                assertThat(response.fields("transfer-encoding")).isEmpty();
                assertThat(response.fields("content-length")).isEmpty();
            }
        });
    }

    static Stream<Arguments> heads() {
        return Stream
                .of("Content-Length: 100\r\n\r\n", "Content-Length: 100\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n",
                        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "\r\n", "Content-Length: 0\r\n\r\n")
                .flatMap(response -> Stream.of(Wire.values())
                        .map(wire -> Arguments.of(response, wire)));
    }

    @ParameterizedTest
    @MethodSource("heads")
    void responseToHeadHasNoBodyAndKeepsItsLength(String fields, Wire wire) throws IOException {
        upstream.respond("/head", "HTTP/1.1 200 OK\r\nETag: \"a\"\r\n" + fields);
        repeat(wire, WireRequest.head("/head"), response -> {
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.field("etag")).isEqualTo("\"a\"");
            assertThat(response.body()).isEmpty();
            if (fields.startsWith("Content-Length: 100")) {
                assertThat(response.field("content-length")).isEqualTo("100");
            }
        });
    }

    /** A second response that nobody asked for must not reach the next client. */
    @ParameterizedTest
    @EnumSource
    void surplusResponseIsDiscarded(Wire wire) throws IOException {
        upstream.respond("/two", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + SECRET);
        repeat(wire, WireRequest.get("/two"), response -> assertThat(response.text()).isEqualTo("ok"));
        upstream.respond("/two", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + SECRET);
        repeat(wire, WireRequest.get("/two"), response -> assertThat(response.text()).isEqualTo("ok"));
        upstream.respond("/two", "HTTP/1.1 204 No Content\r\n\r\n" + SECRET);
        repeat(wire, WireRequest.get("/two"), response -> assertThat(response.body()).isEmpty());
    }

    @ParameterizedTest
    @EnumSource
    void interimResponsesPrecedeTheFinalOne(Wire wire) throws IOException {
        upstream.respond("/interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                + "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n".repeat(20)
                + "HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nthe answer");
        repeat(wire, WireRequest.get("/interim"), response -> {
            assertThat(response.status()).isEqualTo(201);
            assertThat(response.text()).isEqualTo("the answer");
        });
        upstream.respond("/interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        repeat(wire, WireRequest.post("/interim").body("x"), response -> assertThat(response.status()).isEqualTo(204));
    }

    @ParameterizedTest
    @EnumSource
    void deniedHeadHasNoBody(Wire wire) throws IOException {
        repeat(wire, WireRequest.head(HopProfile.DENIED), response -> {
            assertThat(response.status()).isEqualTo(429);
            assertThat(response.field("content-type")).isEqualTo("application/json");
            assertThat(response.field("x-ratelimit-limit")).isEqualTo("0");
            assertThat(response.body()).isEmpty();
        });
        assertError(wire.exchange(port, WireRequest.get(HopProfile.DENIED)), 429, "RATE_5001");
    }

    /** The upstream closes after its response although most of the request body is still to come. */
    @ParameterizedTest
    @EnumSource
    void responseBeforeTheEndOfTheRequestPasses(Wire wire) throws Exception {
        upstream.on("/early", exchange -> {
            exchange.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large");
            exchange.finish();
        });
        try (var client = wire.open(port)) {
            var sending = inBackground(() -> {
                client.send(WireRequest.post("/early").body(new byte[300_000]));
                return null;
            });
            if (wire == Wire.HTTP_2) {
                awaiting("the request").until(() -> !upstream.received("/early").isEmpty());
            }
            var response = client.readToEnd(client.readHead());
            assertThat(response.status()).isEqualTo(413);
            assertThat(response.text()).isEqualTo("too large");
            assertThat(response.isComplete()).as("%s", response).isTrue();
            sending.exceptionally(failure -> null).get(60, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void postWithoutBodyHasContentLengthZero(Wire wire) {
        for (var method : List.of("POST", "PUT", "PATCH")) {
            wire.exchange(port, WireRequest.of(method, "/" + method));
            assertThat(upstream.only("/" + method).fields("content-length")).as(method).containsExactly("0");
            assertThat(upstream.only("/" + method).fields("transfer-encoding")).as(method).isEmpty();
        }
        for (var method : List.of("GET", "HEAD", "OPTIONS")) {
            wire.exchange(port, WireRequest.of(method, "/" + method));
            assertThat(upstream.only("/" + method).fields("content-length")).as(method).isEmpty();
            assertThat(upstream.only("/" + method).fields("transfer-encoding")).as(method).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void requestBodiesArriveWhole(Wire wire) throws IOException {
        var body = new byte[1_000_000];
        new java.util.Random(1).nextBytes(body);
        for (var method : List.of("POST", "DELETE", "GET")) {
            assertThat(wire.exchange(port, WireRequest.of(method, "/" + method).body(body)).status()).isEqualTo(200);
            assertThat(upstream.only("/" + method).receivedBody()).as(method).isEqualTo(body);
            assertThat(upstream.only("/" + method).fields("content-length")).containsExactly("1000000");
        }
    }
}
