package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.StoredIdentities.limits;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;

import org.junit.jupiter.api.Test;

import dev.sluice.directory.IdentityKind;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Keys that are stored in Redis identify the callers of the LLM gateway. */
@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class StoredKeysTest extends LlmTestBase {

    private static final String KEY = "sk-sluice-key-of-alice";
    private static final String BODY = "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    @Test
    void storedKeyIsAcceptedWhereverAnSdkPutsItsKey() {
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice").put("tier", "pro"));

        for (var header : List.of("X-API-Key", "api-key", "x-goog-api-key")) {
            assertThat(http.post(CHAT, BODY, header, KEY).statusCode()).as(header).isEqualTo(200);
        }
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer " + KEY).statusCode()).isEqualTo(200);
        assertThat(http.post(CHAT + "?key=" + KEY, BODY).statusCode()).isEqualTo(200);
        assertThat(ledger("user:alice", "openai").encode()).contains("gpt-4o");
        assertThat(openAi.requests()).hasSize(5);
    }

    @Test
    void storedKeyIsNotForwarded() {
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice").put("tier", "pro"))
                .putKey("k2", "imported-key-of-bob", new JsonObject().put("user", "bob"));

        http.post(CHAT, BODY, "Authorization", "Bearer " + KEY, "X-Kept", "a " + KEY + " b", "X-Acme-Generated",
                "sk-sluice-of-somebody", "X-Acme-Other", "kept");
        assertThat(openAi.lastRequest().toString().toLowerCase(Locale.ROOT)).doesNotContain("sk-sluice");
        http.post(CHAT, BODY, "Authorization", "Bearer imported-key-of-bob", "X-Kept", "imported-key-of-bob");
        assertThat(openAi.lastRequest().toString()).doesNotContain("imported-key");
    }

    @Test
    void keyThatIsNotValidIs401() {
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice").put("disabled", true));

        for (var key : List.of(KEY, "unknown-key")) {
            var response = http.post(CHAT, BODY, "Authorization", "Bearer " + key);
            assertThat(response.statusCode()).as(response.body()).isEqualTo(401);
        }
        assertThat(openAi.requests()).isEmpty();
    }

    @Test
    void keyThatCannotBeReadIs503() {
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice").put("limits", limits("not a rate")));

        var response = http.post(CHAT, BODY, "Authorization", "Bearer " + KEY);
        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(error(response).encode()).doesNotContain(KEY);
    }

    @Test
    void keysOfTheSettingsWin() {
        stored.put(IdentityKind.USER, "pro", new JsonObject().put("tier", "enterprise"))
                .putKey("k1", "key-of-pro", new JsonObject().put("user", "alice"));

        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer key-of-pro").statusCode()).isEqualTo(200);
        assertThat(ledger("user:pro", "openai").encode()).contains("gpt-4o");
        assertThat(ledger("user:alice", "openai").encode()).doesNotContain("gpt-4o");
    }
}
