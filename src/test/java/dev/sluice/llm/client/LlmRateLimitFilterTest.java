package dev.sluice.llm.client;

import static dev.sluice.testing.Polling.await;
import static io.restassured.RestAssured.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.hamcrest.Matchers.is;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import jakarta.inject.Inject;
import jakarta.ws.rs.ProcessingException;
import jakarta.ws.rs.WebApplicationException;

import org.eclipse.microprofile.rest.client.inject.RestClient;
import org.junit.jupiter.api.Test;

import dev.sluice.api.RateLimitExceededException;
import dev.sluice.testing.llm.Estimates;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;

@QuarkusTest
@TestProfile(LlmTest.TokenRates.class)
class LlmRateLimitFilterTest extends LlmTest {

    private static final String APP = "app:sluice";

    @RestClient
    StubClients.Limited client;
    @RestClient
    StubClients.Unlimited unlimited;
    @RestClient
    StubClients.Slow slowClient;
    @RestClient
    StubClients.Unreachable unreachable;
    @Inject
    Vertx vertx;

    @Test
    void checksCallBeforeAndSettlesAfter() {
        var response = LlmCallScope.as("ann").call(() -> client.chat(CHAT));
        assertThat(new JsonObject(response).getJsonObject("usage").getInteger("total_tokens")).isEqualTo(120);
        assertThat(used("user:ann", "llm:openai")).isEqualTo(1);
        awaitTokens("user:ann", "openai", 120);
        var totals = booked("user:ann", "openai", "gpt-4o");
        assertThat(totals.calls()).isEqualTo(1);
        assertThat(totals.input()).isEqualTo(100);
        assertThat(totals.output()).isEqualTo(20);
        assertThat(totals.estimated()).isZero();
        assertThat(AllProvidersStub.REQUESTS).singleElement()
                .satisfies(seen -> assertThat(seen.uri()).isEqualTo("/prefix/v1/chat/completions"));
    }

    @Test
    void deniedCallIsNotSentAndStatesTheReason() {
        for (int i = 0; i < 3; i++) {
            LlmCallScope.as("bea").call(() -> client.chat(CHAT));
        }
        assertThatThrownBy(() -> LlmCallScope.as("bea").call(() -> client.chat(CHAT)))
                .isInstanceOfSatisfying(RateLimitExceededException.class, denied -> {
                    assertThat(denied.decision().mostRestrictive().orElseThrow().limit()).isEqualTo(3);
                    assertThat(denied.decision().retryAfter()).isPresent();
                });
        assertThatThrownBy(
                () -> LlmCallScope.as("bea").call(() -> client.chatAsync(CHAT.getBytes(StandardCharsets.UTF_8))).await()
                        .indefinitely())
                .isInstanceOf(RateLimitExceededException.class);
        assertThatThrownBy(
                () -> LlmCallScope.as("bea").call(() -> client.stream(CHAT)).collect().asList().await().indefinitely())
                .isInstanceOf(RateLimitExceededException.class);
        assertThat(LlmCallScope.as("bea").call(() -> client.chatStage(CHAT)).toCompletableFuture())
                .failsWithin(60, TimeUnit.SECONDS).withThrowableThat().withCauseInstanceOf(RateLimitExceededException.class);
        assertThat(AllProvidersStub.REQUESTS).hasSize(3);
        assertThat(used("user:bea", "llm:openai")).isEqualTo(3);
    }

    @Test
    void tierHasItsOwnRule() {
        for (int i = 0; i < 4; i++) {
            LlmCallScope.as("cid", "pro").call(() -> client.chat(CHAT));
        }
        assertThat(used("user:cid", "llm:openai")).isEqualTo(4);
    }

    @Test
    void identityHeadersNameTheUserAndAreRemoved() {
        for (int i = 0; i < 4; i++) {
            client.chatAs("dan", "pro", CHAT);
        }
        assertThat(used("user:dan", "llm:openai")).isEqualTo(4);
        LlmCallScope.as("dora").call(() -> client.chatAs("dan", "pro", CHAT));
        assertThat(used("user:dora", "llm:openai")).isEqualTo(1);
        assertThat(AllProvidersStub.REQUESTS).hasSize(5)
                .allSatisfy(seen -> assertThat(seen.headers()).doesNotContainKeys("x-user-id", "x-user-tier"));
    }

