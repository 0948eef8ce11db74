package dev.sluice.testing.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

import org.assertj.core.api.SoftAssertions;

import dev.sluice.testing.Instance;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;

/**
 * Sends bursts of requests to instances whose Redis is healthy, and verifies that Redis has decided each of them: exactly the
 * limit is admitted, no response names another mode, and no instance leaves Redis, however busy it is.
 */
public final class BurstScenario implements AutoCloseable {

    /** Requests of a round, sent at once and evenly distributed over the instances. */
    public static final int REQUESTS = 1_500;

    private static final int[] LIMITS = {1, 7, 33, 100, 250, 500};
    private static final Duration WINDOW = Duration.ofHours(1);
    /** Enough for all requests of a round, so that none waits for a connection. */
    private static final int CONNECTIONS = REQUESTS / InstanceGroup.SIZE;
    private static final Duration BETWEEN_REQUESTS = Duration.ofMillis(20);
    /** Number of responses after which an instance is considered busy with its part of the round. */
    private static final int RESPONSES_BEFORE_DISTURBANCE = 50;

    /** Action that runs while the requests of a round are in flight. */
    @FunctionalInterface
    public interface Disturbance {

        Disturbance NONE = (number, burst) -> {
        };

        /** @param number of the round, from 0 */
        void run(int number, Burst burst) throws Exception;
    }

    /** The requests of one round, while they are in flight. */
    public static final class Burst {

        private final List<CountDownLatch> started;

        private Burst(int instances) {
            started = Stream.generate(() -> new CountDownLatch(RESPONSES_BEFORE_DISTURBANCE)).limit(instances).toList();
        }

        private void onResponse(Sample sample) {
            started.get(sample.instance()).countDown();
        }

        /** Waits until the instance has responded to some of its requests, so that it is busy with the others. */
        public void awaitStarted(int instance) throws InterruptedException {
            assertThat(started.get(instance).await(60, TimeUnit.SECONDS)).as("instance %d responds", instance).isTrue();
        }
    }

    /** Results of one round. */
    private record Round(int number, int limit, int requests, long admitted, long denied, long notDecidedByRedis,
            long maxLatencyMillis, List<String> modesAfter) {

        boolean exact() {
            return admitted == limit && denied == requests - limit;
        }

        boolean byRedis() {
            return notDecidedByRedis == 0 && modesAfter.stream().allMatch("redis"::equals);
        }
    }

    private final String name;
    private final Vertx vertx = Vertx.vertx();
    private final List<Instance> instances;
    private final RequestSender requests;
    private final List<Round> rounds = new ArrayList<>();

    /** @param name name of the row in {@code target/bursts.md} */
    public BurstScenario(String name, List<Instance> instances) {
        this.name = name;
        this.instances = new ArrayList<>(instances);
        this.requests = new RequestSender(vertx, instances, CONNECTIONS);
    }

    /** Runs rounds, each with an identity of its own and the next limit. */
    public BurstScenario rounds(int count, Disturbance disturbance) throws Exception {
        for (int number = 0; number < count; number++) {
            int limit = LIMITS[number % LIMITS.length];
            var body = check(limit);
            disturbance.run(number, burst("/v1/check", body));
            finishRound(limit, body);
        }
        return this;
    }

    /**
     * Lets another instance join while a limit is being used: sends requests to the running instances until the new one serves,
     * and then a burst to all of them.
     *
     * @param limit limit of the identity in the body; at most half of it is used before the new instance serves
     */
    public BurstScenario join(InstanceStartup other, int limit, String path, JsonObject body) {
        int sent = 0;
        while (!other.isDone(BETWEEN_REQUESTS)) {
            if (sent < limit / 2) {
                requests.send(sent++ % instances.size(), path, body);
            }
        }
        instances.add(other.await());
        requests.add(other.await());
        burst(path, body);
        finishRound(limit, body);
        return this;
    }

    /** Returns the body of a request to {@code /v1/check} with a new identity. */
    public static JsonObject check(int limit) {
        return RequestSender.check("burst-" + UUID.randomUUID(), limit, WINDOW);
    }

    private Burst burst(String path, JsonObject body) {
        var burst = new Burst(instances.size());
        for (int i = 0; i < REQUESTS; i++) {
            requests.send(i % instances.size(), path, body, burst::onResponse);
        }
        return burst;
    }

    private void finishRound(int limit, JsonObject body) {
        requests.await();
        var samples = requests.samples(body.getString("identifier"));
        rounds.add(new Round(rounds.size(), limit, samples.size(), count(samples, sample -> sample.status() == 200),
                count(samples, sample -> sample.status() == 429), count(samples, sample -> sample.mode() != null),
                maxLatencyMillis(samples), instances.stream().map(InstanceStatus::mode).toList()));
    }

    /** Records the figures, and verifies all rounds and the whole logs of all instances. */
    public void verify() {
        var alarms = instances.stream().flatMap(instance -> InstanceStatus.log(instance, 0).stream())
                .filter(InstanceStatus::needsAttention).toList();
        record(alarms);
        var soft = new SoftAssertions();
        soft.assertThat(rounds.stream().filter(round -> !round.exact())).as("rounds that are not exact").isEmpty();
        soft.assertThat(rounds.stream().filter(round -> !round.byRedis())).as("rounds not decided by Redis alone").isEmpty();
        soft.assertThat(alarms).as("mode changes and warnings in the logs").isEmpty();
        soft.assertAll();
    }

    private void record(List<String> alarms) {
        var samples = requests.samples();
        var worst = rounds.stream().filter(round -> !round.exact())
                .max(Comparator.comparingDouble(round -> (double) Math.abs(round.admitted() - round.limit()) / round.limit()))
                .map(round -> round.admitted() + " of " + round.limit()).orElse("–");
        ResultTable.BURST_RESULTS.add(name, rounds.size(), rounds.stream().filter(round -> !round.exact()).count(), worst,
                samples.size(),
                count(samples, sample -> sample.mode() != null), count(samples, sample -> sample.status() == 0),
                count(samples, sample -> sample.status() >= 500), alarms.stream().filter(InstanceStatus::isOutage).count(),
                maxLatencyMillis(samples) + " ms");
    }

    private static long count(Collection<Sample> samples, Predicate<Sample> condition) {
        return samples.stream().filter(condition).count();
    }

    private static long maxLatencyMillis(Collection<Sample> samples) {
        return samples.stream().mapToLong(Sample::latencyMillis).max().orElse(0);
    }

    @Override
    public void close() {
        requests.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
