package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.RawExchange;
import dev.sluice.testing.RawUpstream.Script;
import dev.sluice.testing.WebSocketBytes;
import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.TlsWire;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Clients over TLS, with HTTP/1.1 or HTTP/2 by ALPN, see what clients without TLS see. */
@QuarkusTest
@TestProfile(TlsHopProfile.class)
@WithTestResource(TlsUpstreamResource.class)
class TlsClientsTest extends TlsHopTestBase {

    private static final String OK = "HTTP/1.1 200 OK\r\n";
    private static final String LENGTH = OK + "Content-Length: 100\r\n\r\nhello";
    private static final String CHUNKED = OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    private static final String UNTIL_CLOSED = OK + "Content-Type: text/plain\r\n\r\nhello";

    private WireResponse exchange(Wire wire, WireRequest request) {
        return TlsWire.exchange(wire, tls.getPort(), request);
    }

    private Map<Wire, WireResponse> onEachWire(Supplier<WireRequest> request) {
        return onEveryWire(wire -> exchange(wire, request.get()));
    }

    @Test
    void requestsAndResponsesPass() {
        var body = "0123456789".repeat(100_000);
        for (var request : List.<Supplier<WireRequest>>of(() -> WireRequest.post("/echo?{}").body(body),
                () -> WireRequest.get("/echo"))) {
            onEachWire(() -> request.get().field("X-Custom", "a")).forEach((wire, response) -> {
                assertThat(response.status()).as("%s", response).isEqualTo(200);
                assertThat(response.isComplete()).as("%s", response).isTrue();
                assertThat(response.text()).containsIgnoringCase("\r\nX-Custom: a\r\n");
            });
        }
        assertThat(upstream.received("/echo")).hasSize(6).allSatisfy(received -> {
            assertThat(received.receivedBody()).hasSize("POST".equals(received.method()) ? body.length() : 0);
            assertThat(received.fields("x-forwarded-proto")).containsExactly("https");
            assertThat(received.fields("x-forwarded-for")).containsExactly("127.0.0.1");
        });
    }

    @Test
    void postWithoutABodyHasItsLength() {
        onEachWire(() -> WireRequest.post("/empty"))
                .forEach((wire, response) -> assertThat(response.status()).as("%s", response).isEqualTo(200));
        assertThat(upstream.received("/empty")).hasSize(3).allSatisfy(received -> {
            assertThat(received.fields("content-length")).containsExactly("0");
            assertThat(received.fields("transfer-encoding")).isEmpty();
        });
    }

