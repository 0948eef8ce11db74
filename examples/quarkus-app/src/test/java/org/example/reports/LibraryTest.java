package org.example.reports;

import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitExceededException;
import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.RateLimiter;
import dev.sluice.llm.client.LlmCallScope;
import dev.sluice.llm.ledger.Ledger;


import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.stream.StreamSupport;

import jakarta.inject.Inject;

import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.eclipse.microprofile.rest.client.inject.RestClient;

import io.quarkus.redis.datasource.RedisDataSource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;

/** What an application gets from the installed jar, and what it does not. */
@QuarkusTest
@WithTestResource(OwnRedis.class)
@WithTestResource(ModelStub.class)
class LibraryTest {

    @Inject
    RateLimiter limiter;
    @Inject
    RateLimitAdmin admin;
    @Inject
    RedisDataSource redis;
    @Inject
    Summaries summaries;
    @Inject
    Ledger ledger;
    @RestClient
    ModelApi model;

    @BeforeEach
    void reset() {
        admin.resetAll().await().indefinitely();
    }

    @Test
    void resourcesAreLimitedByTheApplicationsRows() {
        for (int left = 4; left >= 0; left--) {
            given().get("/reports").then().statusCode(200).header("X-RateLimit-Limit", "5")
                    .header("X-RateLimit-Remaining", Integer.toString(left));
        }
        given().get("/reports").then().statusCode(429).body("error.code", equalTo("RATE_5001"))
                .header("Retry-After", not(nullValue()));
    }

    @Test
    void annotationAddsToTheRow() {
        for (int i = 0; i < 2; i++) {
            given().post("/reports/7").then().statusCode(200)
                    .header("RateLimit-Policy", containsString("\"org.example.reports.ReportResource.create\";q=2;w=60"));
        }
        given().post("/reports/7").then().statusCode(429);
        given().get("/reports").then().statusCode(200).header("X-RateLimit-Remaining", "2");
    }

    @Test
    void beansAreLimitedToo() {
        given().get("/reports/yearly").then().statusCode(200);
        given().get("/reports/yearly").then().statusCode(429).body("error.details.limit", equalTo(1));
    }

    @Test
    void applicationsSecuritySaysWhoAndItsResolverWhichTier() {
        given().get("/reports/secret").then().statusCode(401);
        given().auth().preemptive().basic("alice", "wonderland").get("/reports/secret").then().statusCode(200)
                .header("X-RateLimit-Limit", "50");
        assertEquals(1, admin.limits("user:alice").await().indefinitely().get("api:/reports"));
    }

    @Test
    void bearersAreTheApplicationsOwnAffair() {
        given().header("Authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x").get("/reports").then().statusCode(200);
    }

    @Test
    void windowsLieInTheApplicationsOwnRedis() {
        assertTrue(redis.key().keys("sluice:*:w:*").isEmpty());
        given().get("/reports").then().statusCode(200);
        assertFalse(redis.key().keys("sluice:*:w:*").isEmpty());
        given().get("/visits").then().statusCode(200);
    }

    @Test
    void limiterCanBeAskedDirectly() {
        var rate = Rate.parse("1/minute");
        assertTrue(limiter.check("me", "mine", rate, 1).await().indefinitely().allowed());
        assertFalse(limiter.check("me", "mine", rate, 1).await().indefinitely().allowed());
    }

    @Test
    void requestsCanWaitForRoom() {
        var rate = Rate.parse("1/second");
        assertTrue(limiter.acquire("me", "slow", rate, 1, Duration.ZERO).await().indefinitely().allowed());
        assertTrue(limiter.acquire("me", "slow", rate, 1, Duration.ofSeconds(30)).await().indefinitely().allowed());
        assertFalse(limiter.acquire("me", "slow", rate, 2, Duration.ofSeconds(30)).await().indefinitely().allowed());
    }

