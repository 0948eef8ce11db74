package dev.sluice.proxies;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;

/** The example for Envoy's filter of global rate limits. {@code EnvoyProxyIT} tests the service with several instances. */
class EnvoyRateLimitProxyIT {

    @Test
    void eleventhRequestIsDenied(@TempDir Path folder) {
        var envoy = ProxyProgram.require("envoy");
        var api = new EchoUpstream();
        int grpc = FreePorts.next();
        try (var redis = RedisTestServer.start();
                var sluice = Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()),
                        "RATE_LIMIT_FILE", Path.of("examples/proxies/envoy/rules.yaml").toAbsolutePath().toString(),
                        "RATE_LIMIT_GRPC_PORT", Integer.toString(grpc), "RATE_LIMIT_TIMEOUT", "30s"));
                var proxy = ProxyProgram.start("envoy", folder, FreePorts.next(), sluice.port(), grpc, api.listen(0),
                        List.of(envoy.toString(), "-c", "ratelimit.yaml", "--use-dynamic-base-id", "--concurrency", "1"))) {
            var http = new HttpTestClient(proxy.port());
            for (int left = 9; left >= 0; left--) {
                var allowed = http.get("/api/v1/campaigns", "X-Forwarded-For", "198.51.100." + left);
                assertThat(allowed.statusCode()).isEqualTo(200);
                assertThat(allowed.headers().allValues("X-RateLimit-Remaining")).contains(Integer.toString(left));
            }
            var denied = http.get("/api/v1/campaigns", "X-Forwarded-For", "198.51.100.99");
            assertThat(denied.statusCode()).isEqualTo(429);
            assertThat(Integer.parseInt(header(denied, "Retry-After"))).isBetween(1, 60);
            assertThat(header(denied, "X-RateLimit-Limit")).isEqualTo("10");
            assertThat(error(denied).getString("code")).isEqualTo("RATE_5001");
        } finally {
            api.stop();
        }
    }
}
