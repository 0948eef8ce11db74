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
        return limiter.usageByResource("ip:127.0.0.1").await().indefinitely().getOrDefault(resource, 0L);
    }

    @Test
    void endpointWithARowIsLimitedByIt() {
        SampleEndpoints.CALLS.set(0);
        for (int i = 9; i >= 0; i--) {
            var answer = http.get(i % 2 == 0 ? "/campaigns" : "/api/v1/campaigns/42");
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(header(answer, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(i));
            assertThat(header(answer, "RateLimit-Policy")).isEqualTo("\"api:/campaigns\";q=10;w=60");
        }
        var refused = http.get("/campaigns");
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(error(refused).getString("code")).isEqualTo("RATE_5001");
        assertThat(header(refused, "X-RateLimit-Remaining")).isEqualTo("0");
        assertThat(header(refused, "Retry-After")).isNotNull();
        assertThat(SampleEndpoints.CALLS).hasValue(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/campaigns/", "//campaigns", "/campaigns;a=b", "/%63ampaigns", "/x/../campaigns",
            "/campaigns?x=1"})
    void tricksWithThePathDoNotChangeTheRow(String path) {
        var answer = http.get(path);
        if (answer.statusCode() == 200) {
            assertThat(header(answer, "RateLimit-Policy")).contains("\"api:/campaigns\";q=10;w=60");
        } else {
            assertThat(answer.statusCode()).isEqualTo(404);
        }
    }

    @Test
    void headCountsAsGetAndAnErrorHasTheHeadersToo() {
        assertThat(header(http.send("HEAD", "/campaigns", null), "X-RateLimit-Remaining")).isEqualTo("9");
        assertThat(header(http.get("/campaigns"), "X-RateLimit-Remaining")).isEqualTo("8");
        var failed = http.get("/fails");
        assertThat(failed.statusCode()).isEqualTo(500);
        assertThat(header(failed, "X-RateLimit-Limit")).isEqualTo("10");
        assertThat(failed.body()).doesNotContain("on purpose");
    }

    @Test
    void endpointsWithoutARowShareTheDefault() {
        http.get("/plain");
        http.get("/multi");
        assertThat(header(http.get("/multi"), "X-RateLimit-Remaining")).isEqualTo("7");
        assertThat(used("api:default")).isEqualTo(3);
    }

    @Test
    void whatIsNotFoundIsNotCounted() {
        assertThat(http.get("/nothing").statusCode()).isEqualTo(404);
        assertThat(http.send("DELETE", "/campaigns", null).statusCode()).isEqualTo(405);
        assertThat(limiter.usageByResource("ip:127.0.0.1").await().indefinitely()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"blocking, annotatedBlocking", "nonblocking, annotatedNonBlocking",
            "uni, annotatedUni", "multi, annotatedMulti", "stage, annotatedStage"})
    void annotationTakesThePlaceOfTheDefaultRowAndCountsOnce(String path, String method) {
        for (int i = 2; i >= 0; i--) {
            var answer = http.get("/annotated/" + path);
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(header(answer, "X-RateLimit-Limit")).isEqualTo("3");
            assertThat(header(answer, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(i));
        }
        assertThat(http.get("/annotated/" + path).statusCode()).isEqualTo(429);
        assertThat(used(ENDPOINTS + method)).isEqualTo(3);
        assertThat(used("api:default")).isZero();
    }

    @Test
    void annotationAddsToANamedRowInOneDecision() {
        for (int i = 0; i < 3; i++) {
            var answer = http.get("/users");
            assertThat(header(answer, "RateLimit-Policy"))
                    .isEqualTo("\"api:/users\";q=10;w=60, \"" + ENDPOINTS + "namedRowAndAnnotation\";q=3;w=60");
        }
        assertThat(http.get("/users").statusCode()).isEqualTo(429);
        assertThat(used("api:/users")).isEqualTo(3);
        assertThat(used(ENDPOINTS + "namedRowAndAnnotation")).isEqualTo(3);
    }

    @Test
    void keyOfAnAnnotationIsMadeOfTheRequest() {
        assertThat(http.post("/tenants/acme?region=eu", "").statusCode()).isEqualTo(200);
        assertThat(http.post("/tenants/acme?region=eu", "").statusCode()).isEqualTo(429);
        assertThat(http.post("/tenants/acme?region=us", "").statusCode()).isEqualTo(200);
        assertThat(limiter.usageByResource("key:acme-eu").await().indefinitely()).containsEntry("tenants", 1L);
    }

    @Test
    void limitedBeanBehindAnEndpointAnswers429() {
        var first = http.get("/nested");
        assertThat(first.statusCode()).isEqualTo(200);
        http.get("/nested");
        var refused = http.get("/nested");
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(error(refused).getString("code")).isEqualTo("RATE_5001");
        assertThat(header(refused, "X-RateLimit-Limit")).isEqualTo("2");
        assertThat(used(LimitedBean.class.getName() + ".plain")).isEqualTo(2);
        assertThat(used("api:default")).isEqualTo(3);
    }

    @Test
    void limitedUniBehindAnEndpointAnswers429() {
        for (int i = 0; i < 2; i++) {
            assertThat(http.get("/nested-uni").statusCode()).isEqualTo(200);
        }
        assertThat(http.get("/nested-uni").statusCode()).isEqualTo(429);
    }

    @Test
    void plainMethodOnAnEventLoopFailsAndCountsNothing() {
        assertThat(http.get("/nested-loop").statusCode()).isEqualTo(500);
        assertThat(used(LimitedBean.class.getName() + ".plain")).isZero();
    }
}
