package dev.sluice.llm.client;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.TimeUnit;

import jakarta.inject.Inject;

import org.junit.jupiter.api.BeforeEach;

import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.UsageTotals;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.Estimates;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTestProfile;

/** Base of tests that call the stub. */
@WithTestResource(RedisTestResource.class)
@WithTestResource(AllProvidersStub.class)
abstract class LlmTest extends HttpTestBase {

    static final String CHAT = "{\"model\":\"gpt-4o\",\"max_tokens\":50,\"messages\":[]}";

    /** Limits tokens, so that they are reserved and settled. */
    public static class TokenRates implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("rate-limit.llm.openai.tokens.free", "5000/minute", "rate-limit.llm.openai.tokens.pro",
                    "5000/minute", "rate-limit.llm.anthropic.tokens.pro", "5000/minute", "rate-limit.llm.gemini.tokens.pro",
                    "5000/minute");
        }
    }

    @Inject
    Ledger ledger;

    @BeforeEach
    void clear() {
        Estimates.load();
        AllProvidersStub.clear();
    }

    static String chat(String stub) {
        return "{\"model\":\"gpt-4o\",\"max_tokens\":50,\"messages\":[],\"stub\":\"" + stub + "\"}";
    }

    long used(String identifier, String resource) {
        return admin.limits(identifier).await().indefinitely().getOrDefault(resource, 0L);
    }

    /** Waits, because a call does not wait for its settlement. */
    void awaitTokens(String identifier, String provider, long tokens) {
        await().atMost(60, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(used(identifier, "llm:" + provider + ":tokens")).isEqualTo(tokens));
    }

    UsageTotals booked(String identifier, String provider, String model) {
        await().atMost(60, TimeUnit.SECONDS)
                .until(() -> ledger.read(identifier, 1).await().indefinitely().providers().getOrDefault(provider, Map.of())
                        .containsKey(model));
        return ledger.read(identifier, 1).await().indefinitely().providers().get(provider).get(model);
    }

    boolean nothingBooked(String identifier) {
        return ledger.read(identifier, 1).await().indefinitely().providers().isEmpty();
    }
}
