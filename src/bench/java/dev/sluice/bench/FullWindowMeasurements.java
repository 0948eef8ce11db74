package dev.sluice.bench;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

import dev.sluice.store.redis.SingleDecision;
import dev.sluice.testing.RedisTestServer;

/**
 * Redis's CPU time per decision on windows that are full or large. A call has {@link #TOGETHER} decisions, about as many as one
 * instance sends at full load: with a single one the fixed cost of a call would hide the differences.
 */
final class FullWindowMeasurements {

    private static final int TOGETHER = 20;
    private static final String UNIT = "µs";

    private record Outcome(double micros, double admitted) {
    }

    private FullWindowMeasurements() {
    }

    static List<BenchmarkResult> fullWindows(BenchmarkEnvironment lab) {
        try (var redis = RedisTestServer.start()) {
            return List.of(denied(redis), sliding(redis));
        }
    }

    /** All units are younger than half of the window, so that none leaves it while this is measured. */
    private static BenchmarkResult denied(RedisTestServer redis) {
        int identities = 100;
        var hour = Duration.ofHours(1);
        var large = SingleDecision.of(10_000, hour);
        var small = SingleDecision.of(10, hour);
        for (var decision : List.of(large, small)) {
            RedisMeasurements.load(redis, decision.onHandSetTime());
            RedisMeasurements.load(redis, decision);
        }
        RedisMeasurements.fill(redis, large.onHandSetTime(), "large", identities, hour.dividedBy(2), 10, 1000);
        RedisMeasurements.fill(redis, small.onHandSetTime(), "small", identities, hour.dividedBy(2), 10, 1);
        var largeCalls = calls(large, "large", identities);
        var smallCalls = calls(small, "small", identities);
        var pairs = PairedMeasurement.measure(seconds -> run(redis, largeCalls, seconds, 0, 0),
                seconds -> run(redis, smallCalls, seconds, 0, 0));
        return ratio(pairs, "full", "a denied decision on a full log of 10,000 units against one of 10, in Redis").atMost(1.3);
    }

    /**
     * Each call frees ten units on either side, so that half of its decisions are admitted: a clock of the row's own advances by
     * 500 µs per call. With the server's clock the slower side would admit a larger share, and would be the slower for it.
     */
    private static BenchmarkResult sliding(RedisTestServer redis) {
        var large = SingleDecision.of(10_000, Duration.ofSeconds(10));
        var small = SingleDecision.of(10, Duration.ofSeconds(1));
        var filling = large.onAdvancingTime(1000);
        RedisMeasurements.load(redis, filling);
        for (var call : List.of(large, small)) {
            RedisMeasurements.load(redis, call.onAdvancingTime(500));
        }
        var fillingCalls = calls(filling, "large sliding", 20);
        for (int i = 0; i < 500; i++) {
            RedisLoad.once(redis.port(), fillingCalls);
        }
        var largeCalls = calls(large.onAdvancingTime(500), "large sliding", 20);
        var smallCalls = calls(small.onAdvancingTime(500), "small sliding", 2000);
        var pairs = PairedMeasurement.measure(seconds -> run(redis, largeCalls, seconds, 0.4, 0.6),
                seconds -> run(redis, smallCalls, seconds, 0.4, 0.6));
        return ratio(pairs, "full", "the same while units leave and others are admitted").atMost(1.3)
                .noting(String.format(Locale.ROOT, "10000/10 s and 10/s; %.0f and %.0f %% admitted",
                        100 * median(pairs.a(), Outcome::admitted), 100 * median(pairs.b(), Outcome::admitted)));
    }

    static List<BenchmarkResult> ring(BenchmarkEnvironment lab) {
        try (var redis = RedisTestServer.start()) {
            var hour = Duration.ofHours(1);
            var ring = SingleDecision.of(1_000_000, hour);
            var log = SingleDecision.of(1000, Duration.ofSeconds(1));
            RedisMeasurements.load(redis, ring.onHandSetTime());
            RedisMeasurements.load(redis, ring);
            RedisMeasurements.load(redis, log);
            RedisMeasurements.fill(redis, ring.onHandSetTime(), "ring", BenchmarkEnvironment.IDENTITIES, hour, 60, 10_000);
            var ringCalls = calls(ring, "ring", BenchmarkEnvironment.IDENTITIES);
            var logCalls = calls(log, "log", BenchmarkEnvironment.IDENTITIES);
            var pairs = PairedMeasurement.measure(seconds -> run(redis, ringCalls, seconds, 0.99, 1),
                    seconds -> run(redis, logCalls, seconds, 0.99, 1));
            return List.of(ratio(pairs, "ring", "a decision on a ring against one on a log, in Redis").atMost(1.3)
                    .noting("1000000/hour with all sub-windows in use, 1000/second; all admitted"));
        }
    }

    private static BenchmarkResult ratio(PairedMeasurement<Outcome> pairs, String row, String what) {
        return pairs.ratio(row, what, Outcome::micros).in("", UNIT).noting(TOGETHER + " decisions per call");
    }

    private static double median(List<Outcome> outcomes, ToDoubleFunction<Outcome> reading) {
        return BenchmarkResult.median(outcomes.stream().map(reading::applyAsDouble).toList());
    }

    private static Outcome run(RedisTestServer redis, List<byte[]> calls, double seconds, double least, double most) {
        double before = BenchmarkEnvironment.redisCpuMicros(redis);
        var outcome = RedisLoad.run(redis.port(), calls, seconds);
        double decisions = (double) outcome.answers() * TOGETHER;
        var measured = new Outcome((BenchmarkEnvironment.redisCpuMicros(redis) - before) / decisions,
                outcome.admitted() / decisions);
        if (measured.admitted() < least || measured.admitted() > most) {
            throw new IllegalStateException("admitted " + outcome.admitted() + " of " + decisions);
        }
        return measured;
    }

    /** As many calls as there are identities, so that each identity has its turn in every position. */
    private static List<byte[]> calls(SingleDecision decision, String name, int identities) {
        return IntStream.range(0, identities)
                .mapToObj(call -> RedisLoad.request(decision.command(IntStream.range(0, TOGETHER)
                        .mapToObj(i -> name + (call * TOGETHER + i) % identities).toList(), 1)))
                .toList();
    }
}
