package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmModes;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Dry run: denied calls are forwarded, and the response says that they would have been denied. */
@QuarkusTest
@TestProfile(LlmModes.DryRun.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmDryRunTest extends LlmTestBase {

    private static final String CHAT = "/openai/v1/chat/completions";

    @Test
    void everyCallIsForwardedAndRecorded() {
        for (int i = 0; i < 5; i++) {
            var response = http.post(CHAT, "{\"model\":\"gpt-4o\",\"messages\":[]}", "Authorization", "Bearer key-of-free");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "x-ratelimit-dry-run")).isEqualTo(i < 3 ? null : "denied");
        }
        assertThat(ledger("user:free", "openai").getLong("calls")).isEqualTo(5);
        assertThat(ledger("user:free", "openai").getLong("input_tokens")).isEqualTo(60);
        var unpriced = http.post(CHAT, "{\"model\":\"nobody-knows-me\",\"messages\":[]}", "Authorization",
                "Bearer key-of-money");
        assertThat(unpriced.statusCode()).isEqualTo(200);
        assertThat(ledger("user:money", "openai").getLong("unpriced_calls")).isEqualTo(1);
        assertThat(http.post(CHAT, "{}", "Authorization", "Bearer wrong").statusCode()).isEqualTo(401);
    }
}
