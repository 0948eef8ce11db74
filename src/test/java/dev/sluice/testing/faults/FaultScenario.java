package dev.sluice.testing.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.assertj.core.api.SoftAssertions;
import org.awaitility.Awaitility;

/**
 * A fault injected while a fleet receives more requests than its limits allow, and the guarantees before, during and after it.
 */
public final class FaultScenario {

    /** Maximum number admitted by three instances in a window affected by an outage, with evenly distributed requests. */
    public static final double BALANCED = 1.34;
    /** Without an outage: exactly the limit. */
    public static final double EXACT = 1;
    /** Unbounded: Redis has lost its data unnoticed. */
    public static final double FORGOTTEN = 2;

    static final int LIMIT = 30;
    static final Duration WINDOW = Duration.ofSeconds(4);
    private static final Duration BEFORE = Duration.ofSeconds(2);
    private static final Duration DURING = Duration.ofSeconds(2);
    private static final Duration AFTER = WINDOW.plusSeconds(1);
    private static final int FRESH_LIMIT = 20;

    /** Slowest response as a multiple of the default timeout of 100 ms, in wall-clock time. */
    private static final long SLOWEST_MILLIS = 5 * 100;
    /** Maximum time until an instance uses Redis again, once Redis can serve. */
    private static final long BACK_MILLIS = 2000;
    /** Tolerance for scheduling delays on a busy machine with few cores. */
    private static final long SLACK_MILLIS = 2500;
    private static final Duration NOTICE = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Fault that a test injects into Redis or the network. */
    @FunctionalInterface
    public interface Act {
        void run() throws Exception;
    }

    private final String name;
    private final InstanceGroup fleet;
    private Set<Integer> losing = Set.of(0, 1, 2);
    private boolean sure = true;
    private int losses = Integer.MAX_VALUE;
    private double bound = BALANCED;
    private String instead = "local";
    private Duration during = DURING;

    public FaultScenario(String name, InstanceGroup fleet) {
        this.name = name;
        this.fleet = fleet;
    }

    /** Sets the instances that lose Redis; all by default. */
    public FaultScenario losing(Integer... instances) {
        losing = Set.of(instances);
        return this;
    }

    /** Whether an instance loses Redis by it depends on how fast the machine is. */
    public FaultScenario perhapsLosing() {
        losing = Set.of();
        sure = false;
        return this;
    }

    /** The same, and an instance loses Redis so many times at most. */
    public FaultScenario perhapsLosing(int times) {
        losses = times;
        return perhapsLosing();
    }

    /** Sets the share of the limit that an identity may use in a window affected by the fault. */
    public FaultScenario bound(double bound) {
        this.bound = bound;
        return this;
    }

    /** The fallback in force. */
    public FaultScenario instead(String mode) {
        instead = mode;
        return this;
    }

    /** Sets the duration after all instances have detected the fault. */
    public FaultScenario lasting(Duration duration) {
        during = duration;
        return this;
    }

    /** @param mend returns once Redis is able to serve again */
    public void run(Act fault, Act mend) throws Exception {
        awaitMode(all(), "redis", NOTICE);
        var marks = all().stream().collect(Collectors.toMap(number -> number, number -> fleet.log(number, 0).size()));
        var soft = new SoftAssertions();
        try (var load = new LoadGenerator(fleet.vertx(), fleet.instances(), LIMIT, WINDOW)) {
            load.start();
            load.pass(BEFORE);
            long begin = System.nanoTime();
            fault.run();
            awaitMode(losing, instead, NOTICE);
            long noticed = System.nanoTime();
            load.pass(during);
            long mending = System.nanoTime();
            var saidAvailable = all().stream().filter(fleet::available).collect(Collectors.toSet());
            mend.run();
            long mended = System.nanoTime();
            awaitMode(all(), "redis", PATIENCE);
            long back = System.nanoTime();
            load.pass(AFTER);
            var samples = load.stop();
            int most = Admissions.most(samples, WINDOW);
            tell(samples, most, millis(noticed - begin), millis(back - mended));

            if (sure) {
                soft.assertThat(saidAvailable).as("rate_limit_store_available meanwhile")
                        .isEqualTo(all().stream().filter(number -> !losing.contains(number)).collect(Collectors.toSet()));
                logs(soft, marks);
            } else {
                atMost(soft, marks);
            }
            soft.assertThat(most).as("most admitted in a window").isBetween(LIMIT / 2, (int) (bound * LIMIT));
            soft.assertThat(millis(back - mended)).as("milliseconds until back on Redis")
                    .isLessThanOrEqualTo(BACK_MILLIS + SLACK_MILLIS);
            answers(soft, samples);
            modes(soft, samples, begin, noticed, mending, back);
            var fresh = load.burst(InstanceGroup.SIZE * FRESH_LIMIT, FRESH_LIMIT);
            soft.assertThat(fresh.stream().filter(Sample::admitted).count()).as("admitted of a fresh limit of %d", FRESH_LIMIT)
                    .isEqualTo(FRESH_LIMIT);
            soft.assertThat(fresh).as("answers after it").allMatch(sample -> sample.mode() == null);
        }
        soft.assertAll();
    }

