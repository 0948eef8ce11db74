package dev.sluice.service.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Several checks in one request, and checks that charge. */
@QuarkusTest
@WithTestResource(RedisTestResource.class)
class CheckBatchTest extends HttpTestBase {

    private static JsonObject check(String identifier, long limit) {
        return new JsonObject().put("identifier", identifier).put("resource", "r").put("limit", limit).put("window_seconds",
                60);
    }

    private static ValidatableResponse send(JsonObject... checks) {
        var array = new JsonArray();
        for (var check : checks) {
            array.add(check);
        }
        return post(new JsonObject().put("checks", array).encode());
    }

    private static ValidatableResponse post(String body) {
        return given().contentType(ContentType.JSON).body(body).when().post("/v1/check").then();
    }

    private long used(String identifier) {
        return admin.usage(identifier, "r", Duration.ofMinutes(1)).await().indefinitely().used();
    }

    @Test
    void checksOfSeveralIdentifiersAreGrantedTogether() {
        send(check("batch-a", 5), check("batch-b", 7).put("cost", 3), check("batch-a", 9).put("resource", "other"))
                .statusCode(200)
                .body("keySet()", contains("allowed", "results"))
                .body("allowed", is(true))
                .body("results", hasSize(3))
                .body("results.allowed", contains(true, true, true))
                .body("results.limit", contains(5, 7, 9))
                .body("results.remaining", contains(4, 4, 8))
                .header("X-RateLimit-Limit", "5");
        assertThat(used("batch-a")).isEqualTo(1);
        assertThat(used("batch-b")).isEqualTo(3);
    }

    @Test
    void denialOfOneCheckTakesNothingFromAnother() {
        send(check("full", 1)).statusCode(200);

        send(check("empty", 5), check("full", 1))
                .statusCode(429)
                .body("error.code", is("RATE_5001"))
                .body("error.details.identifier", is("full"))
                .body("error.details.results.allowed", contains(true, false))
                .body("error.details.results.remaining", contains(5, 0));

        assertThat(used("empty")).isZero();
        assertThat(used("full")).isEqualTo(1);
    }

    @Test
    void concurrentBatchesNeverExceedASharedLimit() {
        var pool = Executors.newFixedThreadPool(8);
        try {
            var statuses = new ArrayList<CompletableFuture<Integer>>();
            for (int i = 0; i < 40; i++) {
                int caller = i % 4;
                statuses.add(CompletableFuture.supplyAsync(
                        () -> send(check("racer-" + caller, 4), check("shared", 10)).extract().statusCode(), pool));
            }
            assertThat(statuses.stream().filter(status -> status.join() == 200)).hasSize(10);
        } finally {
            pool.shutdownNow();
        }
        assertThat(used("shared")).isEqualTo(10);
        assertThat(used("racer-0") + used("racer-1") + used("racer-2") + used("racer-3")).isEqualTo(10);
    }

    @Test
    void queriesConsumeNothing() {
        send(check("asked-a", 5).put("cost", 0), check("asked-b", 5).put("cost", 0)).statusCode(200)
                .body("results.remaining", contains(5, 5));
        send(check("asked-c", 1)).statusCode(200);
        send(check("asked-c", 1).put("cost", 0)).statusCode(200).body("allowed", is(false));
        assertThat(used("asked-a")).isZero();
    }

    @Test
    void chargeTakesItsCostBeyondTheLimit() {
        var charge = check("charged", 3).put("charge", true).put("cost", 5);

        post(charge.encode()).statusCode(200).body("allowed", is(true)).body("remaining", is(0));
        assertThat(used("charged")).isEqualTo(5);
        post(check("charged", 3).encode()).statusCode(429);
        post(charge.encode()).statusCode(200).body("allowed", is(false)).header("Retry-After", notNullValue());
        assertThat(used("charged")).isEqualTo(10);
        post(check("charged", 11).encode()).statusCode(200).body("remaining", is(0));
    }

    @Test
    void chargesOfSeveralIdentifiersAreAllTaken() {
        send(check("spender-a", 3)).statusCode(200);
        var a = check("spender-a", 1).put("charge", true).put("cost", 2);
        var b = check("spender-b", 100).put("charge", true).put("cost", 20);

        send(a, b).statusCode(200).body("allowed", is(false)).body("results.allowed", contains(false, true));

        assertThat(used("spender-a")).isEqualTo(3);
        assertThat(used("spender-b")).isEqualTo(20);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "{'checks':[]} | checks",
            "{'checks':{}} | checks",
            "{'checks':null} | checks",
            "{'checks':[{}]} | /checks/0/identifier",
            "{'checks':[7]} | /checks/0",
            "{'checks':[{'identifier':'a','resource':'b','limit':1,'window_seconds':60},{'identifier':'a','resource':'c','limit':1}]} | /checks/1/window_seconds",
            "{'checks':[{'identifier':'a','resource':'b','rate':'often'}]} | /checks/0/rate",
            "{'checks':[{'identifier':'a','resource':'b','rate':'1/minute','cost':2}]} | /checks/0/cost",
            "{'checks':[{'identifier':'a','resource':'b','rate':'1/minute','checks':[]}]} | /checks/0/checks",
            "{'checks':[{'identifier':'a','resource':'b','rate':'1/minute'},{'identifier':'a','resource':'b','rate':'2/60s'}]} | /checks/1/resource",
            "{'checks':[{'identifier':'a','resource':'b','rate':'1/minute','charge':true},{'identifier':'c','resource':'b','rate':'1/minute'}]} | /checks/1/charge",
            "{'checks':[{'identifier':'a','resource':'b','rate':'1/minute','charge':'yes'}]} | /checks/0/charge",
            "{'checks':[{'identifier':'a','resource':'b','rate':'1/minute'}],'identifier':'a'} | checks",
            "{'identifier':'a','resource':'checks','rate':'1/minute','charge':1} | charge",
            "{'checks' | body"})
    void invalidBatchIsRejectedWithItsField(String body, String field) {
        post(body.strip().replace('\'', '"')).statusCode(400).body("error.details.field", is(field));
    }

    @Test
    void tooManyChecksAreRejected() {
        var checks = new JsonObject[101];
        for (int i = 0; i < checks.length; i++) {
            checks[i] = check("many-" + i, 5);
        }
        send(checks).statusCode(400).body("error.details.field", is("checks"));
        assertThat(used("many-0")).isZero();
    }

    @Test
    void reservedIdentifierIsRejectedWithoutAToken() {
        send(check("free", 5), check("user:alice", 5)).statusCode(403).body("error.code", is("RATE_4031"));
    }

    @Test
    void resourceMayBeNamedChecks() {
        post(check("odd", 2).put("resource", "checks").encode()).statusCode(200).body("remaining", is(1))
                .body("results", nullValue());
    }
}
