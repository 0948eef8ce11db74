package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.assertj.core.api.SoftAssertions;
import org.awaitility.Awaitility;

import dev.sluice.directory.cache.CallerDirectory;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.faults.FaultScenario.Action;
import dev.sluice.testing.faults.KeyChanges.Text;

/**
 * Injects a fault while keys are created and revoked, and all of them are used at three instances, and verifies the guarantees of
 * stored keys before, during and after it.
 */
public final class IdentityScenario {

    /** Value of {@code rate-limit.identities.max-staleness}. */
    private static final Duration MAX_STALENESS = Duration.ofSeconds(10);
    /** Age that the cache of an instance may have when the fault begins: polls are late on a busy machine. */
    private static final Duration MAX_AGE_AT_FAULT = Duration.ofSeconds(4);
    private static final Duration LOAD_BEFORE = Duration.ofSeconds(3);
    private static final Duration LOAD_AFTER = Duration.ofSeconds(3);
    private static final Duration DETECTION_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration RECOVERY_TIMEOUT = Duration.ofSeconds(30);
    private static final int UNCHANGED_KEYS = 20;
    /** Minimum number of keys that are revoked before the fault, and after it. */
    private static final int REVOKED = 4;
    /** Each of so many requests has a key that does not exist. */
    private static final int UNKNOWN_EVERY = 10;
    private static final Set<Integer> AVAILABLE = Set.of(200);
    private static final Set<Integer> UNAVAILABLE = Set.of(200, 503);

    private final String name;
    private final InstanceGroup instances;
    private Set<Integer> affecting = Set.copyOf(InstanceGroup.numbers());
    private Duration duration = Duration.ofSeconds(3);
    private boolean lossy;
    private Action beforeFault = () -> {
    };

    /** Times of the fault, by {@link System#nanoTime()}. */
    private record Times(long begin, long applied, long detected, long repair, long repaired, long recovered) {
    }

    public IdentityScenario(String name, InstanceGroup instances) {
        this.name = name;
        this.instances = instances;
    }

    /** Returns the settings of instances for these scenarios, in addition to others. */
    public static Map<String, String> environment(Map<String, String> others) {
        var environment = new HashMap<>(others);
        environment.putAll(Map.of("RATE_LIMIT_ADMIN_TOKEN", KeyChanges.ADMIN_TOKEN, "RATE_LIMIT_TRUSTED_PROXIES", "127.0.0.1",
                "RATE_LIMIT_DEFAULT", "1000000/minute", "RATE_LIMIT_IDENTITIES_MAX_STALENESS",
                MAX_STALENESS.toSeconds() + "s"));
        return environment;
    }

    /** Sets the instances that lose Redis; all by default. */
    public IdentityScenario affecting(Integer... numbers) {
        affecting = Set.of(numbers);
        return this;
    }

    /** Sets how long the fault lasts after the affected instances have detected it. */
    public IdentityScenario duration(Duration time) {
        duration = time;
        return this;
    }

    /** Sets a duration in which a cut off instance comes to distrust its cache. */
    public IdentityScenario longerThanStaleness() {
        return duration(MAX_STALENESS.plusSeconds(4));
    }

    /**
     * Declares that changes which are answered during the fault may be lost.
     *
     * @param replicated waits until the changes before it are safe
     */
    public IdentityScenario losingChangesAfter(Action replicated) {
        lossy = true;
        beforeFault = replicated;
        return this;
    }

    /** @param repair repairs the fault and returns once Redis is able to serve again */
    public void run(Action fault, Action repair) throws Exception {
        instances.awaitMode(InstanceGroup.numbers(), "redis", DETECTION_TIMEOUT);
        var soft = new SoftAssertions();
        try (var changes = new KeyChanges(instances.instances(), lossy);
                var load = new LoadGenerator(instances.vertx(), instances.instances(), number -> key(number, changes))) {
            var unchanged = IntStream.range(0, UNCHANGED_KEYS).mapToObj(i -> changes.createUnchanged().value)
                    .collect(Collectors.toSet());
            load.start();
            changes.start();
            load.awaitSent(LOAD_BEFORE);
            changes.awaitRevoked(REVOKED);
            long replicated = System.nanoTime(); // what is changed later may be lost
            beforeFault.run();
            long begin = System.nanoTime();
            fault.run();
            long applied = System.nanoTime();
            instances.awaitMode(affecting, "local", DETECTION_TIMEOUT);
            verifyUnknownKey(soft);
            long detected = System.nanoTime();
            load.awaitSent(duration);
            awaitElapsed(detected, duration);
            long repairAt = System.nanoTime();
            repair.run();
            long repaired = System.nanoTime();
            instances.awaitMode(InstanceGroup.numbers(), "redis", RECOVERY_TIMEOUT);
            var times = new Times(begin, applied, detected, repairAt, repaired, System.nanoTime());
            load.awaitSent(LOAD_AFTER);
            changes.awaitRevoked(REVOKED);
            changes.stop();
            var samples = load.stop();
            record(samples, changes.texts(), times);

            soft.assertThat(samples.stream().filter(sample -> sample.status() == 0)).as("requests without a response")
                    .isEmpty();
            verifyUnchangedKeys(soft, samples, unchanged, times);
            verifyUnknownKeys(soft, samples, times);
            verifyChangedKeys(soft, samples, changes.texts(), times);
            changes.verify(soft, lossy ? replicated : Long.MAX_VALUE, lossy ? times.recovered : Long.MAX_VALUE);
        }
        soft.assertAll();
    }

    private static String key(int number, KeyChanges changes) {
        var texts = changes.texts();
        return number % UNKNOWN_EVERY == 0
                ? CallerDirectory.KEY_PREFIX + "unknown-" + UUID.randomUUID()
                : texts.get(number % texts.size()).value;
    }

