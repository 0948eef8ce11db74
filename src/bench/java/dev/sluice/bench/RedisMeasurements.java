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

/** Measures decisions without HTTP, and their memory in Redis. */
final class RedisMeasurements {

    private static final int MAX_IN_FLIGHT = 1024;
    private static final String RATE = "1000/second";

    private RedisMeasurements() {
    }

    /** Returns the decisions per second of one instance that are made in its own process. */
    private static double decisions(BenchmarkEnvironment environment, String name, int identities, String rate,
            double seconds) {
        return decisions(environment, name, identities, rate, false, seconds);
    }

    private static double decisions(BenchmarkEnvironment environment, String name, int identities, String rate, boolean chain,
            double seconds) {
        var response = BenchmarkEnvironment.get(environment.limitedApp(), String.format(Locale.ROOT,
                "/process/decide?name=%s&identities=%d&rate=%s&chain=%s&outstanding=%d&millis=%.0f&most=%d", name, identities,
                rate,
                chain, MAX_IN_FLIGHT, seconds * 1000, Integer.MAX_VALUE)).split(" ");
        if (!response[3].equals("0")) {
            throw new IllegalStateException(response[3] + " decisions were not made by Redis");
        }
        return Double.parseDouble(response[0]);
    }

    static List<BenchmarkResult> decisionsInProcess(BenchmarkEnvironment environment) throws Exception {
        var decision = SingleDecision.of(1000, Duration.ofSeconds(1));
        load(environment.redis(), decision);
        var peer = RedisBenchmark.find();
        var requests = requests(decision, "wire", BenchmarkEnvironment.IDENTITIES, 1);
        var comparison = PairedMeasurement.<Double>measure(
                seconds -> decisions(environment, "many", BenchmarkEnvironment.IDENTITIES, RATE, seconds),
                seconds -> peer == null
                        ? RedisLoad.run(environment.redis().port(), requests, seconds).perSecond()
                        : peer.run(environment.redis().port(), decision, BenchmarkEnvironment.IDENTITIES, seconds));
        return List.of(comparison.ratio("4", "decisions of one instance in process, 10,000 identities, against "
                + (peer == null ? "32 connections, 16 requests deep," : "redis-benchmark -c 32 -P 16")
                + " with the single-decision script", rate -> rate).atLeast(1.5).withNote(RATE)
                .withNote(peer == null ? "own load generator: no redis-benchmark found" : peer.version()));
    }

    /** Compares decisions in process on a user, the user's key, team and organisation with decisions on a user alone. */
    static BenchmarkResult chainInProcess(BenchmarkEnvironment environment) {
        var comparison = PairedMeasurement.<Double>measure(
                seconds -> decisions(environment, "chain", BenchmarkEnvironment.IDENTITIES, RATE, true, seconds),
                seconds -> decisions(environment, "user:alone", BenchmarkEnvironment.IDENTITIES, RATE, seconds));
        return comparison.ratio("chain", "Four levels against one, in process", rate -> rate).atLeast(0.7);
    }

    static List<BenchmarkResult> hotIdentity(BenchmarkEnvironment environment) {
        var overLimit = PairedMeasurement.<Double>measure(seconds -> decisions(environment, "hot", 1, RATE, seconds),
                seconds -> decisions(environment, "many", BenchmarkEnvironment.IDENTITIES, RATE, seconds));
        var withinLimit = PairedMeasurement.<Double>measure(
                seconds -> decisions(environment, "busy", 1, "1000000000/minute", seconds),
                seconds -> decisions(environment, "many", BenchmarkEnvironment.IDENTITIES, RATE, seconds));
        return List.of(
                overLimit.ratio("5", "one hot identity, in process, against 10,000: same rate, nearly all denied", rate -> rate)
                        .atLeast(1.0).withNote(RATE),
                withinLimit.ratio("5", "the same, all admitted", rate -> rate).atLeast(1.0).withNote("1000000000/minute"));
    }

