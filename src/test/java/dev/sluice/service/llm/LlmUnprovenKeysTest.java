package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import jakarta.inject.Inject;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.identity.Sha256;
import dev.sluice.service.token.KeySyntax;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import dev.sluice.testing.llm.UnprovenKeysProfile;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Keys of callers for a provider. A proof outlasts a test: each test uses keys of its own. */
@QuarkusTest
@TestProfile(UnprovenKeysProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmUnprovenKeysTest extends LlmTestBase {

    private static final String BODY = "{\"model\":\"gpt-4o\",\"max_tokens\":5,\"messages\":[]}";
    private static final String MODELS = "/openai/v1/models";
    private static final String GENERATE = "/gemini/v1beta/models/gemini-2.5-flash:generateContent";
    private static final String ADDRESS = "ip:127.0.0.1";

    @Inject
    MeterRegistry registry;

    private double refusedKeys() {
        return registry.counter("rate_limit_credentials_rejected", "kind", "provider_key", "reason", "refused").count();
    }

    @BeforeEach
    void acceptAnyKey() {
        openAi.expectKey(null);
        anthropic.expectKey(null);
        gemini.expectKey(null);
    }

    private HttpResponse<String> chat(String authorization, String... headers) {
        return http.post(CHAT, BODY,
                Stream.concat(Stream.of("Authorization", authorization), Arrays.stream(headers)).toArray(String[]::new));
    }

    private static String tenant(String key) {
        return "key:" + Sha256.hex(key);
    }

    private Map<String, Long> limits(String identifier) {
        return admin.limits(identifier).await().indefinitely();
    }

    /** Returns the keys of identifiers in Redis: windows, indexes, reservations, ledger entries, proven keys. */
    private List<String> redisKeys() {
        var reply = redis.connectionManager()
                .send(Request.cmd(Command.KEYS).arg(redis.hashTags().pattern("wirlk"))).toCompletionStage()
                .toCompletableFuture().join();
        return reply.stream().map(Response::toString).toList();
    }

    /** Calls, lists of models and any other requests with invented keys share one window of their address. */
    @ParameterizedTest
    @ValueSource(strings = {"POST /openai/v1/chat/completions", "POST /openai/v1/batches", "GET /openai/v1/models",
            "GET /openai/v1/files", "DELETE /openai/v1/files/f"})
    void inventedKeysShareOneWindow(String request) {
        openAi.expectKey("sk-valid");
        var parts = request.split(" ");
        int denied = 0;
        for (int i = 0; i < 300; i++) {
            var key = "sk-invented-" + i;
            var response = http.send(parts[0], parts[1], parts[0].equals("POST") ? BODY : null, "Authorization",
                    "Bearer " + key);
            assertThat(response.statusCode()).isIn(401, 429);
            if (response.statusCode() == 429) {
                denied++;
                assertThat(error(response).getString("message")).contains("Until the provider has accepted a call");
            }
            assertThat(limits(tenant(key))).isEmpty();
        }
        assertThat(openAi.requests()).hasSize(UnprovenKeysProfile.UNPROVEN_CALLS);
        assertThat(denied).isEqualTo(300 - UnprovenKeysProfile.UNPROVEN_CALLS);
        assertThat(limits(ADDRESS)).containsEntry("llm:openai:unproven", (long) UnprovenKeysProfile.UNPROVEN_CALLS);
        // The index and the windows.
        assertThat(redisKeys()).hasSizeBetween(2, 4).allMatch(key -> key.contains(":" + ADDRESS));
    }

    @Test
    void providersHaveWindowsOfTheirOwn() {
        anthropic.expectKey("sk-valid");
        double refusedBefore = refusedKeys();
        for (int i = 0; i < 3; i++) {
            assertThat(chat("Bearer sk-providers-" + i).statusCode()).isEqualTo(200);
            assertThat(http.post("/anthropic/v1/messages", BODY, "x-api-key", "sk-providers-" + i, "anthropic-version", "1")
                    .statusCode()).isEqualTo(401);
        }
        assertThat(limits(ADDRESS)).containsEntry("llm:openai:unproven", 3L).containsEntry("llm:anthropic:unproven", 3L)
                .containsEntry("llm:openai", 3L).containsEntry("llm:anthropic", 3L);
        assertThat(refusedKeys()).isEqualTo(refusedBefore + 3);
    }

    @Test
    void provenKeyHasWindowsOfItsOwn() {
        assertThat(header(chat("Bearer sk-own"), "x-ratelimit-limit")).isEqualTo("60");
        assertThat(limits(ADDRESS)).containsEntry("llm:openai", 1L).containsEntry("llm:openai:unproven", 1L)
                .containsEntry("llm:openai:tokens", 17L);
        assertThat(limits(tenant("sk-own"))).isEmpty();
        for (int i = 0; i < UnprovenKeysProfile.CALLS; i++) {
            assertThat(chat("Bearer sk-own").statusCode()).isEqualTo(200);
        }
        assertThat(chat("Bearer sk-own").statusCode()).isEqualTo(429);
        assertThat(http.get(MODELS, "Authorization", "Bearer sk-own").statusCode()).isEqualTo(200);
        assertThat(http.get("/openai/v1/files", "Authorization", "Bearer sk-own").headers().map())
                .doesNotContainKey("x-ratelimit-limit");
        assertThat(limits(ADDRESS)).containsEntry("llm:openai", 1L).containsEntry("llm:openai:unproven", 1L)
                .doesNotContainKey("llm:openai:free");
        assertThat(limits(tenant("sk-own"))).containsEntry("llm:openai", (long) UnprovenKeysProfile.CALLS)
                .containsEntry("llm:openai:free", 1L);
        assertThat(ledger(tenant("sk-own"), "openai").getLong("calls")).isEqualTo(UnprovenKeysProfile.CALLS + 1L);
        assertThat(ledger(ADDRESS)).isEmpty();
    }

    /** A rejection may concern a model or a region; the key is still no invented one. */
    @ParameterizedTest
    @ValueSource(ints = {401, 403, 500})
    void provenKeyStaysProvenWhenACallFails(int status) {
        var key = "sk-stays-" + status;
        assertThat(chat("Bearer " + key).statusCode()).isEqualTo(200);
        openAi.failNext(1, status);
        assertThat(chat("Bearer " + key).statusCode()).isEqualTo(status);
        assertThat(chat("Bearer " + key).statusCode()).isEqualTo(200);
        assertThat(limits(ADDRESS)).containsEntry("llm:openai:unproven", 1L);
        assertThat(limits(tenant(key))).containsEntry("llm:openai", 2L);
    }

    /** Some providers serve these without a key. */
    @Test
    void onlyCallsProveAKey() {
        openAi.respondNext(3, 200, "{}");
        for (var request : new String[]{"GET /openai/v1/models", "GET /openai/v1/files", "OPTIONS /openai/v1/files"}) {
            var parts = request.split(" ");
            assertThat(http.send(parts[0], parts[1], null, "Authorization", "Bearer sk-lists").statusCode()).isEqualTo(200);
        }
        openAi.failNext(2, 500);
        assertThat(chat("Bearer sk-lists").statusCode()).isEqualTo(500);
        assertThat(chat("Bearer sk-lists").statusCode()).isEqualTo(500);
        assertThat(limits(tenant("sk-lists"))).isEmpty();
        assertThat(ledger(tenant("sk-lists"))).isEmpty();
        assertThat(limits(ADDRESS)).containsEntry("llm:openai:unproven", 5L).containsEntry("llm:openai:free", 1L)
                .containsEntry("llm:openai", 2L).doesNotContainKey("llm:openai:tokens"); // released
    }

    /** A call that the address's own window denies takes nothing from that of unproven keys. */
    @Test
    void windowsOfAnUnprovenCallAreDecidedTogether() {
        openAi.expectKey("sk-valid");
        for (int i = 0; i < 100; i++) {
            http.post(CHAT, BODY.replace("\"max_tokens\":5", "\"max_tokens\":40000"), "Authorization",
                    "Bearer sk-together-" + i);
        }
        assertThat(limits(ADDRESS)).containsEntry("llm:openai:unproven", 60L).containsEntry("llm:openai", 60L);
        assertThat(ledger(ADDRESS)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer sk-spelled,", "bearer \"sk-spelled\"", "Bearer Bearer sk-spelled", "BEARER sk-spelled;"})
    void spellingsOfAKeyAreOneKey(String authorization) {
        assertThat(chat("Bearer sk-spelled").statusCode()).isEqualTo(200); // proves it
        long before = limits(tenant("sk-spelled")).getOrDefault("llm:openai", 0L);
        assertThat(chat(authorization).statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().headers().getAll("authorization")).containsExactly("Bearer sk-spelled");
        assertThat(limits(tenant("sk-spelled"))).containsEntry("llm:openai", before + 1);
    }

    @ParameterizedTest
    @CsvSource({"x-goog-api-key,'Bearer AIza-spelled,',''", "x-goog-api-key,'\"AIza-spelled\"',''",
            "X-Other,1,?key=AIza-spelled%2C", "X-Other,1,?key=%22AIza-spelled%22&a=1", "X-Other,1,?$alt=json&key=AIza-spelled"})
    void spellingsOfAGeminiKeyAreForwardedAsTheKey(String name, String value, String query) {
        assertThat(http.post(GENERATE + query, "{}", name, value).statusCode()).isEqualTo(200);
        var sent = gemini.lastRequest();
        assertThat(sent.header("x-goog-api-key") + sent.uri()).contains("AIza-spelled").doesNotContain("%2C", "%22", ",", "\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"access_token", "$oauth_token", "bearer_token", "$key", "KEY"})
    void anotherCredentialIsNotForwardedBesideTheKey(String name) throws IOException {
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(GENERATE + "?a=1&" + name + "=valid&b=2", "{}",
                "x-goog-api-key: AIza-beside"));
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        assertThat(gemini.lastRequest().uri()).endsWith("?a=1&b=2");
    }

    @Test
    void spellingOfASluiceKeyIsTheKey() {
        assertThat(chat("Bearer \"key-of-wealthy\",").statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().header("authorization")).isEqualTo("Bearer " + LlmProfile.OPENAI_KEY);
        assertThat(ledger("user:wealthy", "openai").getLong("calls")).isEqualTo(1);
    }

    @Test
    void impossibleKeysAreRejected() {
        for (var key : new String[]{"k".repeat(KeySyntax.MAX_LENGTH + 1), "sk one"}) {
            var response = chat("Bearer " + key);
            assertThat(response.statusCode()).isEqualTo(401);
            assertThat(error(response).getString("code")).isEqualTo("invalid_api_key");
            assertThat(error(response).getString("message")).contains("visible ASCII").doesNotContain(key);
        }
        assertThat(openAi.requests()).isEmpty();
        assertThat(limits(ADDRESS)).isEqualTo(Map.of("api:default", 2L));
        assertThat(chat("Bearer " + "k".repeat(KeySyntax.MAX_LENGTH)).statusCode()).isEqualTo(200);
    }

    /** The first that is known decides; the provider's key is forwarded; the others are failed credentials. */
    @Test
    void firstKnownOfSeveralKeysDecides() {
        assertThat(chat("Bearer sk-several", "X-API-Key", "guess-1", "x-goog-api-key", "key-of-wealthy").statusCode())
                .isEqualTo(200);
        assertThat(openAi.lastRequest().header("authorization")).isEqualTo("Bearer sk-several");
        assertThat(ledger("user:wealthy", "openai").getLong("calls")).isEqualTo(1);
        assertThat(limits(ADDRESS)).isEqualTo(Map.of("api:default", 1L));
        assertThat(chat("Bearer key-of-wealthy", "x-goog-api-key", "guess-2").statusCode()).isEqualTo(200);
        assertThat(limits(ADDRESS)).isEqualTo(Map.of("api:default", 2L));
        assertThat(chat("Bearer key-of-wealthy", "x-goog-api-key", "key-of-wealthy").statusCode()).isEqualTo(200);
        assertThat(limits(ADDRESS)).isEqualTo(Map.of("api:default", 2L));
        assertThat(http.post(CHAT, BODY, "x-goog-api-key", "guess-3", "X-API-Key", "guess-4").statusCode()).isEqualTo(401);
        assertThat(limits(ADDRESS)).isEqualTo(Map.of("api:default", 4L));
    }

    @Test
    void fifthKeyIsRefused() throws IOException {
        var four = new String[]{"X-API-Key: key-of-wealthy", "Authorization: Bearer k2", "Authorization: Bearer k3",
                "x-goog-api-key: k4"};
        assertThat(raw(CHAT + "?key=k3", four).status()).isEqualTo(200);
        var response = raw(CHAT + "?key=k5", four);
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.text()).contains("at most 4 different API keys");
        assertThat(openAi.requests()).hasSize(1);
    }

    private RawHttpConnection.Response raw(String target, String... headers) throws IOException {
        return RawHttpConnection.exchange(port, RawHttpConnection.post(target, BODY, headers));
    }

    /** A known key does not open the way to unlimited guesses before it; those after it are not even looked up. */
    @Test
    void guessesBeforeAKnownKeyAreBounded() {
        IntStream.range(0, UnprovenKeysProfile.FAILURES).forEach(i -> assertThat(
                chat("Bearer key-of-wealthy", "X-API-Key", "guess-" + i).statusCode()).isEqualTo(200));
        var response = chat("Bearer key-of-wealthy", "X-API-Key", "guess");
        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(header(response, "x-ratelimit-limit")).isEqualTo(Integer.toString(UnprovenKeysProfile.FAILURES));
        assertThat(chat("Bearer key-of-wealthy", "x-goog-api-key", "unused").statusCode()).isEqualTo(200);
        assertThat(chat("Bearer key-of-wealthy").statusCode()).isEqualTo(200);
    }
}
