package dev.sluice.service.edge;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.ConnectionsProfile;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.WebSocketBytes;
import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Wire;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/**
 * Slow clients cannot hold connections; legitimately slow responses are served. Where a client must keep up with a timeout, {@link
 * ConnectionTimeoutHandlerTest} sets the time.
 */
@QuarkusTest
@TestProfile(ConnectionsProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class ConnectionTimeoutsTest extends HttpTestBase {

    private static final int INTERVAL_MILLIS = 100;
    private static final int MAX_MILLIS = 60_000;
    private static final String HTTP2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

    private Socket connect() throws IOException {
        var socket = new Socket("127.0.0.1", port);
        socket.setSoTimeout(MAX_MILLIS);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Leaves it to the next read to notice that the connection has been closed: there may be a response before the end. */
    private static void sendIfOpen(Socket socket, String text) throws IOException {
        try {
            send(socket, text);
        } catch (SocketException e) {
            // the next read fails as well, or returns what arrived before
        }
    }

    /**
     * Sends a few bytes every 100 ms until the connection is closed.
     *
     * @return the response; null if the connection stays open
     */
    private String trickle(String first, String then) throws IOException {
        var response = new StringBuilder();
        try (var socket = connect()) {
            send(socket, first);
            socket.setSoTimeout(INTERVAL_MILLIS);
            for (int elapsed = 0; elapsed < MAX_MILLIS; elapsed += INTERVAL_MILLIS) {
                try {
                    int b = socket.getInputStream().read();
                    for (; b >= 0; b = socket.getInputStream().read()) {
                        response.append((char) b);
                    }
                    return response.toString();
                } catch (SocketTimeoutException e) {
                    sendIfOpen(socket, then);
                }
            }
            return null;
        } catch (SocketException e) {
            return response.toString();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "G", "GET /", "GET / HTTP/1.1\r\nHost: x\r\na", "PRI * HTTP", "\r\n"})
    void tricklingHeaderSectionTimesOut(String start) throws IOException {
        assertThat(trickle(start, start.isBlank() ? "\r\n" : "a")).isEmpty();
    }

    @Test
    void tricklingSecondHeaderSectionTimesOut() throws IOException {
        assertThat(trickle("GET /open/status/418 HTTP/1.1\r\nHost: x\r\n\r\n", "a")).startsWith("HTTP/1.1 418")
                .endsWith("body of /status/418");
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST /v1/check", "DELETE /v1/limits", "POST /q/openapi"})
    void tricklingBodyTimesOut(String endpoint) throws IOException {
        assertThat(trickle(endpoint + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", " ")).startsWith("HTTP/1.1 408")
                .contains("RATE_4081");
        assertThat(trickle(endpoint + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"))
                .startsWith("HTTP/1.1 408");
    }

    @Test
    void idleConnectionIsClosed() throws IOException {
        try (var unused = connect(); var used = connect()) {
            send(used, "GET /open/status/204 HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(unused.getInputStream().readAllBytes()).isEmpty();
            assertThat(new String(used.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)).startsWith("HTTP/1.1 204");
        }
    }

    @Test
    void http2PingsDoNotKeepAConnectionOpen() throws IOException {
        assertThat(trickle(HTTP2_PREFACE, "\0\0\10\6\0\0\0\0\00012345678")).isNotNull();
    }

    /**
     * Returns when a connection that was opened now has been closed as idle: connections that are older and are served for
     * longer than that have no such timeout.
     */
    private void awaitIdleTimeout() throws IOException {
        try (var idle = connect()) {
            assertThat(idle.getInputStream().readAllBytes()).isEmpty();
        }
    }

    @Test
    void longStreamCompletes() throws Exception {
        try (var stream = connect()) {
            send(stream, "GET /open/trickle?slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            await().until(() -> EchoUpstream.TRICKLING.containsKey("slow"));
            awaitIdleTimeout();
            EchoUpstream.TRICKLING.remove("slow").end("second\n");
            assertThat(new String(stream.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)).contains("second");
        }
    }

    @Test
    void silentWebSocketStaysOpen() throws Exception {
        var received = new CompletableFuture<CharSequence>();
        var socket = HttpClient.newHttpClient().newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + port + "/open/ws"), new WebSocket.Listener() {

                    @Override
                    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
                        received.complete(data);
                        return null;
                    }
                }).get(MAX_MILLIS, TimeUnit.MILLISECONDS);
        awaitIdleTimeout();
        socket.sendText("hello", true).get(MAX_MILLIS, TimeUnit.MILLISECONDS);
        assertThat(received.get(MAX_MILLIS, TimeUnit.MILLISECONDS)).hasToString("echo hello");
        socket.abort();
    }

    /** The timeout of the WebSocket counts instead, which is longer. */
    @Test
    void webSocketOfAStalledReaderStaysOpen() throws IOException {
        try (var client = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_1)) {
            client.send(WebSocketBytes.handshake("/open/ws"));
            assertThat(client.readHead().status()).isEqualTo(101);
            client.send(WebSocketBytes.maskedText("download"));
            for (int i = 0; i < 2; i++) { // each twice as long as the reader timeout
                awaitIdleTimeout();
            }
            assertThat(WebSocketBytes.readPayloads(client.in(), EchoUpstream.DOWNLOAD_BYTES, new byte[1]))
                    .isEqualTo(EchoUpstream.DOWNLOAD_BYTES);
        }
    }

    /** While all upstream connections are held, no other request is served. */
    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.0", "HTTP/1.1"})
    void stalledReaderTimesOut(String version) throws Exception {
        var stalled = new ArrayList<Socket>();
        try {
            for (int i = 0; i < ConnectionsProfile.CONNECTIONS; i++) {
                var socket = connect();
                stalled.add(socket);
                send(socket, "GET /open/download " + version + "\r\nHost: x\r\n\r\n");
                assertThat(socket.getInputStream().read()).isEqualTo('H');
            }
            await().until(() -> http.get("/open/status/418").statusCode() == 418);
            int reset = 0;
            for (var socket : stalled) { // those that have not timed out yet are served
                try {
                    assertThat(socket.getInputStream().transferTo(OutputStream.nullOutputStream()))
                            .as("the end of the connection must not look like that of the response")
                            .isGreaterThanOrEqualTo(EchoUpstream.DOWNLOAD_BYTES);
                } catch (SocketException e) {
                    reset++;
                }
            }
            assertThat(reset).isPositive();
        } finally {
            for (var socket : stalled) {
                socket.close();
            }
        }
    }
}
