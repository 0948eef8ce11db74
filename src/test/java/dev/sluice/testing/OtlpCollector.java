package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

import com.sun.net.httpserver.HttpServer;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** OpenTelemetry collector that records what it receives over HTTP, one character for each byte. */
public class OtlpCollector implements QuarkusTestResourceLifecycleManager {

    private static final List<String> METRICS = new CopyOnWriteArrayList<>();
    private static final List<String> TRACES = new CopyOnWriteArrayList<>();

    private HttpServer server;

    @Override
    public Map<String, String> start() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        record("/v1/metrics", METRICS);
        record("/v1/traces", TRACES);
        server.start();
        return Map.of("quarkus.otel.exporter.otlp.endpoint", "http://127.0.0.1:" + server.getAddress().getPort(),
                "quarkus.otel.exporter.otlp.protocol", "http/protobuf", "quarkus.otel.metric.export.interval", "100ms",
                "quarkus.otel.bsp.schedule.delay", "100ms");
    }

    private void record(String path, List<String> received) {
        received.clear();
        server.createContext(path, exchange -> {
            received.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.ISO_8859_1));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
    }

    /** Returns the requests with metrics. */
    public static List<String> metrics() {
        return METRICS;
    }

    /** Returns the requests with spans. */
    public static List<String> traces() {
        return TRACES;
    }

    @Override
    public void stop() {
        server.stop(0);
    }
}
