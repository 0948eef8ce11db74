package dev.sluice.service.authz;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.ForwardAuthProfile;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** {@code rate-limit.forward-auth.trust-identity}. */
@QuarkusTest
@TestProfile(ForwardAuthProfile.TrustedIdentity.class)
@WithTestResource(RedisTestResource.class)
class TrustedIdentityTest extends HttpTestBase {

    @Test
    void trustedProxyNamesTheCaller() {
        for (var target : List.of("/v1/forward-auth", "/v1/ext-authz/campaigns")) {
            var answer = http.get(target, "X-Forwarded-Uri", "/campaigns", "X-User-Id", "alice", "X-User-Tier", "pro");
            assertThat(header(answer, "X-RateLimit-Limit")).isEqualTo("100");
            assertThat(header(answer, "X-User-Id")).isEqualTo("alice");
            assertThat(header(answer, "X-User-Tier")).isEqualTo("pro");
        }
        assertThat(admin.limits("user:alice").await().indefinitely()).isEqualTo(Map.of("api:/campaigns", 2L));
    }

    @Test
    void otherPeersDoNot() throws IOException {
        try (var other = new RawHttpConnection(port, "127.0.0.2")) {
            other.send("GET /v1/ext-authz/campaigns HTTP/1.1\r\nHost: sluice\r\nX-User-Id: alice\r\n\r\n");
            assertThat(other.readResponse().header("X-User-Id")).isNull();
        }
        assertThat(admin.limits("user:alice").await().indefinitely()).isEmpty();
        assertThat(admin.limits("ip:127.0.0.2").await().indefinitely()).isEqualTo(Map.of("api:/campaigns", 1L));
    }
}
