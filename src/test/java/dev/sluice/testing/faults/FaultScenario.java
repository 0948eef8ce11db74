package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import org.assertj.core.api.SoftAssertions;

/**
 * Injects a fault while three instances receive more requests than their limits allow, and verifies the guarantees before,
 * during and after it.
 */
public final class FaultScenario {

    /** Maximum number admitted by three instances in a window affected by an outage, with evenly distributed requests. */
    public static final double BALANCED_LOAD_BOUND = 1.34;
    /** Without an outage: exactly the limit. */
    public static final double EXACT_BOUND = 1;
    /** Unbounded: Redis has lost its data unnoticed. */
    public static final double DATA_LOSS_BOUND = 2;

    static final int LIMIT = 30;
    static final Duration WINDOW = Duration.ofSeconds(4);
    private static final Duration LOAD_BEFORE = Duration.ofSeconds(2);
    private static final Duration LOAD_DURING = Duration.ofSeconds(2);
    private static final Duration LOAD_AFTER = WINDOW.plusSeconds(1);
    private static final int FRESH_LIMIT = 20;

    /** Slowest response as a multiple of the default timeout of 100 ms, in wall-clock time. */
    private static final long MAX_LATENCY_MILLIS = 5 * 100;
    /** Maximum time until an instance uses Redis again, once Redis can serve. */
    private static final long MAX_RECOVERY_MILLIS = 2000;
    /** Tolerance for scheduling delays on a busy machine with few cores. */
    private static final long SCHEDULING_TOLERANCE_MILLIS = 2500;
    private static final Duration DETECTION_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration RECOVERY_TIMEOUT = Duration.ofSeconds(30);

    /** Fault that a test injects into Redis or the network. */
    @FunctionalInterface
    public interface Action {
        void run() throws Exception;
    }

    private final String name;
    private final InstanceGroup instances;
    private Set<Integer> affecting = Set.of(0, 1, 2);
    private boolean deterministic = true;
    private int maxOutages = Integer.MAX_VALUE;
    private double bound = BALANCED_LOAD_BOUND;
    private String expectingMode = "local";
    private Duration loadDuring = LOAD_DURING;

    public FaultScenario(String name, InstanceGroup instances) {
        this.name = name;
        this.instances = instances;
    }

    /** Sets the instances that lose Redis; all by default. */
    public FaultScenario affecting(Integer... instances) {
        affecting = Set.of(instances);
        return this;
    }

    /** Declares that the fault may cause an outage, depending on the speed of the machine. */
    public FaultScenario maybeAffecting() {
        affecting = Set.of();
        deterministic = false;
        return this;
    }

    /** Declares that the fault may cause up to this number of outages per instance, depending on the speed of the machine. */
    public FaultScenario maybeAffecting(int maxOutages) {
        this.maxOutages = maxOutages;
        return maybeAffecting();
    }

    /** Sets the share of the limit that an identity may use in a window affected by the fault. */
    public FaultScenario bound(double bound) {
        this.bound = bound;
        return this;
    }

    /** Sets the expected value of X-RateLimit-Mode during the outage; {@code local} by default. */
    public FaultScenario expectingMode(String mode) {
        expectingMode = mode;
        return this;
    }

    /** Sets the duration after all instances have detected the fault. */
    public FaultScenario duration(Duration duration) {
        loadDuring = duration;
        return this;
    }

    /** @param repair repairs the fault and returns once Redis is able to serve again */
    public void run(Action fault, Action repair) throws Exception {
        instances.awaitMode(InstanceGroup.numbers(), "redis", DETECTION_TIMEOUT);
        var logPositions = InstanceGroup.numbers().stream()
                .collect(Collectors.toMap(number -> number, number -> instances.log(number, 0).size()));
        var soft = new SoftAssertions();
        try (var load = new LoadGenerator(instances.vertx(), instances.instances(), LIMIT, WINDOW)) {
            load.start();
            load.awaitSent(LOAD_BEFORE);
            long faultAt = System.nanoTime();
            fault.run();
            instances.awaitMode(affecting, expectingMode, DETECTION_TIMEOUT);
            long detected = System.nanoTime();
            load.awaitSent(loadDuring);
            long repairAt = System.nanoTime();
            var reportedAvailable = InstanceGroup.numbers().stream().filter(instances::available).collect(Collectors.toSet());
            repair.run();
            long repaired = System.nanoTime();
            instances.awaitMode(InstanceGroup.numbers(), "redis", RECOVERY_TIMEOUT);
            long recovered = System.nanoTime();
            load.awaitSent(LOAD_AFTER);
            var samples = load.stop();
            int maxAdmitted = Admissions.max(samples, WINDOW);
            record(samples, maxAdmitted, millis(detected - faultAt), millis(recovered - repaired));

            if (deterministic) {
                soft.assertThat(reportedAvailable).as("rate_limit_store_available during the fault")
                        .isEqualTo(InstanceGroup.numbers().stream().filter(number -> !affecting.contains(number))
                                .collect(Collectors.toSet()));
                verifyLogs(soft, logPositions);
            } else {
                verifyOutageCount(soft, logPositions);
            }
            soft.assertThat(maxAdmitted).as("most admitted in a window").isBetween(LIMIT / 2, (int) (bound * LIMIT));
            soft.assertThat(millis(recovered - repaired)).as("milliseconds until back on Redis")
                    .isLessThanOrEqualTo(MAX_RECOVERY_MILLIS + SCHEDULING_TOLERANCE_MILLIS);
            verifyResponses(soft, samples);
            verifyModes(soft, samples, faultAt, detected, repairAt, recovered);
            var fresh = load.burst(InstanceGroup.SIZE * FRESH_LIMIT, FRESH_LIMIT);
            soft.assertThat(fresh.stream().filter(Sample::admitted).count()).as("admitted of a fresh limit of %d", FRESH_LIMIT)
                    .isEqualTo(FRESH_LIMIT);
            soft.assertThat(fresh).as("responses after recovery").allMatch(sample -> sample.mode() == null);
        }
        soft.assertAll();
    }

