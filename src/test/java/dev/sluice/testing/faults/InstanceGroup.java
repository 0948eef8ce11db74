package dev.sluice.testing.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.awaitility.Awaitility;

import dev.sluice.testing.Instance;
import io.vertx.core.Vertx;

/** Three instances of the packaged program, just started and with the default timeout. */
public final class InstanceGroup implements AutoCloseable {

    static final int SIZE = 3;

    private final Vertx vertx = Vertx.vertx();
    private final List<InstanceStartup> startups;
    private final List<Instance> instances;

    /** @param environment returns the environment of an instance, given its number */
    public InstanceGroup(IntFunction<Map<String, String>> environment) {
        startups = IntStream.range(0, SIZE).mapToObj(number -> new InstanceStartup(environment.apply(number))).toList();
        try {
            instances = startups.stream().map(InstanceStartup::await).toList();
        } catch (CompletionException e) {
            close();
            throw e;
        }
    }

    /** Starts three instances with the same environment. */
    public static InstanceGroup with(Map<String, String> environment) {
        return new InstanceGroup(number -> environment);
    }

    /** Starts three instances that share one Redis server. */
    public static InstanceGroup sharing(RedisNode redis) {
        return with(redis.environment(Map.of()));
    }

    /** Suspends an instance with SIGSTOP and resumes it after the duration. */
    public void suspend(int instance, Duration duration) throws InterruptedException {
        instances.get(instance).suspend();
        try {
            TimeUnit.MILLISECONDS.sleep(duration.toMillis());
        } finally {
            instances.get(instance).resume();
        }
    }

    /** Returns the mode that the readiness check reports. */
    String mode(int instance) {
        return InstanceStatus.mode(instances.get(instance));
    }

    /** Returns the numbers of all instances. */
    static List<Integer> numbers() {
        return IntStream.range(0, SIZE).boxed().toList();
    }

    /** Waits until instances report a mode. */
    void awaitMode(Collection<Integer> numbers, String mode, Duration atMost) {
        Awaitility.await(mode + " at " + numbers).atMost(atMost).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(50))
                .untilAsserted(() -> assertThat(numbers).as(() -> recentLogLines(numbers))
                        .allMatch(number -> mode(number).equals(mode)));
    }

    private String recentLogLines(Collection<Integer> numbers) {
        return numbers.stream().map(number -> log(number, Math.max(0, log(number, 0).size() - 8)))
                .map(lines -> String.join("\n", lines)).collect(Collectors.joining("\n\n"));
    }

    /** Returns whether the metrics of an instance report that the store is available. */
    boolean available(int instance) {
        return InstanceStatus.available(instances.get(instance));
    }

    /** Returns the lines of an instance's log, beginning with the given one. */
    List<String> log(int instance, int from) {
        return InstanceStatus.log(instances.get(instance), from);
    }

    public List<Instance> instances() {
        return instances;
    }

    Vertx vertx() {
        return vertx;
    }

    @Override
    public void close() {
        CompletableFuture.allOf(startups.stream().map(instance -> CompletableFuture.runAsync(instance::close))
                .toArray(CompletableFuture[]::new)).join();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