    static List<BenchmarkResult> memoryPerRequest(BenchmarkEnvironment environment) {
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
                    List.of((double) (usedMemory(redis) - before) / identities / limit)).withUnits("bytes", "").atMost(12)
                    .withNote("index included"));
        }
    }

    static List<BenchmarkResult> memoryOfLargeLimit(BenchmarkEnvironment environment) {
        int identities = 100;
        try (var redis = RedisTestServer.start()) {
            var decision = SingleDecision.of(1_000_000, Duration.ofDays(1)).withControlledTime();
            load(redis, decision);
            long before = usedMemory(redis);
            fill(redis, decision, "day", identities, Duration.ofDays(1), 60, 1_000_000 / 60);
            return List.of(new BenchmarkResult("7", "Redis memory for one identity with a limit of a million a day, full",
                    List.of((double) (usedMemory(redis) - before) / identities)).withUnits("bytes", "").atMost(4096)
                    .withNote("60 sub-windows, index included"));
        }
    }

    /** Consumes the cost several times per identity, evenly distributed over the past duration. */
    static void fill(RedisTestServer redis, SingleDecision decision, String name, int identities, Duration past, int times,
            long cost) {
        long now = System.currentTimeMillis() / 1000;
        long step = past.toSeconds() / times;
        var requests = requests(decision, name, identities, cost);
        for (int i = times - 1; i >= 0; i--) {
            try (var connection = new RespClient(redis.port())) {
                connection.command("DEL", SingleDecision.CONTROLLED_TIME);
                connection.command("RPUSH", SingleDecision.CONTROLLED_TIME, Long.toString(now - i * step), "0");
            }
            var outcome = RedisLoad.once(redis.port(), requests);
            if (outcome.admitted() != identities) {
                throw new IllegalStateException("only " + outcome.admitted() + " were admitted");
            }
        }
    }

    static List<BenchmarkResult> largeLimit(BenchmarkEnvironment environment) {
        try (var redis = RedisTestServer.start()) {
            var hour = SingleDecision.of(1_000_000, Duration.ofHours(1));
            var second = SingleDecision.of(10, Duration.ofSeconds(1));
            load(redis, hour.withControlledTime());
            fill(redis, hour.withControlledTime(), "large", BenchmarkEnvironment.IDENTITIES, Duration.ofHours(1), 60, 15_000);
            load(redis, hour);
            var large = requests(hour, "large", BenchmarkEnvironment.IDENTITIES, 1);
            var small = requests(second, "small", 10 * BenchmarkEnvironment.IDENTITIES, 1);
            var comparison = PairedMeasurement.measure(seconds -> 1e6 / throughputIfAdmitted(redis, large, seconds),
                    seconds -> 1e6 / throughputIfAdmitted(redis, small, seconds));
            return List.of(comparison.ratio("8", "a decision at limit 1,000,000 against limit 10, in Redis", micros -> micros)
                    .withUnits("", "µs").atMost(1.1)
                    .withNote("1000000/hour with all sub-windows in use, 10/second; all admitted"));
        }
    }

    /** Compares the script of Sluice with the common sorted-set script under the same load. */
    static List<BenchmarkResult> sortedSetScript(BenchmarkEnvironment environment) {
        try (var redis = RedisTestServer.start()) {
            var decision = SingleDecision.of(1000, Duration.ofSeconds(1));
            load(redis, decision);
            var sha = load(redis, LuaScript.load(RedisMeasurements.class, "sorted-set.lua").source());
            var sluice = requests(decision, "ours", BenchmarkEnvironment.IDENTITIES, 1);
            var sortedSet = IntStream.range(0, BenchmarkEnvironment.IDENTITIES).mapToObj(i -> RedisLoad
                    .encodeCommand(List.of("EVALSHA", sha, "1", "sorted:" + i, "1000", "1000000", Integer.toString(i))))
                    .toList();
            var comparison = PairedMeasurement.<Double>measure(seconds -> throughputIfAdmitted(redis, sluice, seconds),
                    seconds -> throughputIfAdmitted(redis, sortedSet, seconds));
            return List.of(
                    comparison.ratio("script", "the single-decision script against the sorted set of the field", rate -> rate)
                            .withNote(RATE));
        }
    }

    private static double throughputIfAdmitted(RedisTestServer redis, List<byte[]> requests, double seconds) {
        var outcome = RedisLoad.run(redis.port(), requests, seconds);
        if (outcome.admitted() < 0.99 * outcome.replies()) {
            throw new IllegalStateException("only " + outcome.admitted() + " of " + outcome.replies() + " were admitted");
        }
        return outcome.perSecond();
    }

    private static List<byte[]> requests(SingleDecision decision, String name, int identities, long cost) {
        return IntStream.range(0, identities).mapToObj(i -> RedisLoad.encodeCommand(decision.command(name + i, cost))).toList();
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
