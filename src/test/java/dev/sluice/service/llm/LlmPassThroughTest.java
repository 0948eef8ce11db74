package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Map;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmPassThroughProfile;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

@QuarkusTest
@TestProfile(LlmPassThroughProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class LlmPassThroughTest extends LlmTestBase {

    private static final String MESSAGES = "/anthropic/v1/messages";
    private static final String BODY = "{\"model\":\"gpt-4o\",\"max_tokens\":5,\"messages\":[]}";

    JwtKeys jwt;

    @BeforeEach
    void acceptAnyKey() {
        openAi.expectKey(null);
        anthropic.expectKey(null);
    }

    private static String tenant(String key) {
        return "key:" + Sha256.hex(key);
    }

    @ParameterizedTest
    @ValueSource(strings = {"admin-secret", "sk-sluice-that-was-deleted"})
    void credentialsOfSluiceAreNoProviderKeys(String credential) {
        int before = openAi.requests().size() + anthropic.requests().size();
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer " + credential).statusCode()).isEqualTo(401);
        assertThat(http.post(MESSAGES, BODY, "x-api-key", credential, "anthropic-version", "1").statusCode()).isEqualTo(401);
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer sk-of-provider", "OpenAI-Beta",
                "a " + credential).statusCode()).isEqualTo(200);
        assertThat(openAi.requests().size() + anthropic.requests().size()).isEqualTo(before + 1);
        assertThat(openAi.lastRequest().toString()).doesNotContain(credential);
    }

    @Test
    void providerKeysAreForwardedAndCountedSeparately() {
        for (var key : new String[]{"sk-separate-1", "sk-separate-2"}) {
            for (int i = 0; i < 4; i++) { // the first one proves the key and counts against the address
                assertThat(http.post(CHAT, BODY, "Authorization", "Bearer " + key).statusCode()).isEqualTo(200);
                assertThat(openAi.lastRequest().header("authorization")).isEqualTo("Bearer " + key);
            }
            assertThat(http.post(CHAT, BODY, "Authorization", "Bearer " + key).statusCode()).isEqualTo(429);
            assertThat(ledger(tenant(key), "openai").getLong("calls")).isEqualTo(4);
        }
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely())
                .isEqualTo(Map.of("llm:openai", 2L, "llm:openai:unproven", 2L));
        assertThat(http.post(MESSAGES, BODY, "x-api-key", "sk-ant-1", "anthropic-version", "1").statusCode()).isEqualTo(200);
        assertThat(anthropic.lastRequest().header("x-api-key")).isEqualTo("sk-ant-1");
        assertThat(http.post(MESSAGES, BODY, "Authorization", "Bearer sk-ant-oat", "anthropic-version", "1").statusCode())
                .isEqualTo(200);
        assertThat(anthropic.lastRequest().headers().contains("x-api-key")).isFalse();
        assertThat(ledger(tenant("sk-ant-oat"), "anthropic").getLong("calls")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /openai/v1/files?limit=2", "DELETE /openai/v1/files/file-1", "POST /openai/v1/batches",
            "GET /openai/v1/responses/resp_1", "PUT /openai/v1/x%20y"})
    void providerKeysMayUseAnyPath(String request) {
        var method = request.substring(0, request.indexOf(' '));
        var path = request.substring(request.indexOf(' ') + 1);
        openAi.respondNext(1, 200, "{\"id\":\"x\"}");
        var response = http.send(method, path, method.startsWith("P") ? "{\"a\":1}" : null, "Authorization",
                "Bearer sk-" + request.hashCode());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().method()).isEqualTo(method);
        assertThat(openAi.lastRequest().uri()).isEqualTo(path.substring("/openai".length()));
        assertThat(openAi.lastRequest().body()).isEqualTo(method.startsWith("P") ? "{\"a\":1}" : "");
        assertThat(header(response, "x-ratelimit-limit")).isEqualTo(method.equals("POST") ? "3" : "60");
    }

    /** They belong to the key: organization and project, and with Google the project that is billed. */
    @Test
    void accountOfAProviderKeyIsForwarded() {
        assertThat(
                http.post(CHAT, BODY, "Authorization", "Bearer sk-one", "OpenAI-Organization", "org-1", "OpenAI-Project", "p-1")
                        .statusCode())
                .isEqualTo(200);
        assertThat(openAi.lastRequest().header("openai-organization")).isEqualTo("org-1");
        assertThat(openAi.lastRequest().header("openai-project")).isEqualTo("p-1");
        assertThat(http.post(CHAT, BODY, "X-API-Key", "key-of-wealthy", "OpenAI-Organization", "org-1").statusCode())
                .isEqualTo(200);
        assertThat(openAi.lastRequest().headers().contains("openai-organization")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/openai/v1/%63hat/completions", "/openai/v1/chat%2Fcompletions", "/openai/v1/chat/completions/"})
    void otherSpellingsOfCallsAreRejected(String path) {
        int before = openAi.requests().size();
        var response = http.post(path, BODY, "Authorization", "Bearer sk-spelling");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).getString("message")).contains("another spelling of a known one");
        assertThat(openAi.requests()).hasSize(before);
    }

    @Test
    void freeCallsOfProviderKeysAreLimited() {
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer sk-free-calls").statusCode()).isEqualTo(200); // proves it
        var response = http.get("/openai/v1/models", "Authorization", "Bearer sk-free-calls");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(header(response, "x-ratelimit-limit")).isEqualTo("60");
        assertThat(admin.limits(tenant("sk-free-calls")).await().indefinitely()).containsOnlyKeys("llm:openai:free");
        assertThat(ledger(tenant("sk-free-calls"), "openai").getLong("calls")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/openai/v1/../../admin", "/openai/v1/%2e%2e/%2E%2E/admin", "/openai/v1//chat/completions",
            "/openai/v1/./chat/completions", "/openai/v1/x/..", "/openai/v1/..%2fadmin"})
    void pathsOutsideTheProvidersPrefixAreRejected(String path) throws IOException {
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(path, BODY, "Authorization: Bearer sk-one"));
        assertThat(response.status()).isEqualTo(400);
        assertThat(openAi.requests()).isEmpty();
    }

    @Test
    void sluiceKeyIdentifiesAndProviderKeyIsForwarded() {
        assertThat(http.post(CHAT, BODY, "X-API-Key", "key-of-wealthy", "Authorization", "Bearer sk-own").statusCode())
                .isEqualTo(200);
        assertThat(openAi.lastRequest().header("authorization")).isEqualTo("Bearer sk-own");
        assertThat(openAi.lastRequest().headers().contains("x-api-key")).isFalse();
        assertThat(ledger("user:wealthy", "openai").getLong("calls")).isEqualTo(1);
        assertThat(http.post(MESSAGES, BODY, "x-api-key", "sk-ant-own", "Authorization", "Bearer key-of-wealthy",
                "anthropic-version", "1").statusCode()).isEqualTo(200);
        assertThat(anthropic.lastRequest().header("x-api-key")).isEqualTo("sk-ant-own");
        assertThat(anthropic.lastRequest().headers().contains("authorization")).isFalse();
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer key-of-wealthy").statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().header("authorization")).isEqualTo("Bearer " + LlmProfile.OPENAI_KEY);
        assertThat(http.get("/openai/v1/files", "Authorization", "Bearer key-of-wealthy").statusCode()).isEqualTo(403);
        assertThat(admin.limits(tenant("sk-own")).await().indefinitely()).isEmpty();
    }

    @Test
    void onlyTheCountedKeyIsForwarded() throws IOException {
        for (var other : new String[]{"Bearer sk-two", "Bearer key-of-pro", "Basic xyz"}) {
            RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, "Authorization: Bearer sk-counted",
                    "Authorization: " + other));
            assertThat(openAi.lastRequest().headers().getAll("authorization")).containsExactly("Bearer sk-counted");
        }
        assertThat(ledger(tenant("sk-counted"), "openai").getLong("calls")).isEqualTo(2);
        assertThat(ledger("user:pro", "openai").getLong("calls")).isEqualTo(1); // a known key decides
        RawHttpConnection.exchange(port,
                RawHttpConnection.post(MESSAGES, BODY, "x-api-key: sk-a", "x-api-key: key-of-pro", "Authorization: Bearer sk-b",
                        "anthropic-version: 1"));
        assertThat(anthropic.lastRequest().headers().getAll("x-api-key")).containsExactly("sk-a");
        assertThat(anthropic.lastRequest().headers().contains("authorization")).isFalse();
    }

    @Test
    void unknownSluiceKeyIsRejected() {
        var response = http.post(CHAT, BODY, "X-API-Key", "guess", "Authorization", "Bearer sk-own");
        assertThat(response.statusCode()).isEqualTo(401);
        assertThat(error(response).getString("code")).isEqualTo("invalid_api_key");
        assertThat(openAi.requests()).isEmpty();
    }

    @Test
    void jwtIsNotForwarded() {
        var token = jwt.token("erin", "pro");
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer " + token).statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().header("authorization")).isEqualTo("Bearer " + LlmProfile.OPENAI_KEY);
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer " + token, "X-API-Key", "key-of-pro").statusCode())
                .isEqualTo(200);
        assertThat(openAi.lastRequest().header("authorization")).isEqualTo("Bearer " + LlmProfile.OPENAI_KEY);
        assertThat(ledger("user:erin", "openai").getLong("calls")).isEqualTo(2);
        assertThat(http.post(MESSAGES, BODY, "Authorization", "Bearer " + token, "x-api-key", "sk-ant-own", "anthropic-version",
                "1").statusCode()).isEqualTo(200);
        assertThat(anthropic.lastRequest().headers().toString()).contains("sk-ant-own").doesNotContain(token);
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer " + jwt.forgedToken("erin")).statusCode()).isEqualTo(401);
        assertThat(openAi.requests()).hasSize(2);
    }

    @Test
    void missingProviderKeyIsReported() {
        var path = "/gemini/v1beta/models/gemini-2.5-flash:generateContent";
        var response = http.post(path, "{}", "x-goog-api-key", "key-of-pro");
        assertThat(response.statusCode()).isEqualTo(401);
        assertThat(error(response).getString("message")).contains("RATE_LIMIT_LLM_GEMINI_API_KEY");
        assertThat(http.post(path, "{}", "x-goog-api-key", "AIza-own").statusCode()).isEqualTo(401);
        assertThat(gemini.requests()).isEmpty();
    }
}
