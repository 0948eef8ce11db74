package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

import dev.sluice.testing.Http;
import dev.sluice.testing.Instance;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;

/** Three instances of the packaged program. */
public final class Fleet implements AutoCloseable {

    static final int SIZE = 3;
    static final String TIMEOUT = "500ms"; // a tighter one trips on a busy machine without any fault

    private static final Duration WARM = Duration.ofSeconds(4);

    private final Vertx vertx = Vertx.vertx();
    private final List<Instance> instances;

    /** @param environment what an instance is told, by its number */
    public Fleet(IntFunction<Map<String, String>> environment) {
        var starting = IntStream.range(0, SIZE).mapToObj(number -> CompletableFuture.supplyAsync(() -> {
            var variables = new HashMap<>(environment.apply(number));
            variables.putIfAbsent("RATE_LIMIT_TIMEOUT", TIMEOUT);
            return Instance.start(variables);
        })).toList();
        instances = starting.stream().map(CompletableFuture::join).toList();
        warm();
    }

    /** A machine of two cores compiles for a while before three new programs are as fast as they will be. */
    private void warm() {
        try (var load = new Load(vertx, instances, Ordeal.LIMIT, Ordeal.WINDOW)) {
            load.start();
            load.pass(WARM);
            load.stop();
        }
    }

    public static Fleet with(Map<String, String> environment) {
        return new Fleet(number -> environment);
    }

    /** What readiness says that the mode is. */
    String mode(int instance) {
        var checks = new JsonObject(management(instance, "/q/health/ready")).getJsonArray("checks");
        return checks.stream().map(JsonObject.class::cast).filter(check -> "rate-limit-store".equals(check.getString("name")))
                .map(check -> check.getJsonObject("data").getString("mode")).findFirst().orElseThrow();
    }

    /** What the metrics say. */
    boolean available(int instance) {
        return management(instance, "/q/metrics").contains("\nrate_limit_store_available 1.0");
    }

    private String management(int instance, String path) {
        return new Http(instances.get(instance).managementPort()).get(path).body();
    }

    /** The lines of an instance's log from one of them on. */
    List<String> log(int instance, int from) {
        var lines = instances.get(instance).log().lines().toList();
        return lines.subList(Math.min(from, lines.size()), lines.size());
    }

    List<Instance> instances() {
        return instances;
    }

    Vertx vertx() {
        return vertx;
    }

    @Override
    public void close() {
        CompletableFuture.allOf(instances.stream().map(instance -> CompletableFuture.runAsync(instance::close))
                .toArray(CompletableFuture[]::new)).join();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
