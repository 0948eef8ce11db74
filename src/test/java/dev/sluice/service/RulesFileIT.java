package dev.sluice.service;

import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;

/** The packaged program with a rules file, in a volume laid out as by Kubernetes. */
@Execution(ExecutionMode.CONCURRENT)
class RulesFileIT {

    private static final String BEFORE = "endpoints:\n  /reports:\n    free: 3/hour\n";
    private static final String AFTER = """
            tiers: [free, gold]
            endpoints:
              /reports: {free: 5/hour, gold: 50/hour}
            api-keys:
              carol: {sha256: %s, user: carol, tier: gold}
            llm:
              openai:
                requests: {gold: 70/hour}
            """;

    private int versions;

    /** Replaces the file as the kubelet does: a new directory, and a symbolic link that atomically replaces the old one. */
    private void mount(Path volume, String content) throws IOException {
        var version = Files.createDirectory(volume.resolve("..2026_" + versions++));
        Files.writeString(version.resolve("rows.yaml"), content);
        var link = Files.createSymbolicLink(volume.resolve("..data_tmp"), version.getFileName());
        Files.move(link, volume.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        if (!Files.isSymbolicLink(volume.resolve("rows.yaml"))) {
            Files.createSymbolicLink(volume.resolve("rows.yaml"), Path.of("..data", "rows.yaml"));
        }
    }

    @Test
    void validFileIsAppliedAndInvalidOneIsNot(@TempDir Path volume) throws IOException {
        mount(volume, BEFORE);
        var upstream = new EchoUpstream();
        try (var redis = RedisTestServer.start();
                var sluice = Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()),
                        "UPSTREAM_URL", "http://127.0.0.1:" + upstream.listen(0), "RATE_LIMIT_FILE",
                        volume.resolve("rows.yaml").toString()))) {
            var http = new HttpTestClient(sluice.port());
            var management = new HttpTestClient(sluice.managementPort());
            for (int i = 0; i < 3; i++) {
                assertThat(http.get("/reports").statusCode()).isEqualTo(200);
            }
            assertThat(http.get("/reports").statusCode()).isEqualTo(429);
            assertThat(management.get("/q/health/ready").body()).contains("\"rows\": \"valid\"");

            mount(volume, AFTER.formatted(Sha256.hex("key-of-carol")));
            await().until(() -> http.get("/reports").statusCode() == 200);
            // Three requests before the change and one after it: the window is kept.
            assertThat(header(http.get("/reports"), "X-RateLimit-Remaining")).isEqualTo("0");
            assertThat(http.get("/reports").statusCode()).isEqualTo(429);
            assertThat(header(http.get("/reports", "X-API-Key", "key-of-carol"), "X-RateLimit-Limit")).isEqualTo("50");
            assertThat(http.get("/reports", "X-API-Key", "key-of-dave").statusCode()).isEqualTo(401);
            assertThat(header(http.post("/v1/check", "{\"identifier\":\"x\",\"resource\":\"llm:openai\",\"tier\":\"gold\"}"),
                    "X-RateLimit-Limit")).isEqualTo("70");

            mount(volume, "endpoints:\n  /reports: {free: 9/hour, gold: 9/hour}\n  /new: {gold: often}\ntiers: [gold]\n");
            await()
                    .until(() -> management.get("/q/metrics").body().contains("rate_limit_file_valid 0.0"));
            var rejected = management.get("/q/health/ready");
            assertThat(rejected.statusCode()).isEqualTo(200);
            assertThat(rejected.body()).contains("\"rows\": \"rejected\"").contains("rows.yaml:2: endpoints.");
            assertThat(header(http.get("/reports", "X-API-Key", "key-of-carol"), "X-RateLimit-Limit")).isEqualTo("50");
            assertThat(sluice.log()).containsOnlyOnce("endpoints.\"/new\".gold=often: ")
                    .containsOnlyOnce("endpoints.\"/reports\".free=(not shown): an unknown tier");

            Files.delete(volume.resolve("..data"));
            await().until(() -> sluice.log().contains("no such file"));
            assertThat(header(http.get("/reports", "X-API-Key", "key-of-carol"), "X-RateLimit-Limit")).isEqualTo("50");
            assertThat(management.get("/q/metrics").body()).contains("resource=\"api:/reports\"");
        } finally {
            upstream.stop();
        }
    }

    @Test
    void invalidFileAbortsTheStart(@TempDir Path folder) throws IOException {
        var file = folder.resolve("rows.yaml");
        Files.writeString(file, "endpoints:\n  /a: {free: often}\napi-keys:\n  me: {sha256: my-secret-key, user: me}\n");
        var log = Instance.startExpectingFailure(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_FILE", file.toString()));
        assertThat(log).contains(file + ":2: endpoints.\"/a\".free=often: ")
                .contains(file + ":4: api-keys.me.sha256=(not shown)")
                .doesNotContain("my-secret-key").doesNotContain("\tat ");
        Files.delete(file);
        assertThat(Instance.startExpectingFailure(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_FILE", file.toString())))
                .contains("rate-limit.file=" + file + ": no such file; RATE_LIMIT_FILE");
    }
}
