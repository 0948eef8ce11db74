package dev.sluice.service.api;

import static dev.sluice.testing.EchoUpstream.receivedHeader;
import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.TrustedProxyProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

@QuarkusTest
@TestProfile(TrustedProxyProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
@WithTestResource(JwtKeys.class)
class CallerResolutionTest extends HttpTestBase {

    JwtKeys keys;

    private void assertCounted(String identifier) {
        assertThat(admin.limits(identifier).await().indefinitely()).as(identifier).containsEntry("api:/campaigns",
                1L);
    }

    @Test
    void jwtProvidesIdentityAndTier() {
        var response = http.get("/campaigns", "Authorization", "Bearer " + keys.token("alice", "pro"));
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("100");
        assertThat(receivedHeader(response, "x-user-id")).isEqualTo("alice");
        assertThat(receivedHeader(response, "x-user-tier")).isEqualTo("pro");
        assertCounted("user:alice");
    }

    @Test
    void jwtWithMissingOrUnknownTierHasTheFirstTier() {
        assertThat(header(http.get("/campaigns", "Authorization", "Bearer " + keys.token("a", null)), "X-RateLimit-Limit"))
                .isEqualTo("10");
        assertThat(header(http.get("/campaigns", "Authorization", "Bearer " + keys.token("a", "gold")), "X-RateLimit-Limit"))
                .isEqualTo("10");
    }

    @Test
    void invalidJwtIs401AndCountsAgainstTheAddress() {
        for (var token : List.of(keys.forgedToken("alice"), keys.expiredToken("alice"), keys.foreignIssuerToken("alice"),
                "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.")) {
            var response = http.get("/campaigns", "Authorization", "Bearer " + token);
            assertThat(response.statusCode()).isEqualTo(401);
            assertThat(error(response).getString("code")).isEqualTo("RATE_4011");
            assertThat(header(response, "WWW-Authenticate")).isEqualTo("Bearer");
        }
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsEntry("api:default", 4L);
        assertThat(admin.limits("user:alice").await().indefinitely()).isEmpty();
    }

    @Test
    void ambiguousAuthorizationHeaderIs401() {
        var token = keys.token("alice", "pro");
        for (var value : List.of("Bearer\t" + token, "Bearer  " + token, "bearer \t" + token)) {
            assertThat(http.get("/campaigns", "Authorization", value).statusCode()).isEqualTo(401);
        }
        assertThat(http.get("/campaigns", "Authorization", "opaque", "Authorization", "Bearer " + token).statusCode())
                .isEqualTo(401);
        assertThat(http.get("/campaigns", "Authorization", "bearer " + token).statusCode()).isEqualTo(200);
    }

    @Test
    void bearerTokensThatAreNoJwtAreForwarded() {
        for (var token : List.of("sk-abc", "a.b.c", "eyJ.x.y", "", "x.y", "eyJhbGciOiJub25lIn0.b.c.d.e")) {
            var response = http.get("/echo", "Authorization", "Bearer " + token);
            assertThat(response.statusCode()).as(token).isEqualTo(200);
        }
    }

    @Test
    void identitiesAreEncodedInHeaders() {
        var response = http.get("/campaigns", "Authorization", "Bearer " + keys.token("mü%\r\nX-Evil: 1", "pro"));
        assertThat(receivedHeader(response, "x-user-id")).isEqualTo("m%C3%BC%25%0D%0AX-Evil: 1");
        assertCounted("user:mü%\r\nX-Evil: 1");
    }

    @Test
    void longIdentitiesAreCountedByHash() {
        http.get("/campaigns", "Authorization", "Bearer " + keys.token("x".repeat(1000), "pro"));
        assertCounted("user:sha256:" + dev.sluice.identity.Sha256.hex("x".repeat(1000)));
    }

    @Test
    void trustedProxyProvidesTheIdentity() {
        var response = http.get("/campaigns", "X-User-Id", "carol", "X-User-Tier", "enterprise", "X-Forwarded-For", "1.2.3.4");
        assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("1000");
        assertThat(receivedHeader(response, "x-user-id")).isEqualTo("carol");
        assertThat(receivedHeader(response, "x-forwarded-for")).isEqualTo("1.2.3.4, 127.0.0.1");
        assertCounted("user:carol");
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
        assertThat(http.get("/campaigns", name, value).statusCode()).isEqualTo(200);
        assertCounted(identifier);
    }

    @Test
    void repeatedXForwardedForIsOneList() {
        http.get("/campaigns", "X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "203.0.113.8, 10.0.0.1");
        assertCounted("ip:203.0.113.8");
    }
}
