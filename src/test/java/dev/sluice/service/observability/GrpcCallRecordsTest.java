package dev.sluice.service.observability;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.logging.Level;

import jakarta.inject.Inject;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.service.grpc.proto.AddressProto.Address;
import dev.sluice.service.grpc.proto.AddressProto.SocketAddress;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext.HttpRequest;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext.Peer;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext.Request;
import dev.sluice.service.grpc.proto.DescriptorProto.RateLimitDescriptor;
import dev.sluice.service.grpc.proto.ExternalAuthProto.CheckRequest;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckRequest;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.OtlpCollector;
import dev.sluice.testing.SpanRecorder;
import dev.sluice.testing.grpc.GrpcTestClient;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;

/** Each call of gRPC has one line in the access log and one span. */
@QuarkusTest
@TestProfile(GrpcCallRecordsTest.Profile.class)
@WithTestResource(OtlpCollector.class)
class GrpcCallRecordsTest {

    private static final String CHECK = "envoy.service.auth.v3.Authorization/Check";
    private static final String TOKEN = "token-of-proxies";

    public static class Profile implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("rate-limit.grpc.port", Integer.toString(FreePorts.next()), "rate-limit.redis.enabled", "false",
                    "rate-limit.access-log", "true", "rate-limit.tracing", "true", "rate-limit.api-token", TOKEN);
        }
    }

    @ConfigProperty(name = "rate-limit.grpc.port")
    int port;

    @Inject
    SpanRecorder spans;

    private GrpcTestClient client;
    private LogRecorder log;

    @BeforeEach
    void connect() {
        client = new GrpcTestClient(port).withToken(TOKEN);
        log = LogRecorder.start(Level.INFO, false);
        spans.ended().clear();
    }

    @AfterEach
    void disconnect() {
        client.close();
        log.close();
        assertThat(log.records()).noneMatch(line -> line.contains(TOKEN));
    }

    private List<String> lines() {
        return log.records().stream().filter(line -> line.startsWith("dev.sluice.access ")).toList();
    }

    private String line() {
        await().until(() -> !lines().isEmpty());
        return lines().get(0);
    }

    private SpanData span() {
        await().until(() -> !spans.ended().isEmpty());
        return spans.ended().get(0);
    }

    private static CheckRequest check(String path) {
        return CheckRequest.newBuilder().setAttributes(AttributeContext.newBuilder()
                .setSource(Peer.newBuilder().setAddress(Address.newBuilder()
                        .setSocketAddress(SocketAddress.newBuilder().setAddress("203.0.113.9"))))
                .setRequest(Request.newBuilder().setHttp(HttpRequest.newBuilder().setMethod("GET").setPath(path)))).build();
    }

    @Test
    void decisionIsLoggedAndTraced() {
        client.call(CHECK, check("/campaigns").toByteArray());
        assertThat(line()).contains("client=127.0.0.1 method=POST path=/" + CHECK + " status=200 grpcStatus=0 bytes=")
                .contains(" ms=").contains("decision=allowed rule=api:/campaigns identifier=ip:203.0.113.9")
                .contains("traceId=" + span().getTraceId());
        assertThat(lines()).hasSize(1);

        var span = span();
        assertThat(span.getName()).isEqualTo(CHECK);
        assertThat(span.getKind()).isEqualTo(SpanKind.SERVER);
        assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(span.getAttributes().get(AttributeKey.stringKey("rpc.system"))).isEqualTo("grpc");
        assertThat(span.getAttributes().get(AttributeKey.stringKey("rpc.service")))
                .isEqualTo("envoy.service.auth.v3.Authorization");
        assertThat(span.getAttributes().get(AttributeKey.stringKey("rpc.method"))).isEqualTo("Check");
        assertThat(span.getAttributes().get(AttributeKey.longKey("rpc.grpc.status_code"))).isZero();
        assertThat(span.getEvents()).extracting(EventData::getName).containsExactly(RequestTracing.EVENT);
        assertThat(spans.ended()).hasSize(1);
    }

    @Test
    void rateLimitServiceIsLoggedAndTraced() {
        client.shouldRateLimit(RateLimitRequest.newBuilder().setDomain("edge")
                .addDescriptors(RateLimitDescriptor.newBuilder()
                        .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey("a").setValue("b")))
                .build());
        assertThat(line()).contains("path=/" + GrpcTestClient.SHOULD_RATE_LIMIT + " status=200 grpcStatus=0");
        assertThat(span().getName()).isEqualTo(GrpcTestClient.SHOULD_RATE_LIMIT);
    }

    @Test
    void invalidCallIsAnErrorOfTheClient() {
        client.failure(CHECK, CheckRequest.getDefaultInstance());
        assertThat(line()).contains("grpcStatus=3").doesNotContain("decision=");
        assertThat(span().getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    }

    @Test
    void namesOfSpansAreThoseOfMethods() {
        client.failure("made.up.Service/Name", new byte[0]);
        assertThat(line()).contains("path=/made.up.Service/Name").contains("grpcStatus=12");
        assertThat(span().getName()).isEqualTo("gRPC");
        assertThat(span().getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    }

    @Test
    void refusedTokenIsLogged() {
        try (var other = new GrpcTestClient(port)) {
            other.failure("made.up.Service/Name", new byte[0]);
        }
        assertThat(line()).contains("grpcStatus=16");
        assertThat(span().getName()).isEqualTo("gRPC");
    }

    /** Kubernetes calls it all the time. */
    @Test
    void healthIsNeitherLoggedNorTraced() {
        client.call("grpc.health.v1.Health/Check", HealthCheckRequest.getDefaultInstance().toByteArray());
        client.call(CHECK, check("/campaigns").toByteArray());
        assertThat(line()).contains(CHECK);
        assertThat(span().getName()).isEqualTo(CHECK);
        assertThat(lines()).hasSize(1);
    }
}
