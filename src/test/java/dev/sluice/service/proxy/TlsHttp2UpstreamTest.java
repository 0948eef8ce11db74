package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.wire.Http2Wire;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** HTTP/2 to an upstream over TLS, if the upstream chooses it by ALPN; otherwise HTTP/1.1. */
@QuarkusTest
@TestProfile(TlsHttp2UpstreamProfile.class)
@WithTestResource(TlsHttp2UpstreamResource.class)
class TlsHttp2UpstreamTest extends HttpTestBase {

    @AfterEach
    void offerHttp2() {
        TlsHttp2UpstreamResource.running.offer(true);
    }

    private WireResponse echo(Wire wire, String text) {
        var response = wire.exchange(port, WireRequest.post("/echo").body(text));
        assertThat(response.status()).as("%s", response).isEqualTo(200);
        assertThat(response.text()).isEqualTo(text);
        assertThat(response.isComplete()).as("%s", response).isTrue();
        return response;
    }

    @ParameterizedTest
    @EnumSource
    void upstreamThatOffersHttp2GetsIt(Wire wire) {
        var response = echo(wire, "0123456789".repeat(100_000));
        assertThat(response.field("x-version")).isEqualTo("h2");
        assertThat(response.field("x-scheme")).isEqualTo("https");
        assertThat(response.field("x-server-name")).isEqualTo("localhost");
    }

    @Test
    void callOfGrpcStreamsInBothDirections() throws IOException {
        try (var client = new Http2Wire(port, "127.0.0.1")) {
            var stream = client.open(WireRequest.post("/test.Echo/Stream").field("Content-Type", "application/grpc")
                    .field("TE", "trailers"), false);
            var response = stream.readHead();
            for (int message = 1; message <= 20; message++) {
                stream.send("message", false);
                while (response.body().length < message * "message".length()) {
                    assertThat(stream.readMore(response)).isTrue();
                }
            }
            stream.send("", true);
            assertThat(stream.readToEnd(response).trailers("grpc-status")).containsExactly("0");
            assertThat(response.isComplete()).as("%s", response).isTrue();
            assertThat(response.field("x-version")).isEqualTo("h2");
        }
    }

    /** The upstream is replaced by one that offers less, and the other way round. */
    @Test
    void upstreamThatOffersHttp1OnlyGetsThat() {
        echo(Wire.HTTP_1_1, "first");
        TlsHttp2UpstreamResource.running.offer(false);
        for (int i = 0; i < 3; i++) {
            HopTestBase.onEveryWire(wire -> echo(wire, "hello"))
                    .forEach((wire, response) -> assertThat(response.field("x-version")).isEqualTo("http/1.1"));
        }
        TlsHttp2UpstreamResource.running.offer(true);
        HopTestBase.awaiting("HTTP/2").until(() -> echo(Wire.HTTP_1_1, "hello").field("x-version").equals("h2"));
    }

    /** The upstream rejects Sluice after the handshake, and before it has sent its HTTP/2 settings. */
    @Test
    void rejectedClientCertificateIs502() {
        TlsHttp2UpstreamResource.running.rejectClients();
        HopTestBase.onEveryWire(wire -> wire.exchange(port, WireRequest.get("/x")))
                .forEach((wire, response) -> HopTestBase.assertError(response, 502, "RATE_5021"));
    }

    @Test
    void webSocketUsesHttp1() throws Exception {
        var received = new CompletableFuture<CharSequence>();
        var socket = HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(URI.create("ws://127.0.0.1:" + port + "/ws"),
                new WebSocket.Listener() {

                    @Override
                    public CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
                        received.complete(text);
                        return null;
                    }
                }).get(30, TimeUnit.SECONDS);
        socket.sendText("hello", true).get(30, TimeUnit.SECONDS);
        assertThat(received.get(30, TimeUnit.SECONDS)).asString().isEqualTo("hello");
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(30, TimeUnit.SECONDS);
    }
}
