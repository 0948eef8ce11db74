package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.json;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

import jakarta.inject.Inject;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.service.llm.body.RequestBodyBuffer;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.CompressedBodies;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Large and compressed request bodies. */
@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class LlmRequestBodiesTest extends LlmTestBase {

    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @Inject
    RequestBodyBuffer bodies;

    private HttpResponse<String> send(String coding, byte[] body) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + CHAT))
                .headers("Content-Encoding", coding, "Authorization", "Bearer key-of-pro")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @AfterEach
    void nothingIsHeld() {
        await().atMost(60, TimeUnit.SECONDS).until(() -> bodies.heldBytes() == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "deflate", "raw-deflate", "br", "zstd"})
    void compressedBodyIsForwardedInflated(String coding) throws Exception {
        var name = coding.replace("raw-", "");
        var encoded = CompressedBodies.encode(coding, CompressedBodies.chat());
        for (var body : new byte[][]{encoded, CompressedBodies.encode("gzip", encoded)}) {
            var response = send(body == encoded ? name : name + ", gzip", body);
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            assertThat(openAi.lastRequest().body()).isEqualTo(CompressedBodies.CHAT);
            assertThat(openAi.lastRequest().headers().contains("content-encoding")).isFalse();
            assertThat(openAi.lastRequest().header("content-length"))
                    .isEqualTo(Integer.toString(CompressedBodies.chat().length));
        }
        assertThat(ledger("user:pro", "openai").getLong("calls")).isEqualTo(2);
    }

    @Test
    void compressedStreamRequestGetsUsage() throws Exception {
        var body = "{\"model\":\"gpt-4o\",\"stream\":true,\"messages\":[],\"x\":\"" + "y".repeat(200_000) + "\"}";
        var response = send("zstd", CompressedBodies.encode("zstd", utf8(body)));
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().body())
                .isEqualTo("{\"stream_options\":{\"include_usage\":true}," + body.substring(1));
        assertThat(ledger("user:pro", "openai").getLong("input_tokens")).isEqualTo(12);
    }

    @Test
    void brokenAndUnknownCodingsAreRejected() throws Exception {
        for (var coding : new String[]{"compress", "gzip, unknown", "gzip,gzip,gzip,gzip"}) {
            var response = send(coding, utf8("{}"));
            assertThat(response.statusCode()).isEqualTo(415);
            assertThat(error(response).getString("message")).contains("content-encoding");
        }
        for (var coding : new String[]{"gzip", "deflate", "br", "zstd"}) {
            var response = send(coding, utf8("{\"model\":\"gpt-4o\"}"));
            assertThat(response.statusCode()).isEqualTo(400);
            assertThat(error(response).getString("message")).contains("content-encoding");
            assertThat(json(response).encode()).doesNotContain("Exception");
        }
        assertThat(send("gzip", CompressedBodies.encode("gzip", utf8("not JSON"))).statusCode()).isEqualTo(400);
        assertThat(openAi.requests()).isEmpty();
        assertThat(windowUsage("pro", "llm:openai")).isZero();
    }

    @Test
    void bombsStopAtTheMaximumSize() throws Exception {
        var bomb = new byte[LlmGatewayProfile.MAX_BODY_BYTES * 2];
        for (var coding : new String[]{"gzip", "deflate", "zstd"}) {
            var response = send(coding, CompressedBodies.encode(coding, bomb));
            assertThat(response.statusCode()).isEqualTo(413);
            assertThat(error(response).getString("message")).contains("rate-limit.llm.max-body-size");
        }
        assertThat(send("br", CompressedBodies.BOMB_BROTLI).statusCode()).isEqualTo(413);
    }

    @Test
    void unparsedBodiesKeepTheirCoding() throws Exception {
        var encoded = CompressedBodies.encode("gzip", utf8("{}"));
        openAi.respondNext(1, 200, "{}");
        var response = CLIENT.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/openai/v1/moderations"))
                        .headers("Content-Encoding", "gzip", "Authorization", "Bearer key-of-pro")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(encoded)).build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().header("content-encoding")).isEqualTo("gzip");
        assertThat(openAi.lastRequest().header("content-length")).isEqualTo(Integer.toString(encoded.length));
    }

    @Test
    void largeBodyOfSmallTokensIsForwardedUnchanged() {
        var body = "{\"model\":\"gpt-4o\",\"messages\":[],\"x\":[" + "[1],".repeat(2 << 20) + "0]}";
        assertThat(http.post(CHAT, body, "Authorization", "Bearer key-of-pro").statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().body()).isEqualTo(body);
    }
}
