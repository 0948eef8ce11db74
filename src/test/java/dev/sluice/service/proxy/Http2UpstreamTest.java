package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.wire.Http2Wire;
import dev.sluice.testing.wire.Http2WireStream;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** gRPC, and any other HTTP, to an upstream of HTTP/2. */
@QuarkusTest
@TestProfile(Http2UpstreamProfile.class)
@WithTestResource(Http2UpstreamResource.class)
class Http2UpstreamTest extends HttpTestBase {

    private static final String CONTENT_TYPE = "application/grpc";
    private static final int RESOURCE_EXHAUSTED = 8;

    private LogRecorder log;

    @BeforeEach
    void recordErrors() {
        log = LogRecorder.start(LogRecorder.ERROR, false);
    }

    @AfterEach
    void noErrorIsLogged() {
        log.close();
        assertThat(log.records()).isEmpty();
    }

    private static WireRequest call(String path) {
        return WireRequest.post(path).field("Content-Type", CONTENT_TYPE).field("TE", "trailers").field("grpc-timeout", "20S");
    }

    private Http2Wire connect() throws IOException {
        return new Http2Wire(port, "127.0.0.1");
    }

    /** Returns a field of the trailers, or of a response that consists of trailers only. */
    private static List<String> status(WireResponse response, String name) {
        return response.trailers(name).isEmpty() ? response.fields(name) : response.trailers(name);
    }

