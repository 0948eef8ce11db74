package dev.sluice.http;

import static dev.sluice.testing.HttpTestClient.header;
import static io.restassured.RestAssured.given;
import static io.restassured.RestAssured.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;

import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.app.LimitedBean;
import dev.sluice.testing.app.SampleEndpoints;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;

@QuarkusTest
@WithTestResource(RedisTestResource.class)
class RateLimitFilterTest extends HttpTestBase {

    private static final String ENDPOINTS = SampleEndpoints.class.getName() + ".";

    private static ValidatableResponse postTenant(String path) {
        return given().noContentType().when().post(path).then();
    }

    private long used(String resource) {
        return admin.limits("ip:127.0.0.1").await().indefinitely().getOrDefault(resource, 0L);
    }

    @Test
    void endpointIsLimitedByItsRule() {
        SampleEndpoints.CALLS.set(0);
        for (int i = 9; i >= 0; i--) {
            when().get(i % 2 == 0 ? "/campaigns" : "/api/v1/campaigns/42")
                    .then().statusCode(200)
                    .header("X-RateLimit-Remaining", Integer.toString(i))
                    .header("RateLimit-Policy", "\"api:/campaigns\";q=10;w=60");
        }
        when().get("/campaigns")
                .then().statusCode(429)
                .header("X-RateLimit-Remaining", "0")
                .header("Retry-After", notNullValue())
                .body("error.code", is("RATE_5001"));
        assertThat(SampleEndpoints.CALLS).hasValue(5);
    }

    /** Not by REST Assured, which removes duplicate slashes. */
    @ParameterizedTest
    @ValueSource(strings = {"/campaigns/", "//campaigns", "/campaigns;a=b", "/%63ampaigns", "/x/../campaigns",
            "/campaigns?x=1"})
    void pathVariantsMatchTheSameRule(String path) {
        var response = http.get(path);
        if (response.statusCode() == 200) {
            assertThat(header(response, "RateLimit-Policy")).contains("\"api:/campaigns\";q=10;w=60");
        } else {
            assertThat(response.statusCode()).isEqualTo(404);
        }
    }

    @Test
    void annotationMayHaveTheKeyOfARule() {
        given().header("X-Tenant", "a").get("/keyed").then().statusCode(200).header("RateLimit-Policy", "\"keyed\";q=1;w=60");
        given().header("X-Tenant", "b").get("/keyed").then().statusCode(200);
        given().header("x-tenant", "a").get("/keyed").then().statusCode(429)
                .body("error.details.window_seconds", is(60));
        when().get("/keyed").then().statusCode(200).header("RateLimit-Policy", "\"api:default\";q=10;w=60");
        assertThat(admin.limits("header:x-tenant=a|ip=127.0.0.1").await().indefinitely())
                .containsExactly(Map.entry("keyed", 1L));
    }

    @Test
    void headCountsAsGet() {
        when().head("/campaigns").then().header("X-RateLimit-Remaining", "9");
        when().get("/campaigns").then().header("X-RateLimit-Remaining", "8");
    }

    @Test
    void errorsHaveHeaders() {
        when().get("/fails")
                .then().statusCode(500)
                .header("X-RateLimit-Limit", "10")
                .body(not(containsString("on purpose")));
    }

    @Test
    void endpointsWithoutARuleShareTheDefaultRule() {
        when().get("/plain");
        when().get("/multi");
        when().get("/multi").then().header("X-RateLimit-Remaining", "7");
        assertThat(used("api:default")).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({"GET, /nothing, 404", "DELETE, /campaigns, 405"})
    void unknownPathsAndMethodsAreNotCounted(String method, String path, int status) {
        when().request(method, path).then().statusCode(status);
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"blocking, annotatedBlocking", "nonblocking, annotatedNonBlocking",
            "uni, annotatedUni", "multi, annotatedMulti", "stage, annotatedStage"})
    void annotationReplacesTheDefaultRuleAndCountsOnce(String path, String method) {
        for (int i = 2; i >= 0; i--) {
            when().get("/annotated/" + path)
                    .then().statusCode(200)
                    .header("X-RateLimit-Limit", "3")
                    .header("X-RateLimit-Remaining", Integer.toString(i));
        }
        when().get("/annotated/" + path).then().statusCode(429);
        assertThat(used(ENDPOINTS + method)).isEqualTo(3);
        assertThat(used("api:default")).isZero();
    }

    @Test
    void annotationIsDecidedTogetherWithANamedRule() {
        for (int i = 0; i < 3; i++) {
            when().get("/users").then().header("RateLimit-Policy",
                    "\"api:/users\";q=10;w=60, \"" + ENDPOINTS + "namedRuleAndAnnotation\";q=3;w=60");
        }
        when().get("/users").then().statusCode(429);
        assertThat(used("api:/users")).isEqualTo(3);
        assertThat(used(ENDPOINTS + "namedRuleAndAnnotation")).isEqualTo(3);
    }

    @Test
    void keyPlaceholdersAreResolvedFromTheRequest() {
        postTenant("/tenants/acme?region=eu").statusCode(200);
        postTenant("/tenants/acme?region=eu").statusCode(429);
        postTenant("/tenants/acme?region=us").statusCode(200);
        assertThat(admin.limits("key:acme-eu").await().indefinitely()).containsEntry("tenants", 1L);
    }

    @ParameterizedTest
    @CsvSource({"/nested, plain", "/nested-uni, uni"})
    void denialOfACalledBeanBecomes429(String path, String method) {
        for (int i = 0; i < 2; i++) {
            when().get(path).then().statusCode(200);
        }
        when().get(path)
                .then().statusCode(429)
                .header("X-RateLimit-Limit", "2")
                .body("error.code", is("RATE_5001"));
        assertThat(used(LimitedBean.class.getName() + "." + method)).isEqualTo(2);
        assertThat(used("api:default")).isEqualTo(3);
    }

    @Test
    void blockingMethodOnAnEventLoopFailsAndCountsNothing() {
        when().get("/nested-loop").then().statusCode(500);
        assertThat(used(LimitedBean.class.getName() + ".plain")).isZero();
    }
}
