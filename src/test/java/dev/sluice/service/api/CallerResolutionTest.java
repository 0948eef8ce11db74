package dev.sluice.service.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;

import java.io.IOException;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.TrustedProxyProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;

@QuarkusTest
@TestProfile(TrustedProxyProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
@WithTestResource(JwtKeys.class)
class CallerResolutionTest extends HttpTestBase {

    JwtKeys keys;

    private static ValidatableResponse getCampaigns(String header, String... values) {
        var request = given();
        for (var value : values) {
            request.header(header, value);
        }
        return request.when().get("/campaigns").then();
    }

    private void assertCounted(String identifier) {
        assertThat(admin.limits(identifier).await().indefinitely()).as(identifier).containsEntry("api:/campaigns",
                1L);
    }

    @Test
    void jwtProvidesIdentityAndTier() {
        getCampaigns("Authorization", "Bearer " + keys.token("alice", "pro"))
                .statusCode(200)
                .header("X-RateLimit-Limit", "100")
                .body("headers.'x-user-id'", contains("alice"))
                .body("headers.'x-user-tier'", contains("pro"));
        assertCounted("user:alice");
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = "gold")
    void jwtWithMissingOrUnknownTierHasTheFirstTier(String tier) {
        getCampaigns("Authorization", "Bearer " + keys.token("a", tier)).header("X-RateLimit-Limit", "10");
    }

    @Test
    void invalidJwtIs401AndCountsAgainstTheAddress() {
        for (var token : List.of(keys.forgedToken("alice"), keys.expiredToken("alice"), keys.foreignIssuerToken("alice"),
                "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.")) {
            getCampaigns("Authorization", "Bearer " + token)
                    .statusCode(401)
                    .header("WWW-Authenticate", "Bearer")
                    .body("error.code", is("RATE_4011"));
        }
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsEntry("api:default", 4L);
        assertThat(admin.limits("user:alice").await().indefinitely()).isEmpty();
    }

    /** Names that users choose themselves do not identify them. */
    @Test
    void jwtWithoutSubjectIs401() {
        getCampaigns("Authorization", "Bearer " + keys.tokenWithoutSubject("alice")).statusCode(401)
                .body("error.message", containsString("sub"));
        assertThat(admin.limits("user:alice").await().indefinitely()).isEmpty();
    }

    @Test
    void jwtForAnotherAudienceIs401() {
        for (var token : List.of(keys.tokenForAudience("alice"), keys.tokenForAudience("alice", "payments"))) {
            getCampaigns("Authorization", "Bearer " + token).statusCode(401);
        }
        getCampaigns("Authorization", "Bearer " + keys.tokenForAudience("alice", "payments", "orders")).statusCode(200);
        assertCounted("user:alice");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer\t", "Bearer  ", "bearer \t"})
    void ambiguousAuthorizationHeaderIs401(String scheme) {
        getCampaigns("Authorization", scheme + keys.token("alice", "pro")).statusCode(401);
    }

    @Test
    void repeatedAuthorizationHeaderIs401() {
        getCampaigns("Authorization", "opaque", "Bearer " + keys.token("alice", "pro")).statusCode(401);
    }

    @Test
    void schemeIsCaseInsensitive() {
        getCampaigns("Authorization", "bearer " + keys.token("alice", "pro")).statusCode(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sk-abc", "a.b.c", "eyJ.x.y", "", "x.y", "eyJhbGciOiJub25lIn0.b.c.d.e"})
    void bearerTokensThatAreNoJwtAreForwarded(String token) {
        given().header("Authorization", "Bearer " + token).when().get("/echo").then().statusCode(200);
    }

    @Test
    void identitiesAreEncodedInHeaders() {
        getCampaigns("Authorization", "Bearer " + keys.token("mü%\r\nX-Evil: 1", "pro"))
                .body("headers.'x-user-id'", contains("m%C3%BC%25%0D%0AX-Evil: 1"));
        assertCounted("user:mü%\r\nX-Evil: 1");
    }

    @Test
    void longIdentitiesAreCountedByHash() {
        getCampaigns("Authorization", "Bearer " + keys.token("x".repeat(1000), "pro"));
        assertCounted("user:sha256:" + Sha256.hex("x".repeat(1000)));
    }

    @Test
    void ruleOfAnOverridingMethodHolds() {
        given().post("/items/1").then().statusCode(200);
        given().header("X-HTTP-Method-Override", "delete").post("/items/1").then().statusCode(429);
        given().post("/items/1?_method=DELETE").then().statusCode(429);
        given().header("X-Method-Override", "PATCH").post("/items/1").then().statusCode(200)
                .body("headers.'x-method-override'", contains("PATCH"));
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).as("denied requests count nowhere")
                .containsExactly(Map.entry("api:default", 2L));
    }

    @Test
    void trustedProxyProvidesTheIdentity() {
        given().header("X-User-Id", "carol").header("X-User-Tier", "enterprise").header("X-Forwarded-For", "1.2.3.4")
                .when().get("/campaigns")
                .then().header("X-RateLimit-Limit", "1000")
                .body("headers.'x-user-id'", contains("carol"))
                .body("headers.'x-forwarded-for'", contains("1.2.3.4, 127.0.0.1"));
        assertCounted("user:carol");
    }

    /** Trusted for addresses, but not to name callers. */
    @Test
    void otherProxyProvidesNoIdentity() throws IOException {
        try (var proxy = new RawHttpConnection(port, "127.0.0.3")) {
            proxy.send("GET /campaigns HTTP/1.1\r\nHost: x\r\nX-User-Id: dave\r\nX-User-Tier: enterprise\r\n"
                    + "X-Forwarded-For: 203.0.113.77\r\n\r\n");
            var response = proxy.readResponse();
            assertThat(response.header("X-RateLimit-Limit")).isEqualTo("10");
            assertThat(response.text()).doesNotContain("dave");
        }
        assertCounted("ip:203.0.113.77");
        assertThat(admin.limits("user:dave").await().indefinitely()).isEmpty();
    }

    /** A client can add the field that its proxy does not set: whichever that is, it gives no window of its own. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"203.0.113.20 | for=203.0.113.21", "203.0.113.20, 10.0.0.7 | for=203.0.113.21",
            "203.0.113.20 | for=unknown", "junk | for=203.0.113.21", "203.0.113.20 | for=203.0.113.20, proto=https"})
    void differingFieldsCountAgainstTheProxy(String forwardedFor, String forwarded) {
        given().header("X-Forwarded-For", forwardedFor).header("Forwarded", forwarded).when().get("/campaigns").then()
                .statusCode(200);
        assertCounted("ip:127.0.0.1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"203.0.113.30 | for=203.0.113.30;proto=https", "203.0.113.30 | proto=https",
            "203.0.113.30, 10.0.0.7 | for=1.1.1.1, for=\"203.0.113.30:99\""})
    void agreeingFieldsProvideTheAddress(String forwardedFor, String forwarded) {
        given().header("X-Forwarded-For", forwardedFor).header("Forwarded", forwarded).when().get("/campaigns").then()
                .statusCode(200);
        assertCounted("ip:203.0.113.30");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "X-Forwarded-For | 203.0.113.9 | ip:203.0.113.9", "X-Forwarded-For | 1.1.1.1, 203.0.113.9 | ip:203.0.113.9",
            "X-Forwarded-For | 1.1.1.1, 203.0.113.9, 10.1.2.3 | ip:203.0.113.9",
            "X-Forwarded-For | 1.1.1.1, junk, 10.1.2.3 | ip:10.1.2.3", "X-Forwarded-For | junk | ip:127.0.0.1",
            "X-Forwarded-For | 10.9.9.9 | ip:10.9.9.9", "X-Forwarded-For | 203.0.113.9:4711 | ip:203.0.113.9",
            "X-Forwarded-For | 2001:db8:1:2:3:4:5:6 | ip:2001:db8:1:2::",
            "X-Forwarded-For | [2001:db8:1:2::9]:80 | ip:2001:db8:1:2::",
            "X-Forwarded-For | ::ffff:203.0.113.9 | ip:203.0.113.9", "X-Forwarded-For | fd00::1 | ip:fd00::",
            "Forwarded | for=203.0.113.7;proto=https | ip:203.0.113.7",
            "Forwarded | for=1.1.1.1, For=\"[2001:db8:7::1]:99\" | ip:2001:db8:7::",
            "Forwarded | for=unknown | ip:127.0.0.1", "Forwarded | proto=https | ip:127.0.0.1"})
    void trustedProxyProvidesTheAddress(String name, String value, String identifier) {
        getCampaigns(name, value).statusCode(200);
        assertCounted(identifier);
    }

    @Test
    void repeatedXForwardedForIsOneList() {
        getCampaigns("X-Forwarded-For", "1.1.1.1", "203.0.113.8, 10.0.0.1");
        assertCounted("ip:203.0.113.8");
    }
}
