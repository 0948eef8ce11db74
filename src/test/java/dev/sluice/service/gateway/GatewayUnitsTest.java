package dev.sluice.service.gateway;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.RichRulesProfile;
import dev.sluice.testing.WebSocketBytes;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.http.HttpServerResponse;

/** Costs and counted answers on the gateway: whatever ends a request. */
@QuarkusTest
@TestProfile(RichRulesProfile.Gateway.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class GatewayUnitsTest extends RuleUnitsTestBase {

    @Test
    void errorsOfTheGatewayAreAnswers() {
        get(504, "/silent");
        get(502, "/hangup");
        assertUnits(CLIENT, Map.of("api:/silent", 1L, "api:/hangup", 1L));
    }

    @Test
    void costOfAnAnswerHasOneName() {
        var other = get(200, "/billed/200?cost=5&field=X_Cost");
        assertThat(header(other, "X_Cost")).isEqualTo("5");
        assertUnits(CLIENT, Map.of("api:/billed", 2L));
        get(200, "/billed/200?cost=5&field=x-COST");
        assertUnits(CLIENT, Map.of("api:/billed", 7L));
        var ofConnection = get(200, "/billed/200?cost=5&connection=X-Cost");
        assertThat(header(ofConnection, "X-Cost")).isNull();
        assertUnits(CLIENT, Map.of("api:/billed", 9L));
    }

    @Test
    void upgradeIsAnAnswer() throws Exception {
        var socket = HttpClient.newHttpClient().newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + port + "/ws"), new WebSocket.Listener() {
                }).get(60, TimeUnit.SECONDS);
        assertUnits(CLIENT, Map.of());
        socket.abort();
        get(400, "/ws");
        assertUnits(CLIENT, Map.of("api:/ws", 1L));
    }

    private HttpServerResponse sendAndDisconnect(String request) throws IOException {
        EchoUpstream.LATER.clear();
        try (var socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            Polling.await().until(() -> !EchoUpstream.LATER.isEmpty());
        }
        return EchoUpstream.LATER.remove();
    }

    /** The upstream has done what was asked, whether the client waits for its answer or not. */
    @ParameterizedTest
    @MethodSource
    void answerCountsIfTheClientDoesNotWaitForIt(String request) throws IOException {
        var later = sendAndDisconnect(request);
        assertUnits(CLIENT, Map.of("api:/later", 1L));
        later.end("done");
        sendAndDisconnect(request).setStatusCode(404).end();
        assertUnits(CLIENT, Map.of("api:/later", 1L));
        sendAndDisconnect(request);
        assertUnits(CLIENT, Map.of("api:/later", 1L));
    }

    static Stream<String> answerCountsIfTheClientDoesNotWaitForIt() {
        return Stream.of("GET /later HTTP/1.1\r\nHost: a\r\n\r\n", "GET /later HTTP/1.0\r\n\r\n",
                "GET /later HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", WebSocketBytes.handshake("/later"));
    }

    @Test
    void upgradeCountsIfTheClientDoesNotWaitForIt() throws IOException {
        sendAndDisconnect(WebSocketBytes.handshake("/later")).setStatusCode(101).putHeader("Connection", "Upgrade")
                .putHeader("Upgrade", "websocket").end();
        sendAndDisconnect(WebSocketBytes.handshake("/later")).setStatusCode(404).end();
        assertUnits(CLIENT, Map.of("api:/later", 1L));
    }
}
