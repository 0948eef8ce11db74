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

/** Limits are off; identity and ledger are not. */
@QuarkusTest
@TestProfile(LlmModes.Off.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmDisabledTest extends LlmTestBase {

    @Test
    void everyCallIsForwardedAndRecorded() {
        assertCallsForwardedAndRecorded((response, number) -> assertThat(header(response, "x-ratelimit-limit")).isNull());
    }
}
