package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.KeyExpiries;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.FreeCallsProfile;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Bounds what callers without a token leave in Redis. */
@QuarkusTest
@TestProfile(FreeCallsProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmAnonymousUsageTest extends LlmTestBase {

    private HttpResponse<String> report(String identifier, int number, String... headers) {
        return http
                .post("/v1/llm/usage",
                        "{\"provider\":\"openai\",\"identifier\":\"" + identifier + "\",\"model\":\"model-" + number
                                + "\",\"input_tokens\":10,\"output_tokens\":5,\"request_id\":\"request-" + number + "\"}",
                        headers);
    }

    @Test
    void keysOfAnonymousUsageAreBounded() {
        int refused = 0;
        for (int i = 0; i < 330; i++) {
            var response = report("identifier-" + i % 4, i / 4);
            if (response.statusCode() != 204) {
                refused++;
                assertThat(response.statusCode()).isEqualTo(403);
                assertThat(error(response).getString("code")).isEqualTo("RATE_4031");
                assertThat(error(response).getString("message")).contains("rate-limit.llm.ledger.anonymous-identifiers",
                        "RATE_LIMIT_API_TOKEN");
            }
        }
        assertThat(refused).as("all of one identifier, unless an hour has ended meanwhile").isBetween(1, 82);
        assertThat(ledger("identifier-0", "openai").getLong("calls")).isEqualTo(83);
        var found = redis.connectionManager().send(KeyExpiries.matching("sluice:*:[luq]:*")).toCompletionStage()
                .toCompletableFuture().join();
        assertThat(found).as("request ids, and one or two hours, of three or four identifiers").hasSizeBetween(6, 12);
        assertThat(report("identifier-admin", 1, "Authorization", LlmProfile.ADMIN_AUTHORIZATION).statusCode()).isEqualTo(204);
        assertThat(report("x".repeat(257), 1).statusCode()).isEqualTo(400);
    }
}
