package dev.sluice.service.authz;

import static dev.sluice.service.authz.CheckRequests.ask;
import static dev.sluice.service.authz.CheckRequests.fields;
import static dev.sluice.service.authz.CheckRequests.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.ForwardAuthProfile;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.grpc.GrpcTestClient;
import io.grpc.Status;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** {@code rate-limit.forward-auth.trust-identity} and {@code rate-limit.fallback=closed} with ext_authz over gRPC; Redis is down. */
@QuarkusTest
@TestProfile(EnvoyAuthorizationTrustTest.Profile.class)
class EnvoyAuthorizationTrustTest {

    public static class Profile extends ForwardAuthProfile.TrustedIdentity {

        @Override
        public Map<String, String> getConfigOverrides() {
            var settings = new HashMap<>(super.getConfigOverrides());
            settings.put("rate-limit.grpc.port", Integer.toString(FreePorts.next()));
            settings.put("rate-limit.redis.host", "127.0.0.1");
            settings.put("rate-limit.redis.port", Integer.toString(FreePorts.next()));
            settings.put("rate-limit.fallback", "closed");
            settings.put("rate-limit.exempt", "/healthz");
            return settings;
        }
    }

    @ConfigProperty(name = "rate-limit.grpc.port")
    int grpcPort;

    @Test
    void envoyNamesTheCallerOfAnyClient() {
        try (var client = new GrpcTestClient(grpcPort)) {
            var response = ask(client, request("203.0.113.9", "GET", "/healthz", "x-user-id", "alice", "x-user-tier", "pro"));
            assertThat(fields(response.getOkResponse().getHeadersList()))
                    .isEqualTo(Map.of("x-user-id", "alice", "x-user-tier", "pro"));
        }
    }

    /** An error of gRPC would let the request pass if {@code failure_mode_allow} is set. */
    @Test
    void closedFallbackIsADecision() {
        try (var client = new GrpcTestClient(grpcPort)) {
            var response = ask(client, request("203.0.113.9", "GET", "/campaigns"));
            assertThat(response.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE.value());
            assertThat(response.getDeniedResponse().getStatus().getCodeValue()).isEqualTo(503);
            assertThat(response.getDeniedResponse().getBody()).contains("RATE_5002");
        }
    }
}
