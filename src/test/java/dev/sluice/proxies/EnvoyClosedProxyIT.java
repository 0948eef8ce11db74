package dev.sluice.proxies;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;

/** The examples for Envoy, which let requests pass if Sluice fails, without Redis and with the fallback {@code closed}. */
class EnvoyClosedProxyIT {

    /** Envoy takes each 5xx over HTTP for a failure of Sluice, but not a decision over gRPC. */
    @ParameterizedTest
    @CsvSource({"ext-authz.yaml,503", "ext-authz-http.yaml,200"})
    void closedFallbackIsNoFailureOverGrpc(String file, int status, @TempDir Path folder) {
        var envoy = ProxyProgram.require("envoy");
        var api = new EchoUpstream();
        int grpc = FreePorts.next();
        try (var sluice = Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(FreePorts.next()),
                "RATE_LIMIT_FALLBACK", "closed", "RATE_LIMIT_GRPC_PORT", Integer.toString(grpc)));
                var proxy = ProxyProgram.start("envoy", folder, FreePorts.next(), sluice.port(), grpc, api.listen(0),
                        List.of(envoy.toString(), "-c", file, "--use-dynamic-base-id", "--concurrency", "1"))) {
            var answer = new HttpTestClient(proxy.port()).get("/api/v1/campaigns");
            assertThat(answer.statusCode()).isEqualTo(status);
            if (status == 503) {
                assertThat(answer.body()).contains("RATE_5002");
            }
        } finally {
            api.stop();
        }
    }
}
