package dev.sluice.service.gateway;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.RichRulesProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Keys and options of rules on the gateway. */
@QuarkusTest
@TestProfile(RichRulesProfile.Gateway.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class GatewayRulesTest extends HttpTestBase {

    private Map<String, Long> limits(String identifier) {
        return admin.limits(identifier).await().indefinitely();
    }

    @Test
    void windowBelongsToTheKey() {
        for (int i = 0; i < 3; i++) {
            assertThat(http.get("/campaigns", "X-Tenant", "acme").statusCode()).isEqualTo(200);
        }
        assertThat(http.get("/campaigns", "X-Tenant", "acme", "X-API-Key", "key-of-bob").statusCode()).isEqualTo(429);
        assertThat(http.get("/campaigns", "X-Tenant", "acme", "X-Tenant", "b").statusCode()).isEqualTo(429);
        assertThat(http.get("/campaigns", "X-Tenant", "b").statusCode()).isEqualTo(200);
        assertThat(limits("header:x-tenant=acme|ip=127.0.0.1")).isEqualTo(Map.of("api:/campaigns", 3L));
    }

    @Test
    void preflightCountsForTheAddress() {
        assertThat(http.send("OPTIONS", "/campaigns", null, "Origin", "https://a.example", "Access-Control-Request-Method",
                "GET").statusCode()).isEqualTo(200);
        assertThat(limits("ip:127.0.0.1")).isEqualTo(Map.of("api:/campaigns", 1L));
    }

    @Test
    void secretsAreHashed() {
        var response = http.get("/plain", "Authorization", "Basic c2VjcmV0");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().map().toString()).doesNotContain("c2VjcmV0");
        assertThat(limits("header:authorization=sha256:" + Sha256.hex("Basic c2VjcmV0"))).hasSize(1);
    }

    @Test
    void methodsHostsAndFurtherRulesHold() throws Exception {
        assertThat(header(http.send("POST", "/nested", ""), "RateLimit-Policy")).contains("api:default");
        assertThat(header(http.send("DELETE", "/nested", null), "RateLimit-Policy")).contains("api:/nested");
        var absolute = RawHttpConnection.exchange(port,
                "GET http://api.example.com/multi HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n");
        assertThat(absolute.header("RateLimit-Policy")).contains("api:/multi");

        assertThat(http.send("POST", "/campaigns/7", "").statusCode()).isEqualTo(200);
        var denied = http.send("POST", "/campaigns/8", "");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(limits("path:id=8")).isEmpty();
        assertThat(header(http.get("/campaigns/7"), "X-RateLimit-Dry-Run")).isEqualTo("denied");
        assertThat(limits("ip=127.0.0.1")).isEqualTo(Map.of("rule:everything", 2L));
    }
}