    @Test
    void unaryCallKeepsItsTrailers() throws IOException {
        try (var client = connect()) {
            for (int i = 0; i < 50; i++) {
                var response = client.exchange(call("/test.Echo/Unary").body("\0\0\0\0\5hello"));
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.field("content-type")).isEqualTo(CONTENT_TYPE);
                assertThat(response.text()).isEqualTo("\0\0\0\0\5hello");
                assertThat(response.trailers("grpc-status")).containsExactly("0");
                assertThat(response.trailers("grpc-message")).containsExactly("fine");
                assertThat(response.isComplete()).as("%s", response).isTrue();
            }
        }
    }

    @Test
    void responseOfTrailersOnlyPasses() throws IOException {
        try (var client = connect()) {
            var response = client.exchange(call("/test.Echo/NotFound").body("x"));
            assertThat(response.status()).isEqualTo(200);
            assertThat(status(response, "grpc-status")).containsExactly("5");
            assertThat(status(response, "grpc-message")).containsExactly("no such thing");
            assertThat(response.isComplete()).as("%s", response).isTrue();
            assertThat(response.parts()).as("DATA frames, which clients in C++ reject: the header section ends the stream")
                    .isZero();
        }
    }

    /** Each message is answered before the next one is sent. */
    @Test
    void messagesStreamInBothDirections() throws IOException {
        try (var client = connect()) {
            var streams = new ArrayList<Http2WireStream>();
            var responses = new ArrayList<WireResponse>();
            for (int i = 0; i < 5; i++) {
                streams.add(client.open(call("/test.Echo/Stream"), false));
                responses.add(streams.get(i).readHead());
                assertThat(responses.get(i).field("content-type")).isEqualTo("application/grpc+proto");
            }
            for (int message = 1; message <= 20; message++) {
                for (int i = 0; i < streams.size(); i++) {
                    streams.get(i).send("message " + i, false);
                    while (responses.get(i).body().length < message * "message x".length()) {
                        assertThat(streams.get(i).readMore(responses.get(i))).isTrue();
                    }
                }
            }
            for (int i = 0; i < streams.size(); i++) {
                streams.get(i).send("", true);
                var response = streams.get(i).readToEnd(responses.get(i));
                assertThat(response.text()).isEqualTo(("message " + i).repeat(20));
                assertThat(response.trailers("grpc-status")).containsExactly("0");
            }
        }
    }

    @Test
    void deniedCallIsResourceExhausted() throws IOException {
        try (var client = connect()) {
            assertThat(client.exchange(call("/test.Limited/Call").body("x")).text()).endsWith("\n\nx");
            for (var type : List.of(CONTENT_TYPE, "application/grpc+proto")) {
                var response = client.exchange(WireRequest.post("/test.Limited/Call").field("TE", "trailers")
                        .field("Content-Type", type).body("x"));
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.field("content-type")).startsWith(CONTENT_TYPE);
                assertThat(status(response, "grpc-status")).containsExactly(Integer.toString(RESOURCE_EXHAUSTED));
                assertThat(status(response, "grpc-message")).hasSize(1);
                for (var name : List.of("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after",
                        "ratelimit", "ratelimit-policy")) {
                    assertThat(response.fields(name)).as(name).hasSize(1);
                }
                assertThat(response.body()).isEmpty();
                assertThat(response.isComplete()).as("%s", response).isTrue();
                assertThat(client.exchange(call("/test.Echo/Unary").body("x")).text()).isEqualTo("x");
            }
        }
    }

    /** Only calls of gRPC get its status. */
    @Test
    void otherDeniedRequestIs429() {
        assertThat(Wire.HTTP_2.exchange(port, WireRequest.post("/test.Limited/Call").body("x")).status()).isEqualTo(200);
        for (var wire : Wire.values()) {
            var response = wire.exchange(port, WireRequest.post("/test.Limited/Call").body("x"));
            assertThat(response.status()).isEqualTo(429);
            assertThat(response.fields("grpc-status")).isEmpty();
        }
    }

    @Test
    void callThatBreaksIsReset() throws IOException {
        try (var client = connect()) {
            var stream = client.open(call("/test.Echo/Breaks"), false);
            var response = stream.readHead();
            while (!response.text().equals("hello")) {
                assertThat(stream.readMore(response)).isTrue();
            }
            stream.send("break", false);
            stream.readToEnd(response);
            assertThat(response.ending()).isEqualTo(WireResponse.Ending.RESET);
            assertThat(response.resetCode()).isEqualTo(HopTestBase.INTERNAL_ERROR);
            assertThat(client.exchange(call("/test.Echo/Unary").body("x")).text()).isEqualTo("x");
        }
    }

    @Test
    void callWithoutAResponseFails() {
        HopTestBase.onEveryWire(wire -> wire.exchange(port, WireRequest.post("/test.Echo/Refuses").body("x")))
                .forEach((wire, response) -> HopTestBase.assertError(response, 502, "RATE_5021"));
        HopTestBase.onEveryWire(wire -> wire.exchange(port, WireRequest.post("/test.Echo/Hangs").body("x")))
                .forEach((wire, response) -> HopTestBase.assertError(response, 504, "RATE_5041"));
        HopTestBase.onEveryWire(wire -> wire.exchange(port, WireRequest.get("/length")))
                .forEach((wire, response) -> assertThat(response.text()).as("%s", wire).isEqualTo("ok"));
    }

    @Test
    void cancelledCallsLeaveNothingBehind() throws IOException {
        try (var client = connect()) {
            for (int i = 0; i < 100; i++) {
                var stream = client.open(call("/test.Echo/Stream"), false);
                if (i % 2 == 0) {
                    stream.readHead();
                }
                stream.reset(8);
            }
            for (int i = 0; i < 25; i++) {
                assertThat(client.exchange(call("/test.Echo/Unary").body("x")).text()).isEqualTo("x");
            }
        }
    }

    @Test
    void fieldsOfTheCallArrive() throws IOException {
        try (var client = connect()) {
            var text = client.exchange(call("/test.Echo/Describe?{}").field("x-Custom", "a").body("body")).text();
            assertThat(text).startsWith("POST /test.Echo/Describe?{}\n").contains("\nte: trailers\n", "\nx-custom: a\n",
                    "\ngrpc-timeout: 20S\n", "\ncontent-type: application/grpc\n", "\nx-forwarded-for: 127.0.0.1\n")
                    .endsWith("\nbody");
        }
    }

    /** None of these may be sent over HTTP/2 (RFC 9113, section 8.2.2). */
    @ParameterizedTest
    @EnumSource(names = {"HTTP_1_0", "HTTP_1_1"})
    void fieldsOfTheConnectionAreRemoved(Wire wire) {
        var response = wire.exchange(port, WireRequest.get("/describe").field("Connection", "keep-alive, X-Hop")
                .field("Keep-Alive", "timeout=5").field("Proxy-Connection", "keep-alive").field("X-Hop", "1")
                .field("TE", "gzip").field("X-End", "2"));
        assertThat(response.status()).as("%s", response).isEqualTo(200);
        assertThat(response.text()).contains("x-end: 2").doesNotContain("connection:", "keep-alive", "x-hop", "gzip");
    }

    @ParameterizedTest
    @EnumSource
    void trailersPassToClientsThatHaveThem(Wire wire) {
        var response = wire.exchange(port, WireRequest.get("/trailers").field("TE", "trailers"));
        assertThat(response.text()).isEqualTo("ok");
        assertThat(response.isComplete()).as("%s", response).isTrue();
        if (wire != Wire.HTTP_1_0) {
            assertThat(response.trailers("x-sum")).containsExactly("1");
        }
    }

    @ParameterizedTest
    @EnumSource
    void bodiesPassBothWays(Wire wire) {
        var body = "0123456789".repeat(300_000);
        var response = wire.exchange(port, WireRequest.post("/echo").body(body));
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.text()).endsWith("\n\n" + body);
        assertThat(response.isComplete()).isTrue();
    }
}
