package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.RawExchange;
import dev.sluice.testing.WebSocketBytes;
import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Wire;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** WebSockets pass in both directions until either side closes; a refused handshake passes as any response. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class WebSocketForwardingTest extends HopTestBase {

    private static final int FRAMES = 300;
    private static final byte[] PAYLOAD = "0123456789abcdef".repeat(4096).getBytes(StandardCharsets.US_ASCII);

    private Http1Wire connect(String path) throws IOException {
        var client = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_1);
        client.send(WebSocketBytes.handshake(path));
        return client;
    }

    private Http1Wire open(String path) throws IOException {
        var client = connect(path);
        var response = client.readHead();
        assertThat(response.status()).isEqualTo(101);
        assertThat(response.field("upgrade")).isEqualToIgnoringCase("websocket");
        assertThat(response.field("connection")).containsIgnoringCase("upgrade");
        assertThat(response.field("sec-websocket-accept")).isEqualTo(WebSocketBytes.accepted(WebSocketBytes.KEY));
        return client;
    }

    @Test
    void handshakeArrivesWithItsFields() throws IOException {
        upstream.on("/ws", exchange -> {
            exchange.send(WebSocketBytes.accept(exchange));
            exchange.awaitClosed();
        });
        try (var client = open("/ws")) {
            var received = upstream.only("/ws");
            assertThat(received.fields("sec-websocket-key")).containsExactly(WebSocketBytes.KEY);
            assertThat(received.fields("sec-websocket-version")).containsExactly("13");
            assertThat(received.fields("upgrade")).containsExactly("websocket");
            assertThat(received.fields("connection")).singleElement().asString().isEqualToIgnoringCase("upgrade");
            assertThat(received.fields("x-forwarded-for")).containsExactly("127.0.0.1");
            client.finish();
        }
    }

    /** Each side sends everything before it reads anything: the directions must not wait for each other for ever. */
    @Test
    void framesPassBothWaysWithBackpressure() throws Exception {
        var read = new CompletableFuture<Long>();
        upstream.on("/ws", exchange -> {
            exchange.send(WebSocketBytes.accept(exchange));
            var reading = inBackground(() -> WebSocketBytes.readPayloads(exchange.in(), FRAMES, PAYLOAD));
            for (int i = 0; i < FRAMES; i++) {
                exchange.send(WebSocketBytes.binary(PAYLOAD, false));
            }
            read.complete(reading.join());
            exchange.awaitClosed();
        });
        try (var client = open("/ws")) {
            var sending = inBackground(() -> { // a write that blocks has no timeout
                for (int i = 0; i < FRAMES; i++) {
                    client.send(WebSocketBytes.binary(PAYLOAD, true));
                }
                return null;
            });
            sending.get(60, TimeUnit.SECONDS);
            assertThat(WebSocketBytes.readPayloads(client.in(), FRAMES, PAYLOAD)).isEqualTo((long) FRAMES * PAYLOAD.length);
            assertThat(read.get(60, TimeUnit.SECONDS)).isEqualTo((long) FRAMES * PAYLOAD.length);
        }
    }

    /** Data that follows the handshake in the same packet is not lost. */
    @Test
    void firstFrameMayFollowTheHandshakeAtOnce() throws Exception {
        upstream.on("/ws", exchange -> {
            exchange.send(WebSocketBytes.accept(exchange) + new String(WebSocketBytes.binary(PAYLOAD, false),
                    StandardCharsets.ISO_8859_1));
            exchange.awaitClosed();
        });
        try (var client = open("/ws")) {
            assertThat(WebSocketBytes.readPayloads(client.in(), 1, PAYLOAD)).isEqualTo(PAYLOAD.length);
        }
    }

    @Test
    void socketIsClosedWhenTheUpstreamCloses() throws IOException {
        for (var reset : List.of(false, true)) {
            upstream.on("/ws", exchange -> {
                exchange.send(WebSocketBytes.accept(exchange));
                exchange.in().readNBytes(WebSocketBytes.CLOSE.length + 4);
                if (reset) {
                    exchange.reset();
                } else {
                    exchange.send(WebSocketBytes.CLOSE);
                    exchange.finish();
                }
            });
            try (var client = open("/ws")) {
                client.send(WebSocketBytes.maskedClose());
                var rest = new java.io.ByteArrayOutputStream();
                try {
                    client.in().transferTo(rest);
                } catch (SocketException e) {
                    assertThat(reset).isTrue();
                }
                assertThat(rest.toByteArray()).isEqualTo(reset ? new byte[0] : WebSocketBytes.CLOSE);
            }
        }
    }

    @Test
    void upstreamSocketIsClosedWhenTheClientCloses() throws IOException {
        var closed = new AtomicInteger();
        upstream.on("/ws", exchange -> {
            exchange.send(WebSocketBytes.accept(exchange));
            try {
                exchange.awaitClosed();
            } finally {
                closed.incrementAndGet();
            }
        });
        try (var client = open("/ws")) {
            client.finish();
        }
        try (var client = open("/ws")) {
            client.abort();
        }
        open("/ws").close();
        awaiting("both sides to close").until(() -> closed.get() == 3);
    }

    static Stream<Arguments> refusals() {
        return Stream.of(Arguments.of("403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "no"),
                Arguments
                        .of("403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n1\r\n!\r\n0\r\n\r\n", "no!"),
                Arguments.of("401 Unauthorized\r\nConnection: close\r\n\r\nuntil close",
                        "until close"),
                Arguments.of("302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", ""),
                Arguments.of("426 Upgrade Required\r\nContent-Length: 0\r\n\r\n", ""),
                Arguments.of("204 No Content\r\n\r\n", ""),
                Arguments.of("200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refusedHandshakePassesWhole(String response, String body) throws IOException {
        upstream.on("/ws", exchange -> {
            exchange.send("HTTP/1.1 " + response);
            if (body.startsWith("until")) {
                exchange.finish();
            }
        });
        for (int i = 0; i < 2 * HopProfile.CONNECTIONS; i++) {
            try (var client = connect("/ws")) {
                var refused = client.readToEnd(client.readHead());
                assertThat(refused.status()).isEqualTo(Integer.parseInt(response.substring(0, 3)));
                assertThat(refused.isComplete()).as("%s", refused).isTrue();
                assertThat(refused.text()).isEqualTo(body);
            }
        }
    }

    @Test
    void refusedHandshakeThatBreaksOffLooksBroken() throws IOException {
        for (var framing : List.of("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Content-Length: 9\r\n\r\nhello")) {
            upstream.on("/ws", exchange -> {
                exchange.send("HTTP/1.1 403 Forbidden\r\n" + framing);
                exchange.finish();
            });
            try (var client = connect("/ws")) {
                var refused = client.readToEnd(client.readHead());
                assertThat(refused.status()).isEqualTo(403);
                assertThat(refused.isComplete()).as("%s", refused).isFalse();
            }
        }
    }

    @Test
    void failedHandshakeIs502Or504() throws IOException {
        upstream.on("/ws", RawExchange::finish);
        try (var client = connect("/ws")) {
            assertError(client.readToEnd(client.readHead()), 502, "RATE_5021");
        }
        upstream.on("/ws", RawExchange::awaitClosed);
        try (var client = connect("/ws")) {
            assertError(client.readToEnd(client.readHead()), 504, "RATE_5041");
        }
        upstream.on("/ws", RawExchange::finish); // on a connection that has been kept
        upstream.stopListening();
        try (var client = connect("/ws")) {
            assertError(client.readToEnd(client.readHead()), 502, "RATE_5021");
        } finally {
            upstream.startListening();
        }
    }

    /** A 101 names the protocol to which it switches (RFC 9110, section 15.2.2). */
    @ParameterizedTest
    @ValueSource(strings = {"", "Upgrade: h2c\r\n"})
    void switchToAnotherProtocolIs502(String upgrade) throws IOException {
        upstream.respond("/ws", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" + upgrade + "\r\n");
        try (var client = connect("/ws")) {
            assertError(client.readToEnd(client.readHead()), 502, "RATE_5021");
        }
    }

    @Test
    void deniedHandshakeIs429() throws IOException {
        try (var client = connect(HopProfile.DENIED)) {
            assertError(client.readToEnd(client.readHead()), 429, "RATE_5001");
        }
        assertThat(upstream.received()).isEmpty();
    }
}
