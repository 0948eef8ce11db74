package dev.sluice.service.alerts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.service.alerts.WebhookTransport.WebhookResponse;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawUpstream;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;

/** POST requests to a server on plain sockets. */
class HttpWebhookTransportTest {

    private final Vertx vertx = Vertx.vertx();
    private final RawUpstream server = new RawUpstream();
    private final HttpWebhookTransport transport = transport(HttpWebhookTransport.TIMEOUT_MILLIS);

    private HttpWebhookTransport transport(long timeoutMillis) {
        return new HttpWebhookTransport(vertx, vertx.getOrCreateContext(), new HttpClientOptions(), new AlertUrls(false),
                timeoutMillis);
    }

    private WebhookResponse post(String path) {
        return post(transport, path);
    }

    private WebhookResponse post(HttpWebhookTransport client, String path) {
        return client.post(URI.create("http://localhost:" + server.port() + path), true, Map.of("webhook-id", "1"), "{\"ü\":1}")
                .toCompletionStage().toCompletableFuture().join();
    }

    @AfterEach
    void close() {
        transport.close();
        server.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void requestIsSentAsGiven() throws Exception {
        server.respond("/hook", "HTTP/1.1 204 No Content\r\n\r\n");
        assertThat(post("/hook?a=b%20c")).isEqualTo(new WebhookResponse(204, null));
        var request = server.only("/hook");
        assertThat(request.method()).isEqualTo("POST");
        assertThat(request.target()).isEqualTo("/hook?a=b%20c");
        assertThat(request.fields("content-type")).containsExactly("application/json");
        assertThat(request.fields("host")).containsExactly("localhost:" + server.port());
        assertThat(request.fields("webhook-id")).containsExactly("1");
        assertThat(new String(request.receivedBody(), StandardCharsets.UTF_8)).isEqualTo("{\"ü\":1}");
        Polling.await().until(() -> server.openConnections() == 0);
    }

    @Test
    void redirectIsNotFollowed() {
        server.respond("/hook",
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n");
        assertThat(post("/hook")).isEqualTo(new WebhookResponse(307, "5"));
        assertThat(server.received("/elsewhere")).isEmpty();
    }

    @Test
    void endlessResponseIsCut() {
        server.on("/hook", exchange -> {
            exchange.body();
            exchange.send("HTTP/1.1 200 OK\r\n\r\n");
            while (true) {
                exchange.send("x".repeat(8192));
            }
        });
        assertThat(post("/hook").status()).isEqualTo(200);
        Polling.await().until(() -> server.openConnections() == 0);
    }

    /** Those whose receiver is slow do not wait for each other. */
    @Test
    void asManyRequestsAreSentToAHostAtOnceAsHaveSlots() {
        var together = new CountDownLatch(DeliverySlots.MAX_PER_HOST);
        server.on("/hook", exchange -> {
            together.countDown();
            together.await();
            exchange.send("HTTP/1.1 204 No Content\r\n\r\n");
        });
        var patient = transport(60_000);
        var url = URI.create("http://localhost:" + server.port() + "/hook");
        var posts = IntStream.range(0, DeliverySlots.MAX_PER_HOST).mapToObj(i -> patient.post(url, true, Map.of(), "{}"))
                .toList();
        assertThat(posts).allSatisfy(
                post -> assertThat(post.toCompletionStage().toCompletableFuture().join().status()).isEqualTo(204));
        patient.close();
    }

    @Test
    void silentReceiverTimesOut() {
        server.on("/hook", exchange -> exchange.awaitClosed());
        var impatient = transport(50);
        assertThatThrownBy(() -> post(impatient, "/hook")).isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(TimeoutException.class);
        Polling.await().until(() -> server.openConnections() == 0);
        impatient.close();
    }

    @Test
    void refusedConnectionAndUnknownHostFail() {
        server.stopListening();
        assertThatThrownBy(() -> post("/hook")).isInstanceOf(CompletionException.class);
        assertThatThrownBy(() -> transport.post(URI.create("http://host.invalid/"), true, Map.of(), "").toCompletionStage()
                .toCompletableFuture().join()).isInstanceOf(CompletionException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[64:ff9b::7f00:1]"})
    void internalAddressIsNotConnectedTo(String host) {
        assertThatThrownBy(
                () -> transport.post(URI.create("http://" + host + ':' + server.port() + "/hook"), false, Map.of(), "")
                        .toCompletionStage().toCompletableFuture().join())
                .hasMessageContaining("internal addresses only");
        assertThat(server.received("/hook")).isEmpty();
    }
}
