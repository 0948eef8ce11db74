package dev.sluice.service.auth;

import static io.restassured.RestAssured.given;
import static io.restassured.RestAssured.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.startsWith;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.TokensProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;

@QuarkusTest
@TestProfile(TokensProfile.class)
@WithTestResource(RedisTestResource.class)
class EndpointTokensTest extends HttpTestBase {

    private static final String CHECK = "{\"identifier\":\"user:alice\",\"resource\":\"r\",\"rate\":\"3/minute\"}";
    private static final String ADMIN = "Bearer admin-secret";

    private static RequestSpecification givenAdmin() {
        return given().header("Authorization", ADMIN);
    }

    private static ValidatableResponse check(String name, String value) {
        return given().header(name, value).contentType(ContentType.JSON).body(CHECK).when().post("/v1/check").then();
    }

    private static ValidatableResponse checkAsAdmin(String body) {
        return givenAdmin().contentType(ContentType.JSON).body(body).when().post("/v1/check").then();
    }

    @Test
    void checkRequiresTheApiToken() {
        given().contentType(ContentType.JSON).body(CHECK)
                .when().post("/v1/check")
                .then().statusCode(401)
                .header("WWW-Authenticate", startsWith("Bearer"));
        check("Authorization", "Bearer api-secret").statusCode(200);
        check("Authorization", "bearer api-secret").statusCode(200);
        check("Authorization", ADMIN).statusCode(200);
        check("Authorization", ADMIN).statusCode(429);
    }

    @ParameterizedTest
    @CsvSource({"Authorization,Bearer wrong", "Authorization,Basic YTpi", "Authorization,Bearer", "X-API-Key,wrong",
            "Authorization,Bearer admin-secre", "Authorization,Bearer admin-secretx"})
    void wrongTokensAreCountedAgainstTheAddress(String name, String value) {
        for (int i = 0; i < 10; i++) {
            check(name, value)
                    .statusCode(401)
                    .body("error.code", is("RATE_4011"))
                    .body(not(containsString("wrong")));
        }
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsEntry("api:default", 10L);
        check(name, value).statusCode(429);
        given().header(name, value).when().get("/v1/limits?identifier=a").then().statusCode(429);
        givenAdmin().when().get("/v1/limits?identifier=a").then().statusCode(200);
    }

    @Test
    void apiTokenIsNotAcceptedByAdminEndpoints() {
        when().get("/v1/limits?identifier=a").then().statusCode(403);
        given().header("Authorization", "Bearer api-secret")
                .when().get("/v1/limits?identifier=a")
                .then().statusCode(403);
    }

    @Test
    void usageIsReportedWithoutChangingIt() {
        checkAsAdmin(CHECK);
        for (int i = 0; i < 3; i++) {
            var usage = givenAdmin()
                    .when().get("/v1/usage?identifier=user:alice&resource=r&window_seconds=60")
                    .then().statusCode(200)
                    .body("keySet()", contains("identifier", "resource", "current", "window_start", "window_end"))
                    .body("current", is(1))
                    .extract().jsonPath();
            assertThat(usage.getLong("window_end") - usage.getLong("window_start")).isEqualTo(60);
        }
        givenAdmin()
                .when().get("/v1/usage?identifier=nobody&resource=r&window_seconds=60")
                .then().body("current", is(0));
    }

    @Test
    void denialDoesNotChangeUsage() {
        for (int i = 0; i < 3; i++) {
            checkAsAdmin(CHECK);
        }
        var before = givenAdmin().when().get("/v1/limits?identifier=user:alice").asString();
        for (int i = 0; i < 5; i++) {
            checkAsAdmin(CHECK).statusCode(429);
        }
        givenAdmin().when().get("/v1/limits?identifier=user:alice").then().body(is(before));
    }

    @Test
    void limitsListAndReset() {
        checkAsAdmin(CHECK);
        checkAsAdmin("{\"identifier\":\"user:alice\",\"resource\":\"api:/campaigns\",\"tier\":\"pro\"}");
        checkAsAdmin("{\"identifier\":\"other\",\"resource\":\"r\",\"tier\":\"pro\"}");
        givenAdmin()
                .when().get("/v1/limits?identifier=user:alice")
                .then().body(is("{\"identifier\":\"user:alice\",\"limits\":{\"api:/campaigns\":1,\"r\":1}}"));
        givenAdmin().when().delete("/v1/limits?identifier=user:alice&resource=r").then().statusCode(204);
        assertThat(admin.limits("user:alice").await().indefinitely()).containsOnlyKeys("api:/campaigns");
        givenAdmin().when().delete("/v1/limits?identifier=user:alice").then().statusCode(204);
        assertThat(admin.limits("user:alice").await().indefinitely()).isEmpty();
        assertThat(admin.limits("other").await().indefinitely()).hasSize(1);
        givenAdmin().when().delete("/v1/limits?all=true").then().statusCode(204);
        assertThat(admin.limits("other").await().indefinitely()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"GET,/v1/usage?resource=r&window_seconds=60,identifier",
            "GET,/v1/usage?identifier=a&window_seconds=60,resource",
            "GET,/v1/usage?identifier=a&resource=r,window_seconds",
            "GET,/v1/usage?identifier=a&resource=r&window_seconds=x,window_seconds",
            "GET,/v1/usage?identifier=a&resource=r&window_seconds=0,window_seconds",
            "GET,/v1/usage?identifier=a&resource=r&window_seconds=99999999999999999999,window_seconds",
            "GET,/v1/usage?identifier=a&resource=b&window_seconds=%D9%A6,window_seconds",
            "GET,/v1/limits,identifier", "GET,/v1/limits?identifier=,identifier", "GET,/v1/limits?identifier=%ff,identifier",
            "GET,/v1/limits?identifier=a&identifier=b,identifier", "DELETE,/v1/limits,identifier",
            "DELETE,/v1/limits?identifier=%ff,identifier", "DELETE,/v1/limits?identifier=a&identifier=b,identifier",
            "DELETE,/v1/limits?resource=r,identifier", "DELETE,/v1/limits?all=yes,all",
            "DELETE,/v1/limits?all=true&identifier=a,all", "DELETE,/v1/limits?identifier=a&resource=,resource"})
    void badQueriesNameTheirField(String method, String path, String field) {
        givenAdmin()
                .when().request(method, path)
                .then().statusCode(400)
                .body("error.details.field", is(field));
    }
}
