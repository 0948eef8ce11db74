package dev.sluice.service.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.service.grpc.proto.FilesProto.File;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckRequest;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckResponse;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckResponse.ServingStatus;
import dev.sluice.service.grpc.proto.ReflectionProto.ServerReflectionRequest;
import dev.sluice.service.grpc.proto.ReflectionProto.ServerReflectionResponse;
import dev.sluice.service.grpc.proto.ReflectionProto.ServiceResponse;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.grpc.GrpcTestClient;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.StreamResetException;

/** The gRPC server: health, reflection, the token, and requests that are not gRPC. */
@QuarkusTest
@TestProfile(GrpcEndpointTest.Profile.class)
class GrpcEndpointTest {

    private static final String CHECK = "grpc.health.v1.Health/Check";
    private static final String REFLECTION = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    private static final String TOKEN = "token-of-proxies";

    public static class Profile implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("rate-limit.grpc.port", Integer.toString(FreePorts.next()), "rate-limit.api-token", TOKEN,
                    "rate-limit.redis.enabled", "false", "rate-limit.connections.body-timeout", "3s");
        }
    }

    @ConfigProperty(name = "rate-limit.grpc.port")
    int port;

    private GrpcTestClient client;

    @BeforeEach
    void connect() {
        client = new GrpcTestClient(port).withToken(TOKEN);
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    @Test
    void unfinishedMessagesAreReset() throws Exception {
        var vertx = Vertx.vertx();
        try {
            var http = vertx.createHttpClient(new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2)
                    .setHttp2ClearTextUpgrade(false));
            var failed = new CompletableFuture<Throwable>();
            http.request(HttpMethod.POST, port, "127.0.0.1", "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit")
                    .onFailure(failed::complete).onSuccess(request -> {
                        request.putHeader("content-type", "application/grpc").putHeader("authorization", "Bearer " + TOKEN)
                                .setChunked(true).exceptionHandler(failed::complete);
                        request.response().onFailure(failed::complete);
                        request.write(Buffer.buffer(new byte[]{0, 0, 1, 0, 0, 7}));
                    });
            assertThat(failed.get(60, TimeUnit.SECONDS)).isInstanceOfSatisfying(StreamResetException.class,
                    reset -> assertThat(reset.getCode()).isEqualTo(8));
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void healthNeedsNoTokenAndKnowsTheServices() {
        try (var anonymous = new GrpcTestClient(port)) {
            assertThat(health(anonymous, "")).isEqualTo(ServingStatus.SERVING);
            assertThat(health(anonymous, "grpc.health.v1.Health")).isEqualTo(ServingStatus.SERVING);
            assertThat(anonymous.failure(CHECK, HealthCheckRequest.newBuilder().setService("other").build()).getCode())
                    .isEqualTo(Code.NOT_FOUND);
        }
    }

    private static ServingStatus health(GrpcTestClient client, String service) {
        return client.call(CHECK, HealthCheckRequest.newBuilder().setService(service).build(), HealthCheckResponse.parser())
                .getStatus();
    }

    @Test
    void watchSendsTheStatusAtOnce() throws InterruptedException {
        var received = new LinkedBlockingQueue<ServingStatus>();
        for (var service : new String[]{"", "other"}) {
            var call = client.<HealthCheckResponse>watch("grpc.health.v1.Health/Watch", HealthCheckResponse.parser(),
                    HealthCheckRequest.newBuilder().setService(service).build(), message -> received.add(message.getStatus()));
            assertThat(received.poll(60, TimeUnit.SECONDS))
                    .isEqualTo(service.isEmpty() ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN);
            call.cancel("enough", null);
        }
        await().atMost(Duration.ofSeconds(60)).until(() -> HealthService.watches() == 0);
    }

    @Test
    void watchesOfBrokenConnectionsEnd() throws InterruptedException {
        var received = new LinkedBlockingQueue<ServingStatus>();
        client.<HealthCheckResponse>watch("grpc.health.v1.Health/Watch", HealthCheckResponse.parser(),
                HealthCheckRequest.getDefaultInstance(), message -> received.add(message.getStatus()));
        assertThat(received.poll(60, TimeUnit.SECONDS)).isEqualTo(ServingStatus.SERVING);
        assertThat(HealthService.watches()).isPositive();

        client.close();

        await().atMost(Duration.ofSeconds(60)).until(() -> HealthService.watches() == 0);
    }

    @Test
    void callsNeedTheToken() {
        for (var wrong : new String[]{null, "other", ""}) {
            try (var other = new GrpcTestClient(port)) {
                if (wrong != null) {
                    other.withToken(wrong);
                }
                var status = other.failure(GrpcTestClient.SHOULD_RATE_LIMIT, new byte[0]);
                assertThat(status.getCode()).isEqualTo(Code.UNAUTHENTICATED);
                assertThat(status.getDescription()).contains("authorization: Bearer").doesNotContain(TOKEN);
            }
        }
    }

    @Test
    void unknownMethodsAreUnimplemented() {
        assertThat(client.failure("envoy.service.auth.v9.Other/Check", new byte[0]).getCode()).isEqualTo(Code.UNIMPLEMENTED);
        assertThat(client.failure("grpc.health.v1.Health/Other", new byte[0]).getCode()).isEqualTo(Code.UNIMPLEMENTED);
    }

    @Test
    void messagesThatAreNoneAreInvalid() {
        assertThat(client.failure(CHECK, new byte[]{(byte) 0xff, 1, 2}).getCode()).isEqualTo(Code.INVALID_ARGUMENT);
        assertThat(client.failure(CHECK, new byte[]{0x0a, 2, (byte) 0xc3, 0x28}).getCode()).as("UTF-8")
                .isEqualTo(Code.INVALID_ARGUMENT);
        var large = new byte[GrpcEndpoint.MAX_MESSAGE_SIZE + 1];
        Arrays.fill(large, (byte) 'a');
        assertThat(client.failure(CHECK, large).getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
        assertThat(health(client, "")).isEqualTo(ServingStatus.SERVING);
    }

    @Test
    void compressedMessagesAreUnimplemented() {
        try {
            client.call(CHECK, new byte[0],
                    CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS).withCompression("gzip"));
        } catch (StatusRuntimeException e) {
            assertThat(e.getStatus().getCode()).isEqualTo(Code.UNIMPLEMENTED);
            return;
        }
        throw new AssertionError("not rejected");
    }

    @Test
    void compressionIsNotAnnounced() {
        var headers = client.headers(CHECK, new byte[0]);
        assertThat(headers.get(Metadata.Key.of("grpc-accept-encoding", Metadata.ASCII_STRING_MARSHALLER)))
                .isEqualTo("identity");
    }

    @Test
    void requestsThatAreNotGrpcAreRejected() throws IOException, InterruptedException {
        var http = HttpClient.newHttpClient();
        var uri = URI.create("http://127.0.0.1:" + port + "/" + CHECK);
        var old = http.send(HttpRequest.newBuilder(uri).version(HttpClient.Version.HTTP_1_1).build(), BodyHandlers.ofString());
        assertThat(old.statusCode()).isEqualTo(505);
        assertThat(old.body()).contains("HTTP/2");
    }

    @Test
    void reflectionListsTheServicesAndTheirFiles() {
        var responses = client.exchange(REFLECTION, ServerReflectionResponse.parser(),
                ServerReflectionRequest.newBuilder().setListServices("").build(),
                ServerReflectionRequest.newBuilder()
                        .setFileContainingSymbol("envoy.service.ratelimit.v3.RateLimitService.ShouldRateLimit").build(),
                ServerReflectionRequest.newBuilder().setFileByFilename("google/protobuf/duration.proto").build(),
                ServerReflectionRequest.newBuilder().setFileContainingSymbol("no.such.Thing").build(),
                ServerReflectionRequest.newBuilder().setFileContainingSymbol("envoy.service.auth.v3.Authorization").build());
        assertThat(responses.get(0).getListServicesResponse().getServiceList()).extracting(ServiceResponse::getName)
                .containsExactly("envoy.service.auth.v3.Authorization", "envoy.service.ratelimit.v3.RateLimitService",
                        "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                        "kuadrant.service.ratelimit.v1.RateLimitService");
        assertThat(responses.get(1).getFileDescriptorResponse().getFileDescriptorProtoList())
                .extracting(content -> File.parseFrom(content).getName())
                .containsExactly("envoy/service/ratelimit/v3/rls.proto", "envoy/config/core/v3/base.proto",
                        "envoy/extensions/common/ratelimit/v3/ratelimit.proto", "envoy/type/v3/ratelimit_unit.proto",
                        "google/protobuf/wrappers.proto", "google/protobuf/duration.proto", "google/protobuf/struct.proto");
        assertThat(responses.get(2).getFileDescriptorResponse().getFileDescriptorProtoCount()).isEqualTo(1);
        assertThat(responses.get(3).getErrorResponse().getErrorCode()).isEqualTo(Code.NOT_FOUND.value());
        assertThat(responses.get(4).getFileDescriptorResponse().getFileDescriptorProtoList())
                .extracting(content -> File.parseFrom(content).getName())
                .containsExactly("envoy/service/auth/v3/external_auth.proto", "envoy/config/core/v3/base.proto",
                        "envoy/service/auth/v3/attribute_context.proto", "envoy/config/core/v3/address.proto",
                        "envoy/type/v3/http_status.proto", "google/rpc/status.proto");
        assertThat(client.exchange("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                ServerReflectionResponse.parser(), ServerReflectionRequest.newBuilder().setListServices("").build()))
                .singleElement().extracting(response -> response.getListServicesResponse().getServiceCount()).isEqualTo(5);
    }
}
