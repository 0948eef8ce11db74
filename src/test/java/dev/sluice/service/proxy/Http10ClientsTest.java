package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Clients of HTTP/1.0 get responses as they come, in framing that they understand. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class Http10ClientsTest extends HopTestBase {

    private static final String CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    private Http1Wire open() throws IOException {
        return new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_0);
    }

    @Test
    void chunkedResponseIsStreamedAndEndedByClosing() throws IOException {
        var received = new CountDownLatch(1);
        upstream.on("/stream", exchange -> {
            exchange.send(CHUNKED);
            exchange.sendChunk("hello");
            exchange.await(received);
            exchange.sendChunk("world");
            exchange.send("0\r\n\r\n");
        });
        try (var client = open()) {
            client.send(WireRequest.get("/stream"));
            var response = client.readHead();
            assertThat(response.fields("transfer-encoding")).isEmpty();
            assertThat(response.fields("content-length")).isEmpty();
            while (!response.text().equals("hello")) {
                assertThat(client.readMore(response)).as("%s", response).isTrue();
            }
            received.countDown();
            assertThat(client.readToEnd(response).text()).isEqualTo("helloworld");
            assertThat(response.isComplete()).as("%s", response).isTrue();
        }
    }

    /** More than the heap would hold for several clients at a time. */
    @Test
    void largeChunkedResponsesPass() {
        int chunks = 3_000;
        var chunk = "z".repeat(65_536);
        upstream.on("/large", exchange -> {
            exchange.send(CHUNKED);
            for (int i = 0; i < chunks; i++) {
                exchange.sendChunk(chunk);
            }
            exchange.send("0\r\n\r\n");
        });
        var sizes = concurrently(2, () -> {
            try (var client = open()) {
                client.send(WireRequest.get("/large"));
                client.readHead();
                return client.in().transferTo(java.io.OutputStream.nullOutputStream());
            }
        });
        assertThat(sizes).containsOnly((long) chunks * chunk.length());
    }

    @Test
    void responseWithLengthKeepsTheConnectionIfTheClientWishes() throws IOException {
        upstream.respond("/length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        try (var client = open()) {
            for (int i = 0; i < 3; i++) {
                var response = client.exchange(WireRequest.get("/length").field("Connection", "keep-alive"));
                assertThat(response.text()).isEqualTo("ok");
                assertThat(response.field("connection")).isEqualToIgnoringCase("keep-alive");
                assertThat(response.field("content-length")).isEqualTo("2");
            }
        }
    }

    @Test
    void responseWithoutLengthClosesTheConnectionInAnyCase() throws IOException {
        for (var bytes : List.of(CHUNKED + "2\r\nok\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok")) {
            upstream.on("/no-length", exchange -> {
                exchange.send(bytes);
                if (!bytes.startsWith(CHUNKED)) {
                    exchange.finish();
                }
            });
            try (var client = open()) {
                var response = client.exchange(WireRequest.get("/no-length").field("Connection", "keep-alive"));
                assertThat(response.isComplete()).as("%s", response).isTrue();
                assertThat(response.text()).isEqualTo("ok");
                assertThat(response.fields("transfer-encoding")).isEmpty();
                assertThat(String.join(",", response.fields("connection"))).doesNotContainIgnoringCase("keep-alive");
            }
        }
    }

    @Test
    void connectionIsClosedAfterTheResponse() throws IOException {
        upstream.respond("/length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        try (var client = open()) {
            assertThat(client.exchange(WireRequest.get("/length")).text()).isEqualTo("ok");
            assertThat(client.in().read()).isEqualTo(-1);
        }
    }

    @Test
    void requestWithoutHostArrives() throws IOException {
        try (var client = open()) {
            client.send("GET /no-host HTTP/1.0\r\n\r\n");
            assertThat(client.readHead().status()).isEqualTo(200);
        }
        assertThat(upstream.only("/no-host").fields("host")).hasSize(1);
    }

    /** HTTP/1.0 has no trailers and no interim responses. */
    @Test
    void trailersAndInterimResponsesAreLeftOut() throws IOException {
        upstream.respond("/trailers", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + CHUNKED
                + "2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n");
        try (var client = open()) {
            client.send("GET /trailers HTTP/1.0\r\n\r\n");
            var text = new String(client.in().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertThat(text).startsWith("HTTP/1.").contains(" 200 ").endsWith("\r\n\r\nok").doesNotContain("103");
        }
    }
}
