package dev.sluice.service.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import dev.sluice.service.grpc.proto.DescriptorProto.RateLimitDescriptor;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckRequest;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckResponse;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckResponse.ServingStatus;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse.Code;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.TestCertificates;
import dev.sluice.testing.grpc.GrpcTestClient;
import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;

/** The gRPC server of the packaged program: start, invalid configurations, outages and calls that clients give up. */
class GrpcServerIT {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final String RULES = "domains:\n  d:\n  - {key: a, rate: 1000000/hour}\n  - {key: few, rate: 3/hour}\n"
            + "  - {key: shadow, rate: 1/hour, shadow_mode: true}\n";

    private static Path rules(String yaml) throws IOException {
        return Files.writeString(Files.createTempFile("sluice-rules", ".yaml"), yaml);
    }

    private static Map<String, String> environment(int port, String... more) throws IOException {
        var environment = new HashMap<>(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_GRPC_PORT", Integer.toString(port),
                "RATE_LIMIT_FILE", rules(RULES).toString()));
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return environment;
    }

    private static RateLimitRequest request(String key, String value) {
        return RateLimitRequest.newBuilder().setDomain("d").addDescriptors(RateLimitDescriptor.newBuilder()
                .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey(key).setValue(value))).build();
    }

    @Test
    void portInUseIsOneLine() throws IOException {
        try (var socket = new ServerSocket(0)) {
            var log = Instance.startExpectingFailure(environment(socket.getLocalPort()));
            assertThat(log).contains("Sluice does not start: port " + socket.getLocalPort()
                    + " is in use; set RATE_LIMIT_GRPC_PORT to another one").doesNotContain("Exception", "\tat ");
        }
    }

    @Test
    void invalidConfigurationsAreReportedTogether() throws IOException {
        var folder = Files.createTempDirectory("sluice-envoy");
        Files.writeString(folder.resolve("one.yaml"), "domain: d\ndescriptors:\n- value: x\n");
        Files.writeString(folder.resolve("two.yaml"), "domain: e\ndescriptors:\n- {key: a, rate_limit: {unit: eon}}\n");
        var log = Instance.startExpectingFailure(environment(0, "RATE_LIMIT_GRPC_PORT", "70000", "RATE_LIMIT_ENVOY_CONFIG",
                folder.toString()));
        assertThat(log).contains("rate-limit.grpc.port=70000: 1 to 65535", "one.yaml:3: ", "a descriptor needs a key",
                "one.yaml:1: domain=d: a second domain of this name", "two.yaml:3: ", "unit must be second, minute")
                .doesNotContain("\tat ");
    }

    @Test
    void closedFallbackIsUnavailable() throws IOException {
        int port = FreePorts.next();
        var environment = environment(port, "REDIS_ENABLED", "true", "REDIS_HOST", "127.0.0.1", "REDIS_PORT",
                Integer.toString(FreePorts.next()), "RATE_LIMIT_FALLBACK", "closed");
        try (var instance = Instance.start(environment); var client = new GrpcTestClient(port)) {
            var status = client.failure(GrpcTestClient.SHOULD_RATE_LIMIT, request("a", "x"));
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status.getDescription()).isEqualTo("The rate limit store is unavailable");
            assertThat(client.shouldRateLimit(request("shadow", "x")).getOverallCode()).isEqualTo(Code.OK);
            assertThat(client.call("grpc.health.v1.Health/Check", HealthCheckRequest.getDefaultInstance(),
                    HealthCheckResponse.parser()).getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
            assertThat(instance.log()).doesNotContain(" ERROR ");
        }
    }

    /** Envoy gives up after 20 ms by default: neither its connection nor the log may suffer when Redis is slow. */
    @Test
    void callsThatClientsGiveUpLeaveNothingBehind() throws Exception {
        int port = FreePorts.next();
        try (var redis = RedisTestServer.start();
                var instance = Instance
                        .start(environment(port, "REDIS_ENABLED", "true", "REDIS_HOST", "127.0.0.1", "REDIS_PORT",
                                Integer.toString(redis.port()), "RATE_LIMIT_TIMEOUT", "30s"));
                var client = new GrpcTestClient(port)) {
            assertThat(client.shouldRateLimit(request("few", "x")).getOverallCode()).isEqualTo(Code.OK);
            redis.suspend();
            var callers = Executors.newFixedThreadPool(50);
            var calls = new ArrayList<Callable<Status.Code>>();
            for (int i = 0; i < 1500; i++) {
                var message = request("a", "v" + i % 10).toByteArray();
                calls.add(() -> outcome(client, message));
            }
            for (var outcome : callers.invokeAll(calls)) {
                assertThat(outcome.get()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            }
            callers.shutdown();
            redis.resume();
            assertThat(client.shouldRateLimit(request("few", "x")).getStatuses(0).getLimitRemaining()).isEqualTo(1);
            assertThat(instance.log()).doesNotContain(" ERROR ", "Exception");
        }
    }

    private static Status.Code outcome(GrpcTestClient client, byte[] message) {
        try {
            client.call(GrpcTestClient.SHOULD_RATE_LIMIT, message,
                    CallOptions.DEFAULT.withDeadlineAfter(40, TimeUnit.MILLISECONDS));
            return Status.Code.OK;
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        }
    }

    @Test
    void tlsWithATrustStoreNeedsCertificatesOfClients() throws IOException {
        assumeTrue(System.getProperty("native.image.path") == null, "settings by JAVA_TOOL_OPTIONS");
        int port = FreePorts.next();
        var certificates = new TestCertificates().issue("server", "dns:localhost,ip:127.0.0.1").issue("client", "dns:envoy");
        try (var instance = Instance.start(environment(port, "RATE_LIMIT_GRPC_TLS_CONFIGURATION_NAME", "grpc",
                "JAVA_TOOL_OPTIONS", "-Dquarkus.tls.grpc.key-store.pem.0.cert=" + certificates.certificate("server")
                        + " -Dquarkus.tls.grpc.key-store.pem.0.key=" + certificates.key("server")
                        + " -Dquarkus.tls.grpc.trust-store.pem.certs="
                        + certificates.certificate(TestCertificates.AUTHORITY)))) {
            assertThat(instance.log()).contains("gRPC: port " + port + ", TLS");
            try (var client = tls(port, certificates, true);
                    var other = tls(port, certificates, false);
                    var plain = new GrpcTestClient(port)) {
                assertThat(client.shouldRateLimit(request("a", "x")).getOverallCode()).isEqualTo(Code.OK);
                for (var rejected : List.of(other, plain)) {
                    assertThat(rejected.failure(GrpcTestClient.SHOULD_RATE_LIMIT, request("a", "x")).getCode())
                            .isEqualTo(Status.Code.UNAVAILABLE);
                }
            }
            assertThat(instance.log()).doesNotContain(" ERROR ");
        }
    }

    private static GrpcTestClient tls(int port, TestCertificates certificates, boolean withCertificate) throws IOException {
        var context = GrpcSslContexts.forClient().trustManager(certificates.certificate(TestCertificates.AUTHORITY).toFile());
        if (withCertificate) {
            context.keyManager(certificates.certificate("client").toFile(), certificates.key("client").toFile());
        }
        return new GrpcTestClient(NettyChannelBuilder.forAddress("localhost", port).sslContext(context.build()).build());
    }

    @Test
    void nothingListensUnlessThePortIsSet() throws IOException {
        int port = FreePorts.next();
        try (var instance = Instance.start(environment(port, "RATE_LIMIT_GRPC_PORT", Instance.DEFAULT));
                var client = new GrpcTestClient(port)) {
            assertThatThrownBy(() -> client.shouldRateLimit(request("a", "x"))).hasMessageContaining("UNAVAILABLE");
            await().atMost(TIMEOUT)
                    .until(() -> instance.log().contains("but not served: set RATE_LIMIT_GRPC_PORT (domains=1)"));
        }
    }

    @Test
    void shutdownEndsWithoutErrors() throws IOException {
        int port = FreePorts.next();
        var instance = Instance.start(environment(port));
        try (var client = new GrpcTestClient(port)) {
            assertThat(client.shouldRateLimit(request("a", "x")).getOverallCode()).isEqualTo(Code.OK);
        }
        instance.close();
        assertThat(instance.log()).contains("stopped in").doesNotContain(" ERROR ", "Exception");
    }
}
