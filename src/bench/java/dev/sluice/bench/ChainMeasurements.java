package dev.sluice.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.Instance;
import io.vertx.core.json.JsonObject;

/** Measures decisions on callers with stored keys: through the packaged service, asked by a proxy, and in process. */
final class ChainMeasurements {

    private static final String ADMIN_TOKEN = "benchmark";
    private static final int CALLERS = 5000;
    private static final int CALLERS_PER_TEAM = 10;
    private static final int CALLERS_PER_ORG = 1000;
    private static final String THROUGH_GATEWAY = "GET /things HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    private static final String FORWARD_AUTH = "GET /v1/forward-auth HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Method: GET\r\n"
            + "X-Forwarded-Uri: /things\r\n";
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private ChainMeasurements() {
    }

    /** Compares decisions on four levels with decisions on one, and stored keys with keys of the settings. */
    static List<BenchmarkResult> chain(BenchmarkEnvironment environment) throws IOException, InterruptedException {
        var configured = new ArrayList<String>();
        var file = Files.createTempFile("rules", ".yaml");
        var yaml = new StringBuilder("api-keys:\n");
        for (int i = 0; i < CALLERS; i++) {
            configured.add("configured-" + UUID.randomUUID());
            yaml.append("  c").append(i).append(": {sha256: ").append(Sha256.hex(configured.get(i))).append(", user: c")
                    .append(i)
                    .append(", tier: pro}\n");
        }
        Files.writeString(file, yaml);
        try {
            var instance = environment.instance("chain", BenchmarkSettings.SERVICE,
                    Map.of("RATE_LIMIT_DEFAULTS_PRO", "1000/minute",
                            "UPSTREAM_URL", "http://127.0.0.1:" + environment.upstream().port(),
                            "RATE_LIMIT_ADMIN_TOKEN", ADMIN_TOKEN, "RATE_LIMIT_TRUSTED_PROXIES", ApiGatewayMeasurements.TRUSTED,
                            "RATE_LIMIT_FILE",
                            file.toString(), "RATE_LIMIT_IDENTITIES_CACHE_SIZE", "100000",
                            // a fast machine needs more than the default of 64M for the windows of all callers, and evicts some
                            "RATE_LIMIT_MEMORY_MAX_SIZE", "256M"));
            for (int i = 0; i < CALLERS / CALLERS_PER_ORG; i++) {
                send(instance, "PUT", "/v1/orgs/o" + i, limits("100000000/hour"));
            }
            for (int i = 0; i < CALLERS / CALLERS_PER_TEAM; i++) {
                send(instance, "PUT", "/v1/teams/t" + i,
                        limits("10000000/hour").put("org", "o" + i * CALLERS_PER_TEAM / CALLERS_PER_ORG));
            }
            var single = new ArrayList<String>();
            var chained = new ArrayList<String>();
            for (int i = 0; i < CALLERS; i++) {
                single.add(key(instance, new JsonObject().put("user", "s" + i)));
                chained.add(key(instance, limits("5000/minute").put("user", "u" + i).put("team", "t" + i / CALLERS_PER_TEAM)));
            }
            var one = contender(environment, instance, FORWARD_AUTH, single);
            return List.of(
                    Contender.ratio(environment, "chain", "Key, user, team and organisation against one level, API gateway",
                            contender(environment, instance, THROUGH_GATEWAY, chained),
                            contender(environment, instance, THROUGH_GATEWAY, single)).atLeast(0.7)
                            .withNote(CALLERS + " callers, each level has a limit, all allowed"),
                    Contender.ratio(environment, "chain", "The same, /v1/forward-auth",
                            contender(environment, instance, FORWARD_AUTH, chained), one).atLeast(0.7),
                    RedisMeasurements.chainInProcess(environment),
                    Contender.ratio(environment, "chain", "Stored keys against keys of the settings, /v1/forward-auth", one,
                            contender(environment, instance, FORWARD_AUTH, configured)).atLeast(0.95).withNote("one level"));
        } finally {
            Files.delete(file);
        }
    }

    private static JsonObject limits(String api) {
        return new JsonObject().put("limits", new JsonObject().put("api", api));
    }

    private static String key(Instance instance, JsonObject document) throws IOException, InterruptedException {
        return send(instance, "POST", "/v1/keys", document.put("tier", "pro")).getString("key");
    }

    private static JsonObject send(Instance instance, String method, String path, JsonObject body)
            throws IOException, InterruptedException {
        var response = CLIENT.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + instance.port() + path))
                .header("Authorization", "Bearer " + ADMIN_TOKEN).method(method, BodyPublishers.ofString(body.encode()))
                .build(),
                BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new IllegalStateException(path + ": " + response.statusCode() + " " + response.body());
        }
        return new JsonObject(response.body());
    }

    private static Contender contender(BenchmarkEnvironment environment, Instance instance, String request, List<String> keys) {
        var requests = keys.stream()
                .map(key -> (request + "X-API-Key: " + key + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII)).toList();
        return new Contender(BenchmarkEnvironment.target(instance, requests), () -> environment.cpuMicros(instance), true, 200);
    }
}