    @Test
    void resultsAreReturnedAsJson() {
        given().post("/usage/bob/exports").then().statusCode(200).body("allowed", equalTo(true)).body("limit", equalTo(2))
                .body("remaining", equalTo(1)).body("window_seconds", equalTo(3600)).body("retry_after", equalTo(0))
                .body("mode", equalTo("redis")).body("quotas[0].resource", equalTo("exports"));
        given().get("/usage/bob/exports").then().statusCode(200).body("identifier", equalTo("bob"))
                .body("resource", equalTo("exports")).body("current", equalTo(1)).body("window_end", not(nullValue()));
        given().get("/usage/bob").then().statusCode(200).body("exports", equalTo(1));
        summaries.of("x", "dora", "free");
        given().get("/usage/user:dora/models").then().statusCode(200).body("identifier", equalTo("user:dora"))
                .body("window_hours", equalTo(24)).body("providers.anthropic.calls", equalTo(1))
                .body("providers.anthropic.models.'claude-haiku-4-5'.cost_usd", equalTo("0.0015"));
    }

    @Test
    void logSaysThatSluiceIsThere() throws IOException {
        var log = Files.readString(OwnRedis.LOG);
        assertTrue(log.contains("Sluice limits this application: windows=Redis at 127.0.0.1:"), log);
        assertTrue(log.contains(", rules=1, @RateLimited methods=2, @LlmRateLimited methods=1"), log);
        assertFalse(log.contains("secret"), log);
    }

    @Test
    void callsOfModelsAreLimitedAndBooked() {
        for (int i = 0; i < 2; i++) {
            assertEquals("in short: x", summaries.of("x", "bob", "free"));
        }
        var denied = assertThrows(RateLimitExceededException.class, () -> summaries.of("x", "bob", "free"));
        assertEquals("llm:anthropic", denied.decision().mostRestrictive().orElseThrow().resource());
        var account = ledger.read("user:bob", 24).await().indefinitely().providers().get("anthropic").get("claude-haiku-4-5");
        assertEquals(2, account.calls());
        assertEquals("0.003", account.dollars());
    }

    @Test
    void restClientsOfModelsAreLimitedAndBooked() {
        var body = "{\"model\":\"gpt-4o\",\"messages\":[]}";
        LlmCallScope.as("carol", "free").call(() -> model.chat(body)).await().indefinitely();
        assertThrows(RateLimitExceededException.class,
                () -> LlmCallScope.as("carol", "free").call(() -> model.chat(body)).await().indefinitely());
        assertEquals("0.0035", ledger.read("user:carol", 24).await().indefinitely().providers().get("openai").get("gpt-4o").dollars());
    }

    @Test
    void noneOfTheServicesDoorsIsThere() {
        given().body("{}").post("/v1/check").then().statusCode(404).body(not(containsString("RATE_4041")));
        given().get("/v1/limits?identifier=a").then().statusCode(404);
        given().get("/q/openapi").then().statusCode(404);
        given().body("{}").post("/v1/llm/check").then().statusCode(404);
        given().get("/openai/v1/models").then().statusCode(404);
        assertThrows(ClassNotFoundException.class, () -> Class.forName("dev.sluice.service.api.CheckRoute"));
    }

    @Test
    void noneOfTheServicesRowsIsThere() {
        for (int i = 0; i < 12; i++) {
            given().get("/visits").then().statusCode(200).header("RateLimit-Policy", nullValue());
        }
        var names = StreamSupport.stream(ConfigProvider.getConfig().getPropertyNames().spliterator(), false).toList();
        assertFalse(names.stream().anyMatch(name -> name.contains("/auth/login") || name.contains("/campaigns")));
    }

    @Test
    void noneOfTheServicesSettingsIsThere() {
        var config = ConfigProvider.getConfig();
        assertEquals("reports", config.getValue("quarkus.application.name", String.class));
        assertFalse(config.getOptionalValue("quarkus.management.enabled", Boolean.class).orElse(false));
        assertTrue(config.getOptionalValue("quarkus.http.auth.proactive", Boolean.class).orElse(true));
        assertTrue(config.getOptionalValue("quarkus.redis.rate-limit.hosts-provider-name", String.class).isEmpty());
    }

    @Test
    void readinessIsTheApplicationsOwn() {
        given().get("/q/health/ready").then().statusCode(200).body(not(containsString("rate-limit-store")))
                .body(containsString("Redis connection health check"));
    }
}