    @Test
    void fieldsOfTheConnectionDoNotPass() {
        upstream.respond("/fields", OK + "Connection: X-Hop, upgrade\r\nX-Hop: 1\r\nUpgrade: h2c\r\nKeep-Alive: timeout=5\r\n"
                + "Proxy-Connection: keep-alive\r\nX-End: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        onEachWire(() -> WireRequest.get("/fields")).forEach((wire, response) -> {
            assertThat(response.text()).isEqualTo("ok");
            assertThat(response.fields("x-end")).containsExactly("2");
            for (var name : List.of("x-hop", "upgrade", "proxy-connection", "keep-alive")) {
                assertThat(response.fields(name)).as(name).isEmpty();
            }
            if (wire == Wire.HTTP_2) {
                assertThat(response.fields("connection")).isEmpty();
                assertThat(response.fields("transfer-encoding")).isEmpty();
            }
        });
    }

    static Stream<Arguments> failures() {
        return Stream.of(Arguments.of("closed", (Script) RawExchange::finish),
                Arguments.of("reset", (Script) RawExchange::reset),
                Arguments.of("closed without the end of TLS", (Script) RawExchange::truncate),
                Arguments.of("not HTTP", (Script) exchange -> {
                    exchange.send("\0\1\2garbage\r\n\r\n");
                    exchange.finish();
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("failures")
    void missingResponseIs502(String name, Script script) {
        upstream.on("/fails", script);
        onEachWire(() -> WireRequest.get("/fails"))
                .forEach((wire, response) -> assertError(response, 502, "RATE_5021"));
        onEachWire(() -> WireRequest.post("/fails").body("some body"))
                .forEach((wire, response) -> assertError(response, 502, "RATE_5021"));
        onEachWire(() -> WireRequest.head("/fails")).forEach((wire, head) -> {
            assertThat(head.status()).isEqualTo(502);
            assertThat(head.body()).isEmpty();
            assertThat(head.isComplete()).as("%s", head).isTrue();
        });
    }

    @Test
    void silenceIs504() {
        upstream.on("/silent", RawExchange::awaitClosed);
        onEachWire(() -> WireRequest.get("/silent"))
                .forEach((wire, response) -> assertError(response, 504, "RATE_5041"));
    }

    static Stream<Arguments> cuts() {
        return Stream.of(Arguments.of("Content-Length, closed", LENGTH, (Script) RawExchange::finish),
                Arguments.of("Content-Length, reset", LENGTH, (Script) RawExchange::reset),
                Arguments.of("chunked, closed", CHUNKED, (Script) RawExchange::finish),
                Arguments.of("chunked, reset", CHUNKED, (Script) RawExchange::reset),
                Arguments.of("until closed, reset", UNTIL_CLOSED, (Script) RawExchange::reset),
                Arguments.of("until closed, without the end of TLS", UNTIL_CLOSED, (Script) RawExchange::truncate));
    }

    /** An HTTP/1.0 client must not get the end of TLS, which would be the end of the body. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("cuts")
    void cutBodyLooksBroken(String name, String start, Script ending) {
        onEveryWire(wire -> {
            var received = new CountDownLatch(1);
            upstream.on("/cut/" + wire, exchange -> {
                exchange.send(start);
                exchange.await(received);
                ending.respond(exchange);
            });
            try (var client = TlsWire.open(wire, tls.getPort())) {
                client.send(WireRequest.get("/cut/" + wire).scheme("https"));
                var response = client.readHead();
                while (response.body().length < "hello".length()) {
                    assertThat(client.readMore(response)).as("%s", response).isTrue();
                }
                received.countDown();
                return client.readToEnd(response);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }).forEach((wire, response) -> {
            assertBroken(wire, response);
            assertThat(response.text()).isEqualTo("hello");
        });
    }

    @Test
    void bodyUntilTheEndOfTlsIsComplete() {
        upstream.on("/closed", exchange -> {
            exchange.send(UNTIL_CLOSED);
            exchange.finish();
        });
        onEachWire(() -> WireRequest.get("/closed")).forEach((wire, response) -> {
            assertThat(response.text()).isEqualTo("hello");
            assertThat(response.isComplete()).as("%s", response).isTrue();
        });
    }

    @Test
    void webSocketPassesBothWays() throws IOException {
        var payload = "0123456789abcdef".repeat(4096).getBytes(StandardCharsets.US_ASCII);
        upstream.on("/ws", exchange -> {
            exchange.send(WebSocketBytes.accept(exchange));
            WebSocketBytes.readPayloads(exchange.in(), 20, payload);
            for (int i = 0; i < 20; i++) {
                exchange.send(WebSocketBytes.binary(payload, false));
            }
            exchange.in().readNBytes(WebSocketBytes.maskedClose().length);
            exchange.send(WebSocketBytes.CLOSE);
            exchange.finish();
        });
        try (var client = TlsWire.openHttp1(tls.getPort())) {
            client.send(WebSocketBytes.handshake("/ws"));
            assertThat(client.readHead().status()).isEqualTo(101);
            for (int i = 0; i < 20; i++) {
                client.send(WebSocketBytes.binary(payload, true));
            }
            WebSocketBytes.readPayloads(client.in(), 20, payload);
            client.send(WebSocketBytes.maskedClose());
            assertThat(client.in().readAllBytes()).isEqualTo(WebSocketBytes.CLOSE);
        }
        assertThat(upstream.only("/ws").fields("x-forwarded-proto")).containsExactly("https");
    }

    @Test
    void silentConnectionsCountAsConnections() throws IOException {
        int more = 10;
        var silent = new ArrayList<Socket>();
        var log = LogRecorder.start(Level.WARNING, false);
        try {
            for (int i = 0; i < TlsHopProfile.CLIENTS + more; i++) {
                silent.add(new Socket("127.0.0.1", i % 2 == 0 ? port : tls.getPort()));
            }
            awaiting("the connections beyond the limit to be closed")
                    .until(() -> silent.stream().filter(TlsClientsTest::isClosed)
                            .count() >= more);
            assertThat(log.records()).filteredOn(
                    line -> line.contains("quarkus.http.limits.max-connections=" + TlsHopProfile.CLIENTS)).hasSize(1);
        } finally {
            log.close();
            for (var socket : silent) {
                socket.close();
            }
        }
        awaiting("places of closed connections").ignoreExceptions().untilAsserted(() -> assertServed(Wire.HTTP_1_1));
    }

    private static boolean isClosed(Socket socket) {
        try {
            socket.setSoTimeout(1);
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    /** Quarkus counts the connections of clients. */
    @Test
    void closedWebSocketsAreNotCountedAsConnections() throws IOException {
        upstream.on("/ws", exchange -> {
            exchange.send(WebSocketBytes.accept(exchange));
            exchange.awaitClosed();
        });
        for (int i = 0; i < TlsHopProfile.CLIENTS + 10; i++) {
            try (var client = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_1)) {
                client.send(WebSocketBytes.handshake("/ws"));
                assertThat(client.readHead().status()).as("WebSocket %d", i).isEqualTo(101);
            }
        }
        assertServed(Wire.HTTP_1_1);
    }
}