    @Test
    void clientWithoutFilterIsNotLimited() {
        for (int i = 0; i < 5; i++) {
            LlmCallScope.as("eve").call(() -> unlimited.chat("eve", CHAT));
        }
        assertThat(admin.limits("user:eve").await().indefinitely()).isEmpty();
        assertThat(admin.limits(APP).await().indefinitely()).isEmpty();
        assertThat(AllProvidersStub.REQUESTS).hasSize(5)
                .allSatisfy(seen -> assertThat(seen.headers()).containsEntry("x-user-id", "eve"));
    }

    @Test
    void countsApplicationOutsideOfARequest() {
        client.chat(CHAT);
        assertThat(used(APP, "llm:openai")).isEqualTo(1);
    }

    @Test
    void countsCallerWithinARequest() {
        for (var path : List.of("/chat", "/chat/async", "/chat")) {
            when().get(path).then().statusCode(200);
        }
        assertThat(used("ip:127.0.0.1", "llm:openai")).isEqualTo(3);
        when().get("/chat/async").then().statusCode(429).body("error.code", is("RATE_5001"));
        when().get("/chat").then().statusCode(429);
        assertThat(used(APP, "llm:openai")).isZero();
    }

    @Test
    void everyResponseTypeIsCompleteAndSettled() throws Exception {
        var fay = LlmCallScope.as("fay", "pro");
        assertThat(fay.call(() -> client.chatAsync(CHAT.getBytes(StandardCharsets.UTF_8))).await().indefinitely())
                .contains("total_tokens");
        awaitTokens("user:fay", "openai", 120);
        assertThat(fay.call(() -> client.chatStage(CHAT)).toCompletableFuture().get()).contains("total_tokens");
        awaitTokens("user:fay", "openai", 240);
        try (var response = fay.call(() -> client.chatRaw(CHAT))) {
            assertThat(response.readEntity(String.class)).contains("total_tokens");
        }
        awaitTokens("user:fay", "openai", 360);
        try (var bytes = fay.call(() -> client.chatBytes(CHAT))) {
            assertThat(new String(bytes.readAllBytes(), StandardCharsets.UTF_8)).contains("total_tokens");
        }
        awaitTokens("user:fay", "openai", 480);
        assertThat(booked("user:fay", "openai", "gpt-4o").estimated()).isZero();
    }

    @Test
    void streamIsBookedAsEstimated() {
        var body = new JsonObject(CHAT).put("stream", true).encode();
        var events = LlmCallScope.as("gus").call(() -> client.stream(body)).collect().asList().await().indefinitely();
        assertThat(events).hasSize(4).last().isEqualTo("[DONE]");
        assertThat(booked("user:gus", "openai", "gpt-4o").estimated()).isEqualTo(1);
        awaitTokens("user:gus", "openai", 50 + Estimates.chat(body));
    }

    @Test
    void responseWithoutUsageIsBookedAsEstimated() {
        LlmCallScope.as("hal").call(() -> client.chat(chat("silent")));
        assertThat(booked("user:hal", "openai", "gpt-4o").estimated()).isEqualTo(1);
    }

    @Test
    void unmappableResponseIsBooked() {
        assertThatThrownBy(
                () -> LlmCallScope.as("hed").call(() -> client.chatObject(new JsonObject(CHAT))).await().indefinitely())
                .isInstanceOf(ProcessingException.class);
        awaitTokens("user:hed", "openai", 120);
    }

    @Test
    void providerErrorReleasesReservation() {
        for (var status : List.of("500", "429", "400")) {
            var user = "ida" + status;
            assertThatThrownBy(() -> LlmCallScope.as(user).call(() -> client.chat(chat(status))))
                    .isInstanceOf(WebApplicationException.class);
            awaitTokens("user:" + user, "openai", 0);
            assertThat(used("user:" + user, "llm:openai")).isEqualTo(1);
            assertThat(nothingBooked("user:" + user)).isTrue();
        }
    }

    @Test
    void lostConnectionReleasesReservation() {
        assertThatThrownBy(() -> LlmCallScope.as("jim").call(() -> unreachable.chat(CHAT))).isInstanceOf(Exception.class);
        awaitTokens("user:jim", "openai", 0);
        assertThat(used("user:jim", "llm:openai")).isEqualTo(1);
        assertThatThrownBy(() -> LlmCallScope.as("joe").call(() -> client.chat(chat("hangup")))).isInstanceOf(Exception.class);
        awaitTokens("user:joe", "openai", 0);
        assertThat(nothingBooked("user:jim")).isTrue();
        assertThat(nothingBooked("user:joe")).isTrue();
    }

