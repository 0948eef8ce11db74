package dev.sluice.http;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

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

@QuarkusTest
@WithTestResource(RedisTestResource.class)
class RateLimitFilterTest extends HttpTestBase {

    private static final String ENDPOINTS = SampleEndpoints.class.getName() + ".";

    private long used(String resource) {
        return admin.limits("ip:127.0.0.1").await().indefinitely().getOrDefault(resource, 0L);
    }

    @Test
    void endpointIsLimitedByItsRule() {
        SampleEndpoints.CALLS.set(0);
        for (int i = 9; i >= 0; i--) {
            var response = http.get(i % 2 == 0 ? "/campaigns" : "/api/v1/campaigns/42");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(i));
            assertThat(header(response, "RateLimit-Policy")).isEqualTo("\"api:/campaigns\";q=10;w=60");
        }
        var denied = http.get("/campaigns");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getString("code")).isEqualTo("RATE_5001");
        assertThat(header(denied, "X-RateLimit-Remaining")).isEqualTo("0");
        assertThat(header(denied, "Retry-After")).isNotNull();
        assertThat(SampleEndpoints.CALLS).hasValue(5);
    }

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
    void headCountsAsGetAndErrorsHaveHeaders() {
        assertThat(header(http.send("HEAD", "/campaigns", null), "X-RateLimit-Remaining")).isEqualTo("9");
        assertThat(header(http.get("/campaigns"), "X-RateLimit-Remaining")).isEqualTo("8");
        var failed = http.get("/fails");
        assertThat(failed.statusCode()).isEqualTo(500);
        assertThat(header(failed, "X-RateLimit-Limit")).isEqualTo("10");
        assertThat(failed.body()).doesNotContain("on purpose");
    }

    @Test
    void endpointsWithoutARuleShareTheDefaultRule() {
        http.get("/plain");
        http.get("/multi");
        assertThat(header(http.get("/multi"), "X-RateLimit-Remaining")).isEqualTo("7");
        assertThat(used("api:default")).isEqualTo(3);
    }

    @Test
    void unknownPathsAndMethodsAreNotCounted() {
        assertThat(http.get("/nothing").statusCode()).isEqualTo(404);
        assertThat(http.send("DELETE", "/campaigns", null).statusCode()).isEqualTo(405);
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"blocking, annotatedBlocking", "nonblocking, annotatedNonBlocking",
            "uni, annotatedUni", "multi, annotatedMulti", "stage, annotatedStage"})
    void annotationReplacesTheDefaultRuleAndCountsOnce(String path, String method) {
        for (int i = 2; i >= 0; i--) {
            var response = http.get("/annotated/" + path);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("3");
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(i));
        }
        assertThat(http.get("/annotated/" + path).statusCode()).isEqualTo(429);
        assertThat(used(ENDPOINTS + method)).isEqualTo(3);
        assertThat(used("api:default")).isZero();
    }

    @Test
    void annotationIsDecidedTogetherWithANamedRule() {
        for (int i = 0; i < 3; i++) {
            var response = http.get("/users");
            assertThat(header(response, "RateLimit-Policy"))
                    .isEqualTo("\"api:/users\";q=10;w=60, \"" + ENDPOINTS + "namedRuleAndAnnotation\";q=3;w=60");
        }
        assertThat(http.get("/users").statusCode()).isEqualTo(429);
        assertThat(used("api:/users")).isEqualTo(3);
        assertThat(used(ENDPOINTS + "namedRuleAndAnnotation")).isEqualTo(3);
    }

    @Test
    void keyPlaceholdersAreResolvedFromTheRequest() {
        assertThat(http.post("/tenants/acme?region=eu", "").statusCode()).isEqualTo(200);
        assertThat(http.post("/tenants/acme?region=eu", "").statusCode()).isEqualTo(429);
        assertThat(http.post("/tenants/acme?region=us", "").statusCode()).isEqualTo(200);
        assertThat(admin.limits("key:acme-eu").await().indefinitely()).containsEntry("tenants", 1L);
    }

    @Test
    void denialOfACalledBeanBecomes429() {
        var first = http.get("/nested");
        assertThat(first.statusCode()).isEqualTo(200);
        http.get("/nested");
        var denied = http.get("/nested");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getString("code")).isEqualTo("RATE_5001");
        assertThat(header(denied, "X-RateLimit-Limit")).isEqualTo("2");
        assertThat(used(LimitedBean.class.getName() + ".plain")).isEqualTo(2);
        assertThat(used("api:default")).isEqualTo(3);
    }

    @Test
    void denialOfACalledUniBecomes429() {
        for (int i = 0; i < 2; i++) {
            assertThat(http.get("/nested-uni").statusCode()).isEqualTo(200);
        }
        assertThat(http.get("/nested-uni").statusCode()).isEqualTo(429);
    }

    @Test
    void blockingMethodOnAnEventLoopFailsAndCountsNothing() {
        assertThat(http.get("/nested-loop").statusCode()).isEqualTo(500);
        assertThat(used(LimitedBean.class.getName() + ".plain")).isZero();
    }
}