    private void answers(SoftAssertions soft, Collection<Sample> samples) {
        soft.assertThat(samples.stream().filter(sample -> sample.status() == 0)).as("requests without an answer").isEmpty();
        if (!"closed".equals(instead)) {
            soft.assertThat(samples.stream().filter(sample -> sample.status() >= 500).limit(3)).as("5xx").isEmpty();
        }
        soft.assertThat(slowest(samples)).as("slowest answer, ms").isLessThanOrEqualTo(SLOWEST_MILLIS + SLACK_MILLIS);
    }

    /** Before it and after it none speaks of a fallback, and meanwhile all do that have lost Redis. */
    private void modes(SoftAssertions soft, Collection<Sample> samples, long begin, long noticed, long mending, long back) {
        soft.assertThat(samples.stream().filter(sample -> sample.received() - begin < 0 && sample.mode() != null).count())
                .as("answers by a fallback before it").isZero();
        soft.assertThat(samples.stream().filter(sample -> sample.sent() - back > 0 && sample.mode() != null).count())
                .as("answers by a fallback after it").isZero();
        soft.assertThat(samples.stream().filter(sample -> losing.contains(sample.instance()) && sample.sent() - noticed > 0
                && sample.received() - mending < 0 && sample.status() < 500 && !instead.equals(sample.mode())).count())
                .as("answers without a word of the fallback").isZero();
        if (sure) {
            soft.assertThat(samples.stream().filter(sample -> !losing.contains(sample.instance()) && sample.mode() != null)
                    .count()).as("answers by a fallback of instances that have not lost Redis").isZero();
        }
    }

    /** A line for the loss and a line for the return, whatever the number of requests; and nothing else. */
    private void logs(SoftAssertions soft, Map<Integer, Integer> marks) {
        for (int number : all()) {
            var lines = fleet.log(number, marks.get(number));
            int times = losing.contains(number) ? 1 : 0;
            soft.assertThat(lines.stream().filter(InstanceStatus::isLoss))
                    .as("losses told by instance %d", number).hasSize(times);
            soft.assertThat(lines.stream().filter(InstanceStatus::isReturn))
                    .as("returns told by instance %d", number).hasSize(times);
            soft.assertThat(lines.stream()
                    .filter(line -> !InstanceStatus.isLoss(line) && !InstanceStatus.isReturn(line) && !InstanceStatus.isStall(line)).limit(5))
                    .as("other lines of instance %d", number).isEmpty();
        }
    }

    private void atMost(SoftAssertions soft, Map<Integer, Integer> marks) {
        for (int number : all()) {
            soft.assertThat(fleet.log(number, marks.get(number)).stream().filter(InstanceStatus::isLoss).count())
                    .as("losses told by instance %d", number).isLessThanOrEqualTo(losses);
        }
    }

    private void tell(Collection<Sample> samples, int most, long noticed, long back) {
        ResultTable.FAULTS.add(name, samples.size(), samples.stream().filter(sample -> sample.mode() != null).count(),
                samples.stream().filter(sample -> sample.status() == 0).count(),
                samples.stream().filter(sample -> sample.status() >= 500).count(), slowest(samples) + " ms", most,
                losing.isEmpty() ? "–" : noticed + " ms", losing.isEmpty() ? "–" : back + " ms");
    }

    private static long slowest(Collection<Sample> samples) {
        return samples.stream().mapToLong(Sample::latencyMillis).max().orElse(0);
    }

    private void awaitMode(Collection<Integer> instances, String mode, Duration atMost) {
        Awaitility.await(mode + " at " + instances).atMost(atMost).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(50))
                .untilAsserted(() -> assertThat(instances).as(() -> lastWords(instances))
                        .allMatch(number -> fleet.mode(number).equals(mode)));
    }

    private String lastWords(Collection<Integer> instances) {
        return instances.stream().map(number -> fleet.log(number, Math.max(0, fleet.log(number, 0).size() - 8)))
                .map(lines -> String.join("\n", lines)).collect(Collectors.joining("\n\n"));
    }

    private static List<Integer> all() {
        return IntStream.range(0, InstanceGroup.SIZE).boxed().toList();
    }

    private static long millis(long nanos) {
        return nanos / 1_000_000;
    }
}