    @Test
    void freeOperationsAreNotCountedAndUnknownOnesAre() {
        LlmCallScope.as("kim").call(() -> client.models());
        assertThat(admin.limits("user:kim").await().indefinitely()).isEmpty();
        LlmCallScope.as("kim").call(() -> client.unknown(CHAT));
        assertThat(used("user:kim", "llm:openai")).isEqualTo(1);
    }

    @Test
    void concurrentCallsKeepTheirIdentities() {
        var calls = new ArrayList<Uni<String>>();
        for (int i = 0; i < 60; i++) {
            var user = "lea" + i % 6;
            calls.add(LlmCallScope.as(user, "pro").call(() -> Uni.createFrom().item(CHAT).emitOn(task -> vertx.runOnContext(
                    loop -> task.run())).chain(body -> client.chatAsync(body.getBytes(StandardCharsets.UTF_8)))));
        }
        Uni.join().all(calls).andFailFast().await().indefinitely();
        for (int i = 0; i < 6; i++) {
            assertThat(used("user:lea" + i, "llm:openai")).isEqualTo(10);
        }
        assertThat(used(APP, "llm:openai")).isZero();
    }

    @Test
    void pipelineAssembledOutsideTheScopeIsNotBound() {
        LlmCallScope.as("max").call(() -> client.chatAsync(CHAT.getBytes(StandardCharsets.UTF_8)))
                .chain(first -> client.chatAsync(CHAT.getBytes(StandardCharsets.UTF_8))).await().indefinitely();
        assertThat(used("user:max", "llm:openai")).isEqualTo(1);
        assertThat(used(APP, "llm:openai")).isEqualTo(1);
        assertThatThrownBy(() -> LlmCallScope.as("max").call(() -> {
            throw new IllegalStateException("on purpose");
        })).hasMessage("on purpose");
        client.chat(CHAT);
        assertThat(used(APP, "llm:openai")).isEqualTo(2);
    }

    @Test
    void eventLoopIsNotBlocked() {
        var response = new CompletableFuture<String>();
        vertx.runOnContext(
                loop -> LlmCallScope.as("nan").call(() -> client.chatAsync(CHAT.getBytes(StandardCharsets.UTF_8))).subscribe()
                        .with(response::complete, response::completeExceptionally));
        assertThat(response).succeedsWithin(60, TimeUnit.SECONDS);
        awaitTokens("user:nan", "openai", 120);
    }

    @Test
    void cancelledCallIsBooked() {
        var body = new JsonObject(chat("hold")).put("stream", true).encode();
        var first = new CompletableFuture<String>();
        Multi<String> stream = LlmCallScope.as("oda").call(() -> client.stream(body));
        var subscription = stream.subscribe().with(first::complete, first::completeExceptionally);
        assertThat(first).succeedsWithin(60, TimeUnit.SECONDS);
        subscription.cancel();
        assertThat(AllProvidersStub.connectionClosed).succeedsWithin(60, TimeUnit.SECONDS);
        assertThat(booked("user:oda", "openai", "gpt-4o").estimated()).isEqualTo(1);
    }

    /** The provider may bill it. */
    @Test
    void callThatTimesOutIsBooked() {
        assertThatThrownBy(() -> LlmCallScope.as("per").call(() -> slowClient.chat(chat("never"))).await().indefinitely())
                .isNotNull();
        assertThat(booked("user:per", "openai", "gpt-4o").estimated()).isEqualTo(1);
    }

    @Test
    void callCancelledInFlightIsBooked() {
        var call = LlmCallScope.as("pia").call(() -> client.chatAsync(chat("never").getBytes(StandardCharsets.UTF_8)))
                .subscribe()
                .with(response -> {
                });
        await().atMost(60, TimeUnit.SECONDS).until(() -> AllProvidersStub.REQUESTS.size() == 1);
        call.cancel();
        assertThat(AllProvidersStub.connectionClosed).succeedsWithin(60, TimeUnit.SECONDS);
        assertThat(booked("user:pia", "openai", "gpt-4o").estimated()).isEqualTo(1);
    }

    @Test
    void partiallyReadResponseIsBooked() {
        LlmCallScope.as("ula").call(() -> client.chatRaw(CHAT)).close();
        assertThat(booked("user:ula", "openai", "gpt-4o").calls()).isEqualTo(1);
        assertThatThrownBy(() -> LlmCallScope.as("ulf").call(() -> client.chatRaw(chat("429"))))
                .isInstanceOf(WebApplicationException.class);
        awaitTokens("user:ulf", "openai", 0);
    }
}
