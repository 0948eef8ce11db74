package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Collection;
import java.util.List;

import org.assertj.core.api.SoftAssertions;

import dev.sluice.testing.Instance;
import io.vertx.core.Vertx;

/**
 * Sends a steady load, below its limits, to an instance whose Redis is healthy, and verifies that Redis has decided each
 * request, and that the instance has not left Redis since it started.
 */
public final class SteadyLoadScenario {

    private static final int REQUESTS_PER_SECOND = 40;
    private static final int LIMIT = 10_000;
    private static final Duration WINDOW = Duration.ofHours(1);

    private final Collection<Sample> samples;
    private final List<String> alarms;
    private final String modeAfter;

    private SteadyLoadScenario(Collection<Sample> samples, List<String> alarms, String modeAfter) {
        this.samples = samples;
        this.alarms = alarms;
        this.modeAfter = modeAfter;
    }

    /** @param name name of the row in {@code target/steady.md} */
    public static SteadyLoadScenario run(String name, Instance instance, Duration duration) {
        var vertx = Vertx.vertx();
        try (var load = new LoadGenerator(vertx, List.of(instance), REQUESTS_PER_SECOND, LIMIT, WINDOW)) {
            load.start();
            load.awaitSent(duration);
            var samples = load.stop();
            var scenario = new SteadyLoadScenario(samples,
                    InstanceStatus.log(instance, 0).stream().filter(InstanceStatus::needsAttention).toList(),
                    InstanceStatus.mode(instance));
            scenario.record(name);
            return scenario;
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    private void record(String name) {
        ResultTable.STEADY_LOAD_RESULTS.add(name, samples.size(), notDecidedByRedis(),
                samples.stream().filter(sample -> sample.status() == 0).count(),
                alarms.stream().filter(InstanceStatus::isOutage).count(), Math.round(medianMillis()) + " ms",
                samples.stream().mapToLong(Sample::latencyMillis).max().orElse(0) + " ms");
    }

    private long notDecidedByRedis() {
        return samples.stream().filter(sample -> sample.mode() != null).count();
    }

    public void verify() {
        var soft = new SoftAssertions();
        soft.assertThat(samples.stream().filter(sample -> !sample.admitted()).limit(3)).as("requests not admitted").isEmpty();
        soft.assertThat(notDecidedByRedis()).as("responses not decided by Redis").isZero();
        soft.assertThat(alarms).as("mode changes and warnings in the log").isEmpty();
        soft.assertThat(modeAfter).isEqualTo("redis");
        soft.assertAll();
    }

    public double medianMillis() {
        return median(samples.stream().map(sample -> (sample.receivedNanos() - sample.sentNanos()) / 1e6).toList());
    }

    static double median(Collection<Double> values) {
        return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
    }
}
