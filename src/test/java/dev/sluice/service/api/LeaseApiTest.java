package dev.sluice.service.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.nullValue;

import java.time.Instant;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.api.Rate;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;

/** Leases of slots of requests in flight over HTTP. */
@QuarkusTest
@WithTestResource(RedisTestResource.class)
class LeaseApiTest extends HttpTestBase {

    private static ValidatableResponse take(String identifier, int limit, int seconds) {
        return given().contentType(ContentType.JSON)
                .body(Map.of("identifier", identifier, "resource", "reports", "limit", limit, "ttl_seconds", seconds))
                .post("/v1/leases").then();
    }

    private static String lease(ValidatableResponse taken) {
        return taken.statusCode(201).extract().path("lease");
    }

    private long held(String identifier) {
        return 100 - limiter.check(identifier, "reports", Rate.concurrency(100), 0).await().indefinitely().quotas().get(0)
                .remaining();
    }

    @Test
    void leaseHoldsASlotUntilItIsFreed() {
        var first = lease(take("job-1", 2, 60).body("limit", is(2)).body("remaining", is(1)).body("ttl_seconds", is(60)));
        var second = lease(take("job-1", 2, 60));
        take("job-1", 2, 60).statusCode(429).header("Retry-After", "1")
                .body("error.code", is("RATE_5003")).body("error.details.limit", is(2));
        assertThat(held("job-1")).isEqualTo(2);
        assertThat(limiter.check("job-1", "reports", Rate.concurrency(2), 1).await().indefinitely().allowed())
                .as("requests have the same slots").isFalse();

        given().delete("/v1/leases/" + first).then().statusCode(204);
        given().delete("/v1/leases/" + first).then().statusCode(404).body("error.code", is("RATE_4041"));
        given().put("/v1/leases/" + first).then().statusCode(404);
        assertThat(held("job-1")).isEqualTo(1);
        lease(take("job-1", 2, 60));
        given().delete("/v1/leases/" + second).then().statusCode(204);
    }

    @Test
    void leaseEndsByItselfUnlessItIsRenewed() {
        var ending = lease(take("job-2", 2, 1));
        var renewed = lease(take("job-2", 2, 1));
        long before = Instant.now().getEpochSecond();
        long end = given().contentType(ContentType.JSON).body("{\"ttl_seconds\":600}").put("/v1/leases/" + renewed).then()
                .statusCode(200).body("lease", is(renewed)).body("ttl_seconds", is(600)).body("limit", nullValue()).extract()
                .<Number>path("expires_at").longValue();
        assertThat(end).isGreaterThanOrEqualTo(before + 590);
        Polling.await().untilAsserted(() -> assertThat(held("job-2")).isEqualTo(1));
        given().put("/v1/leases/" + ending).then().statusCode(404);
        given().delete("/v1/leases/" + renewed).then().statusCode(204);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":0,\"ttl_seconds\":1} | limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"ttl_seconds\":86401} | ttl_seconds",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1} | ttl_seconds",
            "{\"identifier\":\"\",\"resource\":\"r\",\"limit\":1,\"ttl_seconds\":1} | identifier",
            "{\"identifier\":\"a\",\"limit\":1,\"ttl_seconds\":1} | resource"})
    void invalidRequestNamesItsField(String body, String field) {
        given().contentType(ContentType.JSON).body(body).post("/v1/leases").then().statusCode(400)
                .body("error.code", is("RATE_4001")).body("error.details.field", is(field));
    }

    @Test
    void accessIsThatOfChecks() {
        take("user:alice", 1, 60).statusCode(403).body("error.code", is("RATE_4031"));
        for (var forged : new String[]{"x", "l-0-1-1-YWI", "l-" + "0".repeat(32) + "-60-1-YWI"}) {
            given().delete("/v1/leases/" + forged).then().statusCode(404);
        }
        var reserved = "l-" + "0".repeat(32) + "-60-10-" + java.util.Base64.getUrlEncoder().withoutPadding()
                .encodeToString("user:alicereports".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        given().delete("/v1/leases/" + reserved).then().statusCode(403);
    }
}
