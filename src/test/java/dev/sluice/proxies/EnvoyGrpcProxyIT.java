package dev.sluice.proxies;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.Instance;

/** The example for Envoy's filter ext_authz over gRPC. No proxy is trusted: Envoy reports the peer of its connection. */
class EnvoyGrpcProxyIT extends EnvoyExample {

    EnvoyGrpcProxyIT() {
        super("ext-authz.yaml");
    }

    @Override
    Map<String, String> settings() {
        return Map.of("RATE_LIMIT_TRUSTED_PROXIES", Instance.DEFAULT, "RATE_LIMIT_FORWARDED_HEADER", Instance.DEFAULT);
    }

    @Test
    void headersOfTheApiAndOfTheClientAreReplaced() {
        var answer = http.get("/api/v1/campaigns", "X_User_Id", "alice");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).doesNotContain("alice");
        // The API of the test sends the first two of these itself.
        assertThat(answer.headers().allValues("X-RateLimit-Limit")).containsExactly("10");
        assertThat(answer.headers().allValues("RateLimit")).singleElement().asString().startsWith("\"api:/campaigns\";r=9");
        assertThat(answer.headers().allValues("RateLimit-Policy")).hasSize(1);
    }
}