    private void verifyResponses(SoftAssertions soft, Collection<Sample> samples) {
        soft.assertThat(samples.stream().filter(sample -> sample.status() == 0)).as("requests without a response").isEmpty();
        if (!"closed".equals(expectingMode)) {
            soft.assertThat(samples.stream().filter(sample -> sample.status() >= 500).limit(3)).as("5xx").isEmpty();
        }
        soft.assertThat(maxLatencyMillis(samples)).as("slowest response, ms")
                .isLessThanOrEqualTo(MAX_LATENCY_MILLIS + SCHEDULING_TOLERANCE_MILLIS);
    }

    /** Verifies that all responses during the outage, and only these, name the fallback. */
    private void verifyModes(SoftAssertions soft, Collection<Sample> samples, long faultAt, long detected, long repairAt,
            long recovered) {
        soft.assertThat(
                samples.stream().filter(sample -> sample.receivedNanos() - faultAt < 0 && sample.mode() != null).count())
                .as("responses by a fallback before the fault").isZero();
        soft.assertThat(samples.stream().filter(sample -> sample.sentNanos() - recovered > 0 && sample.mode() != null).count())
                .as("responses by a fallback after recovery").isZero();
        soft.assertThat(samples.stream()
                .filter(sample -> affecting.contains(sample.instance()) && sample.sentNanos() - detected > 0
                        && sample.receivedNanos() - repairAt < 0 && sample.status() < 500
                        && !expectingMode.equals(sample.mode()))
                .count())
                .as("responses during the outage that do not name the fallback").isZero();
        if (deterministic) {
            soft.assertThat(samples.stream().filter(sample -> !affecting.contains(sample.instance()) && sample.mode() != null)
                    .count()).as("responses by a fallback of unaffected instances").isZero();
        }
    }

    /** Verifies that an outage is logged by one line at its start and one at its end, whatever the number of requests. */
    private void verifyLogs(SoftAssertions soft, Map<Integer, Integer> logPositions) {
        for (int number : InstanceGroup.numbers()) {
            var lines = instances.log(number, logPositions.get(number));
            int expected = affecting.contains(number) ? 1 : 0;
            soft.assertThat(lines.stream().filter(InstanceStatus::isOutage))
                    .as("outages logged by instance %d", number).hasSize(expected);
            soft.assertThat(lines.stream().filter(InstanceStatus::isRecovery))
                    .as("recoveries logged by instance %d", number).hasSize(expected);
            soft.assertThat(lines.stream()
                    .filter(line -> !InstanceStatus.isOutage(line) && !InstanceStatus.isRecovery(line)
                            && !InstanceStatus.isStall(line))
                    .limit(5))
                    .as("other lines of instance %d", number).isEmpty();
        }
    }

    private void verifyOutageCount(SoftAssertions soft, Map<Integer, Integer> logPositions) {
        for (int number : InstanceGroup.numbers()) {
            soft.assertThat(instances.log(number, logPositions.get(number)).stream().filter(InstanceStatus::isOutage).count())
                    .as("outages logged by instance %d", number).isLessThanOrEqualTo(maxOutages);
        }
    }

    private void record(Collection<Sample> samples, int maxAdmitted, long detected, long recovered) {
        ResultTable.FAULT_RESULTS.add(name, samples.size(), samples.stream().filter(sample -> sample.mode() != null).count(),
                samples.stream().filter(sample -> sample.status() == 0).count(),
                samples.stream().filter(sample -> sample.status() >= 500).count(), maxLatencyMillis(samples) + " ms",
                maxAdmitted,
                affecting.isEmpty() ? "–" : detected + " ms", affecting.isEmpty() ? "–" : recovered + " ms");
    }

    private static long maxLatencyMillis(Collection<Sample> samples) {
        return samples.stream().mapToLong(Sample::latencyMillis).max().orElse(0);
    }

    private static long millis(long nanos) {
        return nanos / 1_000_000;
    }
}
