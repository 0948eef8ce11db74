package dev.sluice.llm.client;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.RateLimitExceededException;
import dev.sluice.directory.IdentityKind;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import io.smallrye.mutiny.subscription.Cancellable;
import io.vertx.core.json.JsonObject;

@QuarkusTest
@TestProfile(LlmTest.TokenRates.class)
class LlmClientTest extends LlmTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @Inject
    LlmClients llm;

    private static JsonObject body(String model) {
        return new JsonObject().put("model", model).put("max_tokens", 50);
    }

    @Test
    void callsOpenAi() {
        var client = llm.client("openai", "xan", "pro");
        assertThat(client.chat(body("gpt-4o")).await().indefinitely().getString("model")).isEqualTo("gpt-4o");
        awaitTokens("user:xan", "openai", 120);
        assertThat(AllProvidersStub.REQUESTS).singleElement().satisfies(seen -> {
            assertThat(seen.uri()).isEqualTo("/v1/chat/completions");
            assertThat(seen.headers()).containsEntry("authorization", "Bearer " + AllProvidersStub.KEY)
                    .containsEntry("content-type", "application/json").doesNotContainKeys("x-user-id", "x-user-tier");
            assertThat(seen.body()).isEqualTo(body("gpt-4o"));
        });
        assertThat(booked("user:xan", "openai", "gpt-4o").estimated()).isZero();
    }

    @Test
    void callsAnthropic() {
        var client = llm.client("anthropic", "xeb", "pro");
        client.chat(body("claude-sonnet-4-5")).await().indefinitely();
        awaitTokens("user:xeb", "anthropic", 40);
        var events = client.stream(body("claude-sonnet-4-5")).collect().asList().await().indefinitely();
        assertThat(events).extracting(event -> event.getString("type")).containsExactly("message_start",
                "content_block_delta", "message_delta", "message_stop");
        awaitTokens("user:xeb", "anthropic", 82);
        assertThat(AllProvidersStub.REQUESTS).hasSize(2).allSatisfy(seen -> {
            assertThat(seen.uri()).isEqualTo("/v1/messages");
            assertThat(seen.headers()).containsEntry("x-api-key", AllProvidersStub.KEY).containsEntry("anthropic-version",
                    "2023-06-01");
        });
        assertThat(booked("user:xeb", "anthropic", "claude-sonnet-4-5").estimated()).isZero();
    }

    @Test
    void callsGemini() {
        var client = llm.client("gemini", "xic", "pro");
        var body = new JsonObject().put("model", "gemini-2.5-flash").put("contents", "hi");
        client.chat(body).await().indefinitely();
        assertThat(client.stream(body).collect().asList().await().indefinitely()).hasSize(2);
        awaitTokens("user:xic", "gemini", 24);
        assertThat(AllProvidersStub.REQUESTS).extracting(AllProvidersStub.ReceivedRequest::uri).containsExactly(
                "/v1beta/models/gemini-2.5-flash:generateContent",
                "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
        assertThat(AllProvidersStub.REQUESTS).allSatisfy(seen -> {
            assertThat(seen.headers()).containsEntry("x-goog-api-key", AllProvidersStub.KEY);
            assertThat(seen.body().containsKey("model")).isFalse();
        });
        assertThat(booked("user:xic", "gemini", "gemini-2.5-flash").calls()).isEqualTo(2);
        assertThatThrownBy(() -> client.chat(new JsonObject()).await().indefinitely())
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("model");
    }

    @Test
    void storedLimitsOfTheUserHold() {
        stored.put(IdentityKind.USER, "xuv", new JsonObject().put("limits",
                new JsonObject("{\"llm\":{\"requests\":\"2/hour\",\"tokens\":\"5000/hour\"}}")));
        var client = llm.client("openai", "xuv", "pro");
        client.chat(body("gpt-4o")).await().indefinitely();
        client.stream(body("gpt-4o")).collect().asList().await().indefinitely();
        assertThatThrownBy(() -> client.chat(body("gpt-4o")).await().indefinitely())
                .isInstanceOf(RateLimitExceededException.class);
        assertThat(AllProvidersStub.REQUESTS).hasSize(2);
        await().atMost(60, TimeUnit.SECONDS).untilAsserted(() -> assertThat(used("user:xuv", "llm:tokens"))
                .isEqualTo(used("user:xuv", "llm:openai:tokens")).isPositive());
    }

    @Test
    void openAiStreamIsSettledByHiddenUsageChunk() {
        var client = llm.client("openai", "xod", "pro");
        var events = client.stream(body("gpt-4o")).collect().asList().await().indefinitely();
        assertThat(events).hasSize(3).allSatisfy(event -> assertThat(event.containsKey("usage")).isFalse());
        assertThat(events).extracting(event -> event.getJsonArray("choices").getJsonObject(0).getJsonObject("delta")
                .getString("content")).containsExactly("w0", "w1", "w2");
        awaitTokens("user:xod", "openai", 203);
        assertThat(booked("user:xod", "openai", "gpt-4o").estimated()).isZero();
        var request = body("gpt-4o").put("stream_options", new JsonObject().put("include_usage", true));
        assertThat(client.stream(request).collect().asList().await().indefinitely()).hasSize(4).last()
                .satisfies(event -> assertThat(event.getJsonObject("usage").getInteger("total_tokens")).isEqualTo(203));
        awaitTokens("user:xod", "openai", 406);
    }

    @Test
    void streamHonoursBackpressure() {
        var stream = llm.client("openai", "xue", "pro").stream(body("gpt-4o").put("stub", "many"));
        var events = stream.subscribe().withSubscriber(AssertSubscriber.create(1));
        events.awaitItems(1, TIMEOUT);
        assertThat(AllProvidersStub.writeQueueFull).succeedsWithin(TIMEOUT);
        for (int requested = 1; requested <= 10; requested++) {
            events.awaitItems(requested, TIMEOUT);
            assertThat(events.getItems()).hasSize(requested);
            // The rest remains at the provider, except for what socket buffers hold.
            assertThat(AllProvidersStub.eventsWritten).isLessThan(AllProvidersStub.LONG_STREAM_EVENTS);
            events.request(1);
        }
        events.request(Long.MAX_VALUE).awaitCompletion(TIMEOUT);
        assertThat(events.getItems()).hasSize(AllProvidersStub.LONG_STREAM_EVENTS);
        for (int i = 0; i < AllProvidersStub.LONG_STREAM_EVENTS; i++) {
            assertThat(events.getItems().get(i).getInteger("i")).isEqualTo(i);
        }
    }

    @Test
    void cancelledStreamClosesConnectionAndIsBooked() {
        var first = new CompletableFuture<JsonObject>();
        var subscription = new AtomicReference<Cancellable>();
        subscription.set(llm.client("openai", "yan", "pro").stream(body("gpt-4o").put("stub", "hold")).subscribe()
                .with(first::complete, first::completeExceptionally));
        assertThat(first).succeedsWithin(60, TimeUnit.SECONDS);
        subscription.get().cancel();
        assertThat(AllProvidersStub.connectionClosed).succeedsWithin(60, TimeUnit.SECONDS);
        assertThat(booked("user:yan", "openai", "gpt-4o").estimated()).isEqualTo(1);
        assertThat(used("user:yan", "llm:openai:tokens")).isPositive();
    }

    @Test
    void brokenStreamFailsAndIsBooked() {
        var client = llm.client("openai", "yeb", "pro");
        assertThatThrownBy(() -> client.stream(body("gpt-4o").put("stub", "break")).collect().asList().await().indefinitely())
                .isInstanceOf(LlmException.class);
        assertThat(booked("user:yeb", "openai", "gpt-4o").estimated()).isEqualTo(1);
    }

    @Test
    void deniedCallIsNotSent() {
        var client = llm.client("openai", "yic", "free");
        for (int i = 0; i < 3; i++) {
            client.chat(body("gpt-4o")).await().indefinitely();
        }
        assertThatThrownBy(() -> client.chat(body("gpt-4o")).await().indefinitely())
                .isInstanceOf(RateLimitExceededException.class);
        assertThatThrownBy(() -> client.stream(body("gpt-4o")).collect().asList().await().indefinitely())
                .isInstanceOf(RateLimitExceededException.class);
        assertThat(AllProvidersStub.REQUESTS).hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 429, 500})
    void providerErrorIsReportedAsLlmException(int status) {
        var user = "yod" + status;
        var client = llm.client("openai", user, "pro");
        var body = body("gpt-4o").put("stub", Integer.toString(status));
        assertThatThrownBy(() -> client.chat(body).await().indefinitely())
                .satisfies(failure -> assertProviderError(failure, status));
        assertThatThrownBy(() -> client.stream(body).collect().asList().await().indefinitely())
                .satisfies(failure -> assertProviderError(failure, status));
        awaitTokens("user:" + user, "openai", 0);
        assertThat(used("user:" + user, "llm:openai")).isEqualTo(2);
        assertThat(nothingBooked("user:" + user)).isTrue();
    }

    private static void assertProviderError(Throwable failure, int status) {
        assertThat(failure).isInstanceOfSatisfying(LlmException.class, error -> {
            assertThat(error.status()).isEqualTo(status);
            assertThat(error.body()).contains("as configured").doesNotContain(AllProvidersStub.KEY);
            assertThat(error).hasMessage("openai responded with status " + status);
        });
    }

    @Test
    void lostConnectionReleasesReservation() {
        var client = llm.client("openai", "yue", "pro");
        assertThatThrownBy(() -> client.chat(body("gpt-4o").put("stub", "hangup")).await().indefinitely())
                .isInstanceOfSatisfying(LlmException.class, failure -> assertThat(failure.status()).isZero());
        assertThatThrownBy(
                () -> client.stream(body("gpt-4o").put("stub", "hangup")).collect().asList().await().indefinitely())
                .isInstanceOfSatisfying(LlmException.class, failure -> assertThat(failure.status()).isZero());
        awaitTokens("user:yue", "openai", 0);
        assertThat(nothingBooked("user:yue")).isTrue();
    }

    @Test
    void callsAnyPath() {
        var client = llm.client("openai", "zan", "pro");
        client.call("/v1/responses/input_tokens", body("gpt-4o")).await().indefinitely();
        assertThat(admin.limits("user:zan").await().indefinitely()).isEmpty();
        client.call("/v1/embeddings", body("text-embedding-3-small")).await().indefinitely();
        assertThat(booked("user:zan", "openai", "text-embedding-3-small").calls()).isEqualTo(1);
    }

    @Test
    void rejectsPathWithoutVersion() {
        var client = llm.client("openai", "zed", "pro");
        for (var path : List.of("embeddings", "@127.0.0.2/v1/embeddings", "/v2/embeddings", "/v1beta/models")) {
            assertThatThrownBy(() -> client.call(path, body("gpt-4o")).await().indefinitely())
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("/v1/");
        }
        assertThat(admin.limits("user:zed").await().indefinitely()).isEmpty();
    }

    @Test
    void callCancelledInFlightIsBooked() {
        var call = llm.client("openai", "zoe", "pro").chat(body("gpt-4o").put("stub", "never")).subscribe().with(response -> {
        });
        await().atMost(60, TimeUnit.SECONDS).until(() -> AllProvidersStub.REQUESTS.size() == 1);
        call.cancel();
        assertThat(AllProvidersStub.connectionClosed).succeedsWithin(60, TimeUnit.SECONDS);
        assertThat(booked("user:zoe", "openai", "gpt-4o").estimated()).isEqualTo(1);
    }

    /** The provider may bill it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void callThatTimesOutIsBooked(boolean stream) {
        var user = "zia" + stream;
        var client = llm.client("slow", user, "pro");
        var body = body("gpt-4o").put("stub", "never");
        assertThatThrownBy(() -> {
            if (stream) {
                client.stream(body).collect().asList().await().indefinitely();
            } else {
                client.chat(body).await().indefinitely();
            }
        }).isInstanceOfSatisfying(LlmException.class, failure -> assertThat(failure.status()).isZero());
        var booked = booked("user:" + user, "slow", "gpt-4o");
        assertThat(booked.estimated()).isEqualTo(1);
        assertThat(booked.output()).isEqualTo(50);
    }

    /** After its head, and three events. */
    @Test
    void streamThatStallsTimesOut() {
        var client = llm.client("slow", "zoo", "pro");
        assertThatThrownBy(
                () -> client.stream(body("gpt-4o").put("stub", "hold")).collect().asList().await().atMost(TIMEOUT))
                .isInstanceOfSatisfying(LlmException.class, failure -> assertThat(failure.status()).isEqualTo(200));
        assertThat(booked("user:zoo", "slow", "gpt-4o").estimated()).isEqualTo(1);
    }

    @Test
    void secretsOfHeadersAndQueryAreRedacted() {
        var body = body("gpt-4o").put("stub", "400");
        assertThatThrownBy(() -> llm.client("slow", "zen", "pro").chat(body).await().indefinitely())
                .isInstanceOfSatisfying(LlmException.class, error -> assertThat(error.body()).contains("as configured")
                        .doesNotContain(AllProvidersStub.GATEWAY_TOKEN, AllProvidersStub.SIGNATURE));
        assertThat(AllProvidersStub.REQUESTS).singleElement().satisfies(seen -> {
            assertThat(seen.uri()).isEqualTo("/v1/chat/completions?signature=" + AllProvidersStub.SIGNATURE);
            assertThat(seen.headers()).containsEntry("x-gateway-token", AllProvidersStub.GATEWAY_TOKEN);
        });
    }

    @Test
    void plainResponseIsOneEvent() {
        var events = llm.client("openai", "zac", "pro").stream("/v1/chat/completions", body("gpt-4o")).collect().asList()
                .await()
                .indefinitely();
        assertThat(events).singleElement().satisfies(event -> assertThat(event.getString("model")).isEqualTo("gpt-4o"));
        awaitTokens("user:zac", "openai", 120);
    }

    @Test
    void requiresProviderAndUser() {
        assertThatThrownBy(() -> llm.client("openia", "zeb", "pro")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("gemini");
        assertThatThrownBy(() -> llm.client("openai", " ", "pro")).isInstanceOf(IllegalArgumentException.class);
    }
}
