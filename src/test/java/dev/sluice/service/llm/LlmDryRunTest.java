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

    @Test
    void everyCallIsForwardedAndRecorded() {
        assertCallsForwardedAndRecorded((response, number) -> assertThat(header(response, "x-ratelimit-dry-run"))
                .isEqualTo(number < 3 ? null : "denied"));
    }
}
