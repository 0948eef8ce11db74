package dev.sluice.service.observability;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.OtlpCollector;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;

/** With {@code rate-limit.metrics.otlp} a collector receives the metrics, under the names that {@code /q/metrics} has. */
@QuarkusTest
@TestProfile(OtlpMetricsTest.Profile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(OtlpCollector.class)
class OtlpMetricsTest extends HttpTestBase {

    /** Export of metrics without tracing. */
    public static class Profile implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("rate-limit.metrics.otlp", "true");
        }
    }

    @ConfigProperty(name = "quarkus.management.test-port", defaultValue = "9001")
    int managementPort;

    private static boolean received(String text) {
        return OtlpCollector.metrics().stream().anyMatch(request -> request.contains(text));
    }

    @Test
    void collectorReceivesTheMetrics() {
        http.post("/v1/check", "{\"identifier\":\"a-user\",\"resource\":\"b\",\"rate\":\"1/minute\"}");
        for (var name : new String[]{"rate_limit_decisions_total", "rate_limit_check_seconds", "rate_limit_check_seconds_max",
                "rate_limit_store_available", "sluice_build_info", "jvm_memory_used_bytes", "Duration of a decision",
                "custom"}) {
            await().alias(name).until(() -> received(name));
        }
        assertThat(OtlpCollector.metrics()).allMatch(request -> request.contains("sluice"))
                .noneMatch(request -> request.contains("a-user") || request.contains("http.server")
                        || request.contains("queueSize"));
        assertThat(OtlpCollector.traces()).isEmpty();
    }

    @Test
    void metricsAreServedForPrometheusToo() {
        http.post("/v1/check", "{\"identifier\":\"a\",\"resource\":\"b\",\"rate\":\"1/minute\"}");
        assertThat(new HttpTestClient(managementPort).get("/q/metrics").body()).contains("rate_limit_decisions_total{");
    }
}
