package dev.sluice.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

import dev.sluice.redis.LuaScript;
import dev.sluice.store.redis.SingleDecision;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.faults.RespClient;

/** Decisions without HTTP, and what they leave in Redis. */
final class RedisMeasurements {

    private static final int OUTSTANDING = 1024;
    private static final String MANY = "1000/second";

    private RedisMeasurements() {
    }

    /** Decisions of one instance, made inside it. */
    private static double decisions(BenchmarkEnvironment lab, String name, int identities, String rate, double seconds) {
        var answer = BenchmarkEnvironment.get(lab.limited(), String.format(Locale.ROOT,
                "/process/decide?name=%s&identities=%d&rate=%s&outstanding=%d&millis=%.0f&most=%d", name, identities, rate,
                OUTSTANDING, seconds * 1000, Integer.MAX_VALUE)).split(" ");
        if (!answer[3].equals("0")) {
            throw new IllegalStateException(answer[3] + " decisions were not Redis's");
        }
        return Double.parseDouble(answer[0]);
    }

    static List<BenchmarkResult> inProcess(BenchmarkEnvironment lab) throws Exception {
        var decision = SingleDecision.of(1000, Duration.ofSeconds(1));
        load(lab.redis(), decision);
        var peer = RedisBenchmark.find();
        var requests = requests(decision, "wire", BenchmarkEnvironment.IDENTITIES, 1);
        var pairs = PairedMeasurement.<Double>measure(
                seconds -> decisions(lab, "many", BenchmarkEnvironment.IDENTITIES, MANY, seconds),
                seconds -> peer == null
                        ? RedisLoad.run(lab.redis().port(), requests, seconds).perSecond()
                        : peer.run(lab.redis().port(), decision, BenchmarkEnvironment.IDENTITIES, seconds));
        return List.of(pairs.ratio("4", "decisions of one instance in process, 10,000 identities, against "
                + (peer == null ? "32 connections, 16 requests deep," : "redis-benchmark -c 32 -P 16")
                + " with the single-decision script", rate -> rate).atLeast(1.5).noting(MANY)
                .noting(peer == null ? "own load generator: no redis-benchmark found" : peer.version()));
    }

    static List<BenchmarkResult> hot(BenchmarkEnvironment lab) {
        var over = PairedMeasurement.<Double>measure(seconds -> decisions(lab, "hot", 1, MANY, seconds),
                seconds -> decisions(lab, "many", BenchmarkEnvironment.IDENTITIES, MANY, seconds));
        var within = PairedMeasurement.<Double>measure(seconds -> decisions(lab, "busy", 1, "1000000000/minute", seconds),
                seconds -> decisions(lab, "many", BenchmarkEnvironment.IDENTITIES, MANY, seconds));
        return List.of(
                over.ratio("5", "one hot identity, in process, against 10,000: same rate, nearly all refused", rate -> rate)
                        .atLeast(1.0).noting(MANY),
                within.ratio("5", "the same, all admitted", rate -> rate).atLeast(1.0).noting("1000000000/minute"));
    }

    static List<BenchmarkResult> memoryPerRequest(BenchmarkEnvironment lab) {
        int identities = 200;
        int limit = 1000;
        try (var redis = RedisTestServer.start()) {
            var decision = SingleDecision.of(limit, Duration.ofHours(1));
            load(redis, decision);
            long before = usedMemory(redis);
            var requests = requests(decision, "window", identities, 1);
            for (int i = 0; i < limit; i++) {
                RedisLoad.once(redis.port(), requests);
            }
            return List.of(new BenchmarkResult("6", "Redis memory per counted request, limit 1,000, window full",
                    List.of((double) (usedMemory(redis) - before) / identities / limit)).in("bytes", "").atMost(12)
                    .noting("index included"));
        }
    }

    static List<BenchmarkResult> memoryOfLargeLimit(BenchmarkEnvironment lab) {
        int identities = 100;
        try (var redis = RedisTestServer.start()) {
            var decision = SingleDecision.of(1_000_000, Duration.ofDays(1)).onHandSetTime();
            load(redis, decision);
            long before = usedMemory(redis);
            fill(redis, decision, "day", identities, Duration.ofDays(1), 60, 1_000_000 / 60);
            return List.of(new BenchmarkResult("7", "Redis memory for one identity with a limit of a million a day, full",
                    List.of((double) (usedMemory(redis) - before) / identities)).in("bytes", "").atMost(4096)
                    .noting("60 sub-windows, index included"));
        }
    }

