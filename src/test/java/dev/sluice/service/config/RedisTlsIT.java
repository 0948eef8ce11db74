package dev.sluice.service.config;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.net.PfxOptions;

/** Redis with TLS and a private certificate authority. */
@Execution(ExecutionMode.CONCURRENT)
class RedisTlsIT {

    private static final String CHECK = "{\"identifier\":\"x\",\"resource\":\"r\",\"limit\":2,\"window_seconds\":3600}";
    private static final String PASSWORD = "certificate";

    @TempDir
    private Path files;
    private final Vertx vertx = Vertx.vertx();
    private final RedisTestServer redis = RedisTestServer.start();
    private Path store;
    private NetServer tls;

    @BeforeEach
    void listen() throws Exception {
        store = files.resolve("redis.p12");
        var keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-alias", "redis", "-keyalg", "EC", "-dname", "CN=redis", "-ext", "SAN=ip:127.0.0.1",
                "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", PASSWORD).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        assertThat(keytool.waitFor()).isZero();
        var client = vertx.createNetClient();
        tls = vertx.createNetServer(new NetServerOptions().setSsl(true)
                .setKeyCertOptions(new PfxOptions().setPath(store.toString()).setPassword(PASSWORD))).connectHandler(near -> {
                    near.pause();
                    client.connect(redis.port(), "127.0.0.1").onSuccess(far -> {
                        near.pipeTo(far);
                        far.pipeTo(near);
                    });
                }).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().join();
    }

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
        redis.close();
    }

    private Instance start(String host, Map<String, String> more) {
        var environment = new HashMap<>(more);
        environment.put("REDIS_HOST", host);
        environment.put("REDIS_PORT", Integer.toString(tls.actualPort()));
        environment.put("REDIS_TLS", "true");
        return Instance.start(environment);
    }

    private Map<String, String> trustStore() {
        return Map.of("QUARKUS_REDIS_RATE_LIMIT_TLS_CONFIGURATION_NAME", "redis", "QUARKUS_TLS_REDIS_TRUST_STORE_P12_PATH",
                store.toString(), "QUARKUS_TLS_REDIS_TRUST_STORE_P12_PASSWORD", PASSWORD);
    }

    @Test
    void certificateInTheTrustStoreIsAccepted() {
        try (var sluice = start("127.0.0.1", trustStore())) {
            var response = new HttpTestClient(sluice.port()).post("/v1/check", CHECK);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Mode")).as(sluice.log()).isNull();
        }
    }

    @Test
    void certificateForAnotherHostIsRejected() {
        try (var sluice = start("localhost", trustStore())) {
            assertCertificateRejected(sluice, "No name matching localhost found");
        }
    }

    @Test
    void certificateOfAnUnknownAuthorityIsRejected() {
        try (var sluice = start("127.0.0.1", Map.of())) {
            assertCertificateRejected(sluice, "unable to find valid certification path");
        }
    }

    private static void assertCertificateRejected(Instance sluice, String reason) {
        assertThat(header(new HttpTestClient(sluice.port()).post("/v1/check", CHECK), "X-RateLimit-Mode")).isEqualTo("local");
        assertThat(sluice.log()).containsOnlyOnce("Redis is unavailable").contains(reason);
    }
}