    private static boolean isUnknown(Sample sample) {
        return sample.identity().startsWith(CallerDirectory.KEY_PREFIX + "unknown-");
    }

    private void verifyUnknownKey(SoftAssertions soft) {
        for (int number : affecting) {
            var response = new HttpTestClient(instances.instances().get(number).port()).get("/v1/forward-auth",
                    "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/things", "X-API-Key",
                    CallerDirectory.KEY_PREFIX + "none");
            soft.assertThat(response.statusCode()).as("status for an unknown key").isEqualTo(503);
            soft.assertThat(response.body()).contains("RATE_5002");
        }
    }

    private boolean isDuringOutage(Sample sample, Times times) {
        return affecting.contains(sample.instance()) && sample.sentNanos() - times.detected > 0
                && sample.receivedNanos() - times.repair < 0;
    }

    private void verifyUnchangedKeys(SoftAssertions soft, Collection<Sample> samples, Set<String> unchanged, Times times) {
        var ofUnchanged = samples.stream().filter(sample -> unchanged.contains(sample.identity())).toList();
        soft.assertThat(ofUnchanged.stream()
                .filter(sample -> !(affecting.contains(sample.instance()) && isStale(sample, times)
                        ? UNAVAILABLE
                        : AVAILABLE).contains(sample.status()))
                .limit(5)).as("requests with known keys that were refused").isEmpty();
        soft.assertThat(ofUnchanged.stream().filter(sample -> isDuringOutage(sample, times) && isTooOld(sample, times)
                && sample.status() != 503).limit(5)).as("admissions by a cache that is too old").isEmpty();
        if (duration.compareTo(MAX_STALENESS) > 0) {
            soft.assertThat(ofUnchanged.stream().filter(sample -> isDuringOutage(sample, times) && isTooOld(sample, times)))
                    .as("requests that found the cache too old; %s", times).isNotEmpty();
        }
    }

    /** The load generator sends in a burst what it could not send in time, so that what it has sent is no measure of time. */
    private static void awaitElapsed(long since, Duration time) {
        Awaitility.await("duration of the fault").atMost(time.plusSeconds(20))
                .until(() -> System.nanoTime() - since >= time.toNanos());
    }

    /** Returns whether the cache of an instance without Redis may be too old to be used. */
    private static boolean isStale(Sample sample, Times times) {
        return sample.receivedNanos() - times.begin > MAX_STALENESS.minus(MAX_AGE_AT_FAULT).toNanos()
                && sample.sentNanos() - times.recovered < 0;
    }

    /** Returns whether the cache of an instance without Redis must be too old to be used. */
    private static boolean isTooOld(Sample sample, Times times) {
        return sample.sentNanos() - times.applied > MAX_STALENESS.toNanos();
    }

    private void verifyUnknownKeys(SoftAssertions soft, Collection<Sample> samples, Times times) {
        var unknown = samples.stream().filter(IdentityScenario::isUnknown).toList();
        soft.assertThat(unknown).as("statuses for unknown keys").allMatch(sample -> Set.of(401, 503).contains(sample.status()));
        soft.assertThat(unknown.stream().filter(sample -> isDuringOutage(sample, times) && sample.status() != 503).limit(5))
                .as("unknown keys that were looked up without Redis").isEmpty();
    }

    private void verifyChangedKeys(SoftAssertions soft, Collection<Sample> samples, List<Text> texts, Times times) {
        var byKey = samples.stream().collect(Collectors.groupingBy(Sample::identity));
        for (var text : texts) {
            var ofKey = byKey.getOrDefault(text.value, List.of());
            soft.assertThat(ofKey.stream().filter(sample -> lagNanos(sample, text) > MAX_STALENESS.toNanos()).limit(5))
                    .as("admissions long after the key was revoked").isEmpty();
            if (!lossy) {
                soft.assertThat(ofKey.stream().filter(sample -> sample.receivedNanos() < text.revocationSentAt
                        && !UNAVAILABLE.contains(sample.status())).limit(5)).as("refusals of a created key").isEmpty();
            }
        }
    }

    /** Returns the time from the answer that a key is revoked to the sending of a request that was admitted; 0 if it was not. */
    private static long lagNanos(Sample sample, Text text) {
        return sample.admitted() && text.isRevoked() ? Math.max(0, sample.sentNanos() - text.revokedAt) : 0;
    }

    private void record(Collection<Sample> samples, List<Text> texts, Times times) {
        var byValue = texts.stream().collect(Collectors.toMap(text -> text.value, text -> text));
        var revoked = samples.stream().filter(sample -> byValue.containsKey(sample.identity())).toList();
        ResultTable.IDENTITY_RESULTS.add(name, samples.size(), texts.size(), texts.stream().filter(Text::isRevoked).count(),
                samples.stream().filter(sample -> sample.status() == 0).count(),
                samples.stream().filter(sample -> sample.status() == 503).count(),
                maxLagMillis(revoked.stream().filter(sample -> !affecting.contains(sample.instance())).toList(), byValue)
                        + " ms",
                maxLagMillis(revoked.stream().filter(sample -> affecting.contains(sample.instance())).toList(), byValue)
                        + " ms",
                affecting.isEmpty() ? "–" : (times.repair - times.begin) / 1_000_000 + " ms",
                affecting.isEmpty() ? "–" : (times.recovered - times.repaired) / 1_000_000 + " ms");
    }

    private static long maxLagMillis(Collection<Sample> samples, Map<String, Text> byValue) {
        return samples.stream().mapToLong(sample -> lagNanos(sample, byValue.get(sample.identity()))).max().orElse(0)
                / 1_000_000;
    }
}
