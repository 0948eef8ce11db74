package dev.sluice.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

import dev.sluice.identity.Sha256;
import dev.sluice.llm.ledger.LedgerSample;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.faults.RespClient;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Measures the administration of a million stored keys, and the report of a month's spend, by the packaged service. */
final class IdentityMeasurements {

    private static final String ROW = "identities";
    private static final String ADMIN_TOKEN = "benchmark";
    private static final int KEYS = Integer.getInteger("sluice.bench.keys", 1_000_000);
    private static final int KEYS_PER_OWNER = 1000;
    private static final int LINES_PER_IMPORT = 10_000;
    private static final int DEPTHS = 10;
    private static final int PAGES = 20;
    private static final int MAX_PAGE = 1000;
    private static final int CALLERS = 1000;
    private static final int DAYS = 30;
    private static final int REPORTS = 20;
    private static final int SLOW_MICROS = 1000;
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final RedisTestServer redis;
    private final Instance instance;
    /** Number of script calls at the last reset of the slow log. */
    private double scriptCalls;

    private IdentityMeasurements(RedisTestServer redis, Instance instance) {
        this.redis = redis;
        this.instance = instance;
    }

    static List<BenchmarkResult> identities(BenchmarkEnvironment environment) {
        try (var redis = RedisTestServer.start()) {
            LedgerSample.book(redis.url(), CALLERS, DAYS);
            try (var instance = Instance.start(BenchmarkSettings.SERVICE,
                    Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()), "RATE_LIMIT_ADMIN_TOKEN",
                            ADMIN_TOKEN))) {
                var measurements = new IdentityMeasurements(redis, instance);
                var results = new ArrayList<BenchmarkResult>();
                measurements.spend(results);
                measurements.keys(results);
                return results;
            }
        }
    }

    private void spend(List<BenchmarkResult> results) {
        resetSlowLog();
        double stallsBefore = stalls();
        var today = LocalDate.now(ZoneOffset.UTC);
        var path = "/v1/llm/spend?group_by=user&limit=1000&from=" + today.minusDays(DAYS) + "T00:00:00Z&to=" + today
                + "T00:00:00Z";
        double first = millis(path);
        var ofFirst = longestCommand("the first report");
        resetSlowLog();
        var times = IntStream.range(0, REPORTS).mapToObj(i -> millis(path)).toList();
        results.add(new BenchmarkResult(ROW, "Report of the spend of " + CALLERS + " users in " + DAYS + " days", times)
                .withUnits("ms", "")
                .withNote(String.format(Locale.ROOT, "the first one, which sums the days, takes %.0f ms", first))
                .withNote(String.format(Locale.ROOT, "%.0f stalls of event loops of 10 ms or more", stalls() - stallsBefore)));
        results.add(ofFirst);
        results.add(longestCommand("the other reports"));
    }

    private void keys(List<BenchmarkResult> results) {
        double before = usedMemory();
        long begin = System.nanoTime();
        for (int from = 0; from < KEYS; from += LINES_PER_IMPORT) {
            importKeys(from);
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        var count = String.format(Locale.ROOT, "%,d", KEYS);
        results.add(new BenchmarkResult(ROW, "Redis memory for a stored key with a user and a team, of " + count,
                List.of((usedMemory() - before) / KEYS)).withUnits("bytes", "").atMost(1000)
                .withNote(String.format(Locale.ROOT, "imported in %.0f s", seconds)));
        resetSlowLog();
        results.add(new BenchmarkResult(ROW, "List of 100 keys of " + count + ", at " + DEPTHS + " depths", timesByDepth())
                .withUnits("ms", "").atMost(20));
        results.add(new BenchmarkResult(ROW, "List of 100 keys of a user, a team, and those that are disabled, of " + count,
                List.of(medianMillis("/v1/keys?user=u3"), medianMillis("/v1/keys?team=t5"),
                        medianMillis("/v1/keys?disabled=true")))
                .withUnits("ms", "").atMost(20));
        results.add(new BenchmarkResult(ROW, "Keys created per second, of " + count + " stored",
                IntStream.range(0, BenchmarkSettings.PAIRS).mapToObj(i -> keysCreatedPerSecond()).toList()).withUnits("/s", "")
                .withNote("16 at a time"));
        results.add(longestCommand("lists, of 1000 keys too, and creations"));
    }

    private void importKeys(int from) {
        var lines = new StringBuilder();
        for (int i = from; i < Math.min(KEYS, from + LINES_PER_IMPORT); i++) {
            int owner = i / KEYS_PER_OWNER;
            var document = new JsonObject().put("name", "key " + i).put("user", "u" + owner).put("team", "t" + owner)
                    .put("prefix", "sk-sluice-" + String.format(Locale.ROOT, "%04d", i % 10_000))
                    .put("hashes", new JsonArray().add(new JsonObject().put("sha256", Sha256.hex("key of " + i))))
                    .put("created_at", "2026-01-01T00:00:00Z").put("updated_at", "2026-01-01T00:00:00Z");
            if (i % KEYS_PER_OWNER == 0) {
                document.put("disabled", true);
            }
            lines.append(new JsonObject().put("kind", "key").put("name", String.format(Locale.ROOT, "0hoaaaa%012d", i))
                    .put("document", document).encode()).append('\n');
        }
        var report = send("POST", "/v1/import", lines.toString());
        if (report.getInteger("failed") != 0) {
            throw new IllegalStateException(report.encode());
        }
    }

    /** Returns the median time of a page at each depth. */
    private List<Double> timesByDepth() {
        var times = new ArrayList<Double>();
        String cursor = null;
        int read = 0;
        for (int depth = 0; depth < DEPTHS; depth++) {
            while (read < (long) KEYS * depth / DEPTHS) {
                cursor = send("GET", path("/v1/keys", MAX_PAGE, cursor), null).getString("next_cursor");
                read += MAX_PAGE;
            }
            times.add(medianMillis(path("/v1/keys", 100, cursor)));
        }
        return times;
    }

    private static String path(String list, int limit, String cursor) {
        return list + "?limit=" + limit + (cursor == null ? "" : "&cursor=" + cursor);
    }

    private double medianMillis(String path) {
        return BenchmarkResult.median(IntStream.range(0, PAGES).mapToObj(i -> millis(path)).toList());
    }

    private double millis(String path) {
        long begin = System.nanoTime();
        send("GET", path, null);
        return (System.nanoTime() - begin) / 1e6;
    }

    private double keysCreatedPerSecond() {
        long begin = System.nanoTime();
        int created = 0;
        while (System.nanoTime() - begin < BenchmarkSettings.SECONDS * 1e9) {
            var body = new JsonObject().put("name", "created").put("user", "u" + created).encode();
            var requests = IntStream.range(0, 16).mapToObj(i -> CLIENT.sendAsync(request("POST", "/v1/keys", body),
                    BodyHandlers.ofString())).toList();
            CompletableFuture.allOf(requests.toArray(CompletableFuture[]::new)).join();
            created += requests.stream().filter(request -> request.join().statusCode() == 201).count();
        }
        return created / ((System.nanoTime() - begin) / 1e9);
    }

    private HttpRequest request(String method, String path, String body) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + instance.port() + path))
                .header("Authorization", "Bearer " + ADMIN_TOKEN)
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body)).build();
    }

    private JsonObject send(String method, String path, String body) {
        try {
            var response = CLIENT.send(request(method, path, body), BodyHandlers.ofString());
            if (response.statusCode() / 100 != 2) {
                throw new IllegalStateException(path + ": " + response.statusCode() + " " + response.body());
            }
            return new JsonObject(response.body());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Returns how often event loops of the instance have stalled. */
    private double stalls() {
        try {
            var metrics = CLIENT.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + instance.managementPort()
                    + "/q/metrics")).build(), BodyHandlers.ofString()).body();
            return metrics.lines().filter(line -> line.startsWith("rate_limit_event_loop_stall_seconds_count"))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).sum();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private void resetSlowLog() {
        try (var connection = new RespClient(redis.port())) {
            connection.command("CONFIG", "SET", "slowlog-log-slower-than", Integer.toString(SLOW_MICROS));
            connection.command("CONFIG", "SET", "slowlog-max-len", "10000");
            connection.command("SLOWLOG", "RESET");
        }
        scriptCalls = BenchmarkEnvironment.scriptCalls(redis);
    }

    /** Returns the longest execution of a command since {@link #resetSlowLog}: on a busy machine, that of an interrupted Redis. */
    private BenchmarkResult longestCommand(String what) {
        var slow = slowCommands();
        double calls = BenchmarkEnvironment.scriptCalls(redis) - scriptCalls;
        return new BenchmarkResult(ROW, "Longest command of Redis for " + what,
                List.of(slow.stream().mapToLong(micros -> micros).max().orElse(SLOW_MICROS) / 1e3)).withUnits("ms", "")
                .atMost(5)
                .withNote(String.format(Locale.ROOT, "%d of %,.0f script calls took longer than 5 ms, %d longer than 1 ms",
                        slow.stream().filter(micros -> micros > 5000).count(), calls, slow.size()));
    }

    /** Returns the times of the commands that took longer than the threshold, in microseconds. */
    private List<Long> slowCommands() {
        try (var connection = new RespClient(redis.port())) {
            return ((List<?>) connection.command("SLOWLOG", "GET", "10000")).stream()
                    .map(entry -> (Long) ((List<?>) entry).get(2)).toList();
        }
    }

    private double usedMemory() {
        try (var connection = new RespClient(redis.port())) {
            return String.valueOf(connection.command("INFO", "memory")).lines().filter(line -> line.startsWith("used_memory:"))
                    .mapToDouble(line -> Double.parseDouble(line.substring("used_memory:".length()))).findFirst().orElseThrow();
        }
    }
}
