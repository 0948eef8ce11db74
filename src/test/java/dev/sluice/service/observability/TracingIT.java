package dev.sluice.service.observability;

import static dev.sluice.testing.HttpTestClient.json;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

import com.sun.net.httpserver.HttpServer;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.json.JsonObject;

/** The packaged program with tracing enabled, and a collector that records the exported spans. */
@Execution(ExecutionMode.CONCURRENT)
class TracingIT {

    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String PARENT = "b7ad6b7169203331";

    private final List<String> received = new CopyOnWriteArrayList<>();
    private final List<String> metrics = new CopyOnWriteArrayList<>();

    private HttpServer collector() throws IOException {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        record(server, "/v1/traces", received);
        record(server, "/v1/metrics", metrics);
        server.start();
        return server;
    }

    private static void record(HttpServer server, String path, List<String> bodies) {
        server.createContext(path, exchange -> {
            bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.ISO_8859_1));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
    }

    private static String bytes(String hex) {
        return new String(HexFormat.of().parseHex(hex), StandardCharsets.ISO_8859_1);
    }

    private static JsonObject logged(Instance sluice, String text) {
        return new JsonObject(sluice.log().lines().filter(line -> line.contains(text)).findFirst().orElseThrow());
    }

    @Test
    void spansContainDecisionsButNoUserData() throws IOException {
        var collector = collector();
        var upstream = new EchoUpstream();
        var environment = new HashMap<>(Map.of("RATE_LIMIT_TRACING", "true", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf",
                "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:" + collector.getAddress().getPort(),
                "QUARKUS_OTEL_BSP_SCHEDULE_DELAY", "100ms", "LOG_JSON", "true", "RATE_LIMIT_ACCESS_LOG", "true", "UPSTREAM_URL",
                "http://127.0.0.1:" + upstream.listen(0), "RATE_LIMIT_API_KEYS_ALICE_SHA256", Sha256.hex("alice-key"),
                "RATE_LIMIT_API_KEYS_ALICE_USER", "alice-the-user"));
        try (var redis = RedisTestServer.start()) {
            environment.put("QUARKUS_OTEL_METRIC_EXPORT_INTERVAL", "100ms");
            environment.put("REDIS_HOST", "127.0.0.1");
            environment.put("REDIS_PORT", Integer.toString(redis.port()));
            environment.put("RATE_LIMIT_LLM_OPENAI_BASE_URL", "http://127.0.0.1:" + FreePorts.next());
            environment.put("RATE_LIMIT_LLM_OPENAI_API_KEY", "sk-of-sluice");
            try (var sluice = Instance.start(environment)) {
                var http = new HttpTestClient(sluice.port());
                var response = http.get("/campaigns/path-of-alice?q=query-of-alice", "X-API-Key", "alice-key", "User-Agent",
                        "agent-of-alice", "traceparent", "00-" + TRACE + '-' + PARENT + "-01");
                assertThat(response.statusCode()).isEqualTo(200);
                var sent = json(response).getJsonObject("headers").getJsonArray("traceparent").getString(0);
                assertThat(sent).startsWith("00-" + TRACE + '-').endsWith("-01").doesNotContain(PARENT);
                await().until(() -> String.join("", received).contains("rate_limit.decision"));
                var span = String.join("", received);
                assertThat(span).contains(bytes(TRACE)).contains(bytes(PARENT)).contains(bytes(sent.split("-")[2]))
                        .contains("api:/campaigns").contains("allowed").contains("redis").contains("http.request.method")
                        .contains("http.response.status_code").contains("sluice").contains("GET /campaigns")
                        .contains("http.route");
                assertThat(span).doesNotContain("alice").doesNotContain("127.0.0.1").doesNotContain("EVALSHA");
                assertAccessLog(sluice);
                assertThat(logged(sluice, "Sluice: limiting").getString("level")).isEqualTo("INFO");
                http.post("/openai/v1/chat/completions", "{\"model\":\"gpt-4o\",\"messages\":[]}", "Authorization",
                        "Bearer alice-key", "traceparent", "00-" + TRACE + '-' + PARENT + "-01");
                assertThat(logged(sluice, "Upstream fails: upstream=openai").getJsonObject("mdc").getString("traceId"))
                        .isEqualTo(TRACE);
                assertThat(metrics).isEmpty();
            }
        } finally {
            upstream.stop();
            collector.stop(0);
        }
    }

    private static void assertAccessLog(Instance sluice) {
        await().until(() -> sluice.log().contains("dev.sluice.access"));
        var line = logged(sluice, "dev.sluice.access");
        assertThat(line.getString("message")).isEqualTo("GET 200");
        var fields = line.getJsonObject("mdc");
        assertThat(fields.getString("path")).isEqualTo("/campaigns/path-of-alice");
        assertThat(fields.getString("identifier")).isEqualTo("user:alice-the-user");
        assertThat(fields.getString("decision")).isEqualTo("allowed");
        assertThat(fields.getString("upstream")).isEqualTo("api");
        assertThat(fields.getString("traceId")).isEqualTo(TRACE);
        assertThat(sluice.log()).doesNotContain("query-of-alice").doesNotContain("alice-key").doesNotContain("agent-of-alice");
    }
}
