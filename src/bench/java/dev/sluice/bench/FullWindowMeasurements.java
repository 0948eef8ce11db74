package dev.sluice.bench;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

import dev.sluice.store.redis.SingleDecision;
import dev.sluice.testing.RedisTestServer;

/**
 * Measures the CPU time of Redis per decision on full or large windows. A call contains {@link #DECISIONS_PER_CALL} decisions,
 * about as many as one instance sends at full load: with a single one, the fixed cost of a call would hide the differences.
 */
final class FullWindowMeasurements {

    private static final int DECISIONS_PER_CALL = 20;
    private static final String UNIT = "µs";

    private record Outcome(double micros, double admitted) {
    }

    private FullWindowMeasurements() {
    }

    static List<BenchmarkResult> fullWindows(BenchmarkEnvironment environment) {
        try (var redis = RedisTestServer.start()) {
            return List.of(denied(redis), sliding(redis));
        }
    }

    /** All units are younger than half of the window, so that none leaves it during the measurement. */
    private static BenchmarkResult denied(RedisTestServer redis) {
        int identities = 100;
        var hour = Duration.ofHours(1);
        var large = SingleDecision.of(10_000, hour);
        var small = SingleDecision.of(10, hour);
        for (var decision : List.of(large, small)) {
            RedisMeasurements.load(redis, decision.withControlledTime());
            RedisMeasurements.load(redis, decision);
        }
        RedisMeasurements.fill(redis, large.withControlledTime(), "large", identities, hour.dividedBy(2), 10, 1000);
        RedisMeasurements.fill(redis, small.withControlledTime(), "small", identities, hour.dividedBy(2), 10, 1);
        var largeCalls = calls(large, "large", identities);
        var smallCalls = calls(small, "small", identities);
        var comparison = PairedMeasurement.measure(seconds -> run(redis, largeCalls, seconds, 0, 0),
                seconds -> run(redis, smallCalls, seconds, 0, 0));
        return ratio(comparison, "full", "a denied decision on a full log of 10,000 units against one of 10, in Redis")
                .atMost(1.3);
    }

    /**
     * Each call frees ten units on either side, so that half of its decisions are admitted: a separate clock advances by
     * 500 µs per call. With the clock of the server, the slower side would admit a larger share, and become even slower.
     */
    private static BenchmarkResult sliding(RedisTestServer redis) {
        var large = SingleDecision.of(10_000, Duration.ofSeconds(10));
        var small = SingleDecision.of(10, Duration.ofSeconds(1));
        var filling = large.withAdvancingTime(1000);
        RedisMeasurements.load(redis, filling);
        for (var call : List.of(large, small)) {
            RedisMeasurements.load(redis, call.withAdvancingTime(500));
        }
        var fillingCalls = calls(filling, "large sliding", 20);
        for (int i = 0; i < 500; i++) {
            RedisLoad.once(redis.port(), fillingCalls);
        }
        var largeCalls = calls(large.withAdvancingTime(500), "large sliding", 20);
        var smallCalls = calls(small.withAdvancingTime(500), "small sliding", 2000);
        var comparison = PairedMeasurement.measure(seconds -> run(redis, largeCalls, seconds, 0.4, 0.6),
                seconds -> run(redis, smallCalls, seconds, 0.4, 0.6));
        return ratio(comparison, "full", "the same while units leave and others are admitted").atMost(1.3)
                .withNote(String.format(Locale.ROOT, "10000/10 s and 10/s; %.0f and %.0f %% admitted",
                        100 * median(comparison.first(), Outcome::admitted),
                        100 * median(comparison.second(), Outcome::admitted)));
    }

    static List<BenchmarkResult> ring(BenchmarkEnvironment environment) {
        try (var redis = RedisTestServer.start()) {
            var hour = Duration.ofHours(1);
            var ring = SingleDecision.of(1_000_000, hour);
            var log = SingleDecision.of(1000, Duration.ofSeconds(1));
            RedisMeasurements.load(redis, ring.withControlledTime());
            RedisMeasurements.load(redis, ring);
            RedisMeasurements.load(redis, log);
            RedisMeasurements.fill(redis, ring.withControlledTime(), "ring", BenchmarkEnvironment.IDENTITIES, hour, 60, 10_000);
            var ringCalls = calls(ring, "ring", BenchmarkEnvironment.IDENTITIES);
            var logCalls = calls(log, "log", BenchmarkEnvironment.IDENTITIES);
            var comparison = PairedMeasurement.measure(seconds -> run(redis, ringCalls, seconds, 0.99, 1),
                    seconds -> run(redis, logCalls, seconds, 0.99, 1));
            return List.of(ratio(comparison, "ring", "a decision on a ring against one on a log, in Redis").atMost(1.3)
                    .withNote("1000000/hour with all sub-windows in use, 1000/second; all admitted"));
        }
    }

    private static BenchmarkResult ratio(PairedMeasurement<Outcome> comparison, String row, String description) {
        return comparison.ratio(row, description, Outcome::micros).withUnits("", UNIT)
                .withNote(DECISIONS_PER_CALL + " decisions per call");
    }

    private static double median(List<Outcome> outcomes, ToDoubleFunction<Outcome> metric) {
        return BenchmarkResult.median(outcomes.stream().map(metric::applyAsDouble).toList());
    }

    private static Outcome run(RedisTestServer redis, List<byte[]> calls, double seconds, double minAdmitted,
            double maxAdmitted) {
        double before = BenchmarkEnvironment.redisCpuMicros(redis);
        var outcome = RedisLoad.run(redis.port(), calls, seconds);
        double decisions = (double) outcome.replies() * DECISIONS_PER_CALL;
        var measured = new Outcome((BenchmarkEnvironment.redisCpuMicros(redis) - before) / decisions,
                outcome.admitted() / decisions);
        if (measured.admitted() < minAdmitted || measured.admitted() > maxAdmitted) {
            throw new IllegalStateException("admitted " + outcome.admitted() + " of " + decisions);
        }
        return measured;
    }

    /** Returns as many calls as there are identities, so that each identity occurs in every position. */
    private static List<byte[]> calls(SingleDecision decision, String name, int identities) {
        return IntStream.range(0, identities)
                .mapToObj(call -> RedisLoad.encodeCommand(decision.command(IntStream.range(0, DECISIONS_PER_CALL)
                        .mapToObj(i -> name + (call * DECISIONS_PER_CALL + i) % identities).toList(), 1)))
                .toList();
    }
}