    /** Takes the cost several times, evenly over the time up to now. */
    static void fill(RedisTestServer redis, SingleDecision decision, String name, int identities, Duration past, int times,
            long cost) {
        long now = System.currentTimeMillis() / 1000;
        long step = past.toSeconds() / times;
        var requests = requests(decision, name, identities, cost);
        for (int i = times - 1; i >= 0; i--) {
            try (var connection = new RespClient(redis.port())) {
                connection.command("DEL", SingleDecision.HAND_SET_TIME);
                connection.command("RPUSH", SingleDecision.HAND_SET_TIME, Long.toString(now - i * step), "0");
            }
            var outcome = RedisLoad.once(redis.port(), requests);
            if (outcome.admitted() != identities) {
                throw new IllegalStateException("only " + outcome.admitted() + " were admitted");
            }
        }
    }

    static List<BenchmarkResult> largeLimit(BenchmarkEnvironment lab) {
        try (var redis = RedisTestServer.start()) {
            var hour = SingleDecision.of(1_000_000, Duration.ofHours(1));
            var second = SingleDecision.of(10, Duration.ofSeconds(1));
            load(redis, hour.onHandSetTime());
            fill(redis, hour.onHandSetTime(), "large", BenchmarkEnvironment.IDENTITIES, Duration.ofHours(1), 60, 15_000);
            load(redis, hour);
            var large = requests(hour, "large", BenchmarkEnvironment.IDENTITIES, 1);
            var small = requests(second, "small", 10 * BenchmarkEnvironment.IDENTITIES, 1);
            var pairs = PairedMeasurement.measure(seconds -> 1e6 / admitting(redis, large, seconds),
                    seconds -> 1e6 / admitting(redis, small, seconds));
            return List.of(pairs.ratio("8", "a decision at limit 1,000,000 against limit 10, in Redis", micros -> micros)
                    .in("", "µs").atMost(1.1).noting("1000000/hour with all sub-windows in use, 10/second; all admitted"));
        }
    }

    /** Our script against the one of the field, on the same load. */
    static List<BenchmarkResult> sortedSet(BenchmarkEnvironment lab) {
        try (var redis = RedisTestServer.start()) {
            var decision = SingleDecision.of(1000, Duration.ofSeconds(1));
            load(redis, decision);
            var sha = load(redis, LuaScript.load(RedisMeasurements.class, "sorted-set.lua").source());
            var ours = requests(decision, "ours", BenchmarkEnvironment.IDENTITIES, 1);
            var theirs = IntStream.range(0, BenchmarkEnvironment.IDENTITIES).mapToObj(i -> RedisLoad
                    .request(List.of("EVALSHA", sha, "1", "sorted:" + i, "1000", "1000000", Integer.toString(i)))).toList();
            var pairs = PairedMeasurement.<Double>measure(seconds -> admitting(redis, ours, seconds),
                    seconds -> admitting(redis, theirs, seconds));
            return List.of(pairs.ratio("script", "the single-decision script against the sorted set of the field", rate -> rate)
                    .noting(MANY));
        }
    }

    private static double admitting(RedisTestServer redis, List<byte[]> requests, double seconds) {
        var outcome = RedisLoad.run(redis.port(), requests, seconds);
        if (outcome.admitted() < 0.99 * outcome.answers()) {
            throw new IllegalStateException("only " + outcome.admitted() + " of " + outcome.answers() + " were admitted");
        }
        return outcome.perSecond();
    }

    private static List<byte[]> requests(SingleDecision decision, String name, int identities, long cost) {
        return IntStream.range(0, identities).mapToObj(i -> RedisLoad.request(decision.command(name + i, cost))).toList();
    }

    static void load(RedisTestServer redis, SingleDecision decision) {
        load(redis, decision.source());
    }

    private static String load(RedisTestServer redis, String source) {
        try (var connection = new RespClient(redis.port())) {
            return String.valueOf(connection.command("SCRIPT", "LOAD", source));
        }
    }

    private static long usedMemory(RedisTestServer redis) {
        try (var connection = new RespClient(redis.port())) {
            var info = new ArrayList<>(List.of(String.valueOf(connection.command("INFO", "memory")).split("\r\n")));
            return info.stream().filter(line -> line.startsWith("used_memory:")).map(line -> line.substring(12))
                    .mapToLong(Long::parseLong).findFirst().orElseThrow();
        }
    }
}
