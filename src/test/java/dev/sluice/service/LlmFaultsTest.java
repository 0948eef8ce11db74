package dev.sluice.service;

import static dev.sluice.testing.Http.header;
import static dev.sluice.testing.Http.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.llm.LlmSettings;
import dev.sluice.llm.wire.Provider;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisForTests;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusMock;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;

/** Faults of Sluice's own, and names that look like something else. */
@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisForTests.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class LlmFaultsTest extends LlmTest {

    private static final String CHAT = "/openai/v1/chat/completions";
    private static final String BODY = "{\"model\":\"gpt-4o\",\"max_tokens\":50,\"messages\":[]}";

    @Inject
    LlmSettings settings;
    @Inject
    Vertx vertx;

    @Test
    void errorIsAnsweredAndGivesBackWhatWasReserved() {
        var erring = new LlmUpstreams(settings, vertx) {
            boolean asked;

            @Override
            Future<HttpClientRequest> request(Provider provider, HttpMethod method, String target) {
                asked = true;
                throw new NoClassDefFoundError("on purpose");
            }
        };
        try {
            QuarkusMock.installMockForType(erring, LlmUpstreams.class);
            assertThat(http.post(CHAT, BODY, "Authorization", "Bearer key-of-tokens").statusCode()).isEqualTo(500);
        } finally {
            erring.close();
        }
        assertThat(erring.asked).isTrue();
        await().atMost(Duration.ofSeconds(60)).until(() -> used("tokens", "llm:openai:tokens") == 0);
        assertThat(account("user:tokens", "openai").isEmpty()).isTrue();
    }

    /** A call of a model is refused by what governs it, whatever the model is called. */
    @ParameterizedTest
    @CsvSource({"x:budget, requests, ", "x:tokens, budget, false"})
    void modelThatIsCalledLikeABudgetHasNone(String model, String type, String shouldRetry) {
        var body = BODY.replace("gpt-4o", model);
        http.post(CHAT, body, "Authorization", "Bearer key-of-pro");
        var refused = http.post(CHAT, body, "Authorization", "Bearer key-of-pro");
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(json(refused).getJsonObject("error").getString("type")).isEqualTo(type);
        assertThat(header(refused, "x-should-retry")).isEqualTo(shouldRetry);
    }
}
