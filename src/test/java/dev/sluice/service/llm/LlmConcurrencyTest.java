package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.Rate;
import dev.sluice.directory.IdentityKind;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Limits of calls of language models in flight: a slot is free after every end of a call. */
@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class LlmConcurrencyTest extends LlmTestBase {

    private static final String ALICE = "sk-sluice-key-of-alice";
    private static final String BODY = "{\"model\":\"gpt-4o\",\"stream\":true,\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    @BeforeEach
    void create() {
        stored.put(IdentityKind.TEAM, "growth", new JsonObject("{\"limits\":{\"llm\":{\"concurrency\":1}}}")).putKey("ka",
                ALICE,
                new JsonObject().put("user", "alice").put("team", "growth").put("tier", "pro"));
    }

    @AfterEach
    void delete() {
        openAi.ungate();
    }

    private long inFlight(String identifier, String resource) {
        return 100 - limiter.check(identifier, resource, Rate.concurrency(100), 0).await().indefinitely().quotas().get(0)
                .remaining();
    }

    private void awaitInFlight(long expected) {
        Polling.await().untilAsserted(() -> assertThat(inFlight("team:growth", "llm:concurrency")).isEqualTo(expected));
    }

    private RawHttpConnection begin(String body) throws IOException {
        var connection = new RawHttpConnection(port);
        connection.send(RawHttpConnection.post(CHAT, body, "X-API-Key: " + ALICE));
        return connection;
    }

    @Test
    void callHoldsASlotOfTheTeam() throws IOException {
        var gate = openAi.gate();
        var held = begin(BODY);
        Polling.await().until(() -> gate.waiting() == 1);
        awaitInFlight(1);

        var refused = http.post(CHAT, BODY, "X-API-Key", ALICE);
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(error(refused).getString("message"))
                .startsWith("Too many requests in flight of team:growth: Limit 1, Used 1");
        assertThat(error(refused).getJsonObject("details").getString("resource")).isEqualTo("llm:concurrency");
        assertThat(header(refused, "Retry-After")).isEqualTo("1");
        assertThat(windowUsage("alice", "llm:openai")).as("taken by no level").isEqualTo(1);

        gate.open();
        assertThat(held.readResponse().complete()).isTrue();
        awaitInFlight(0);
        held.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void slotIsFreeWhenTheClientIsGone(int events) throws IOException {
        var gate = openAi.gate();
        var held = begin(BODY);
        Polling.await().until(() -> gate.waiting() == 1);
        gate.release(events);
        if (events > 0) {
            held.readHeaderSection();
        }
        awaitInFlight(1);
        held.reset();
        gate.open(); // the rest of the response is read for its usage
        awaitInFlight(0);
    }

    @Test
    void failedCallsHoldNoSlot() {
        for (int i = 0; i < 3; i++) {
            assertThat(http.post(CHAT, "{\"model\":\"gpt-4o\"", "X-API-Key", ALICE).statusCode()).isEqualTo(400);
            openAi.failNext(1, 500);
            assertThat(http.post(CHAT, BODY, "X-API-Key", ALICE).statusCode()).isEqualTo(500);
        }
        awaitInFlight(0);
    }

    @Test
    void modelHasItsOwnLimitBesideThatOfTheLevels() throws IOException {
        stored.put(IdentityKind.TEAM, "growth", new JsonObject("{\"limits\":{\"models\":{\"gpt-4o*\":{\"concurrency\":1}}}}"));
        var gate = openAi.gate();
        var body = BODY.replace("gpt-4o", "gpt-4.1");
        var one = begin(body);
        var two = begin(body);
        Polling.await().until(() -> gate.waiting() == 2);
        var refused = http.post(CHAT, body, "X-API-Key", ALICE);
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(error(refused).getString("message")).contains("Limit 2");
        gate.open();
        one.readResponse();
        two.readResponse();
        Polling.await().until(() -> inFlight("user:alice", "llm:openai:concurrency/gpt-4.1") == 0);
        one.close();
        two.close();
    }

    @Test
    void checksOverTheApiHoldNone() {
        for (int i = 0; i < 3; i++) {
            assertThat(http.post("/v1/llm/check",
                    "{\"provider\":\"openai\",\"identifier\":\"someone\",\"tier\":\"pro\",\"model\":\"gpt-4.1\"}").statusCode())
                    .isEqualTo(200);
        }
        Polling.await().until(() -> inFlight("someone", "llm:openai:concurrency/gpt-4.1") == 0);
    }
}
