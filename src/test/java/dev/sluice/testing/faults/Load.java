package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.awaitility.Awaitility;

import dev.sluice.testing.Instance;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;

/** Asks all instances in turn, for several identities, as steadily as the machine lets it, whatever the answers. */
final class Load implements AutoCloseable {

    private static final int PER_SECOND = 300;
    private static final int TICK_MILLIS = 10;
    /** No multiple of three, so that each of them comes to all instances alike. */
    private static final int IDENTITIES = 10;

    private final HttpClient client;
    private final List<Instance> instances;
    private final String run = UUID.randomUUID().toString();
    private final int limit;
    private final Duration window;
    private final ConcurrentLinkedQueue<Sample> samples = new ConcurrentLinkedQueue<>();
    private final AtomicInteger underWay = new AtomicInteger();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private volatile int sent;

    Load(Vertx vertx, List<Instance> instances, int limit, Duration window) {
        this.client = vertx.createHttpClient(new HttpClientOptions().setMaxPoolSize(200).setMaxWaitQueueSize(-1));
        this.instances = instances;
        this.limit = limit;
        this.window = window;
    }

    void start() {
        long began = System.nanoTime();
        clock.scheduleAtFixedRate(() -> {
            long due = (System.nanoTime() - began) / 1_000_000 * PER_SECOND / 1000;
            for (int next = sent; next < due; sent = ++next) {
                ask(next % instances.size(), "identity-" + next % IDENTITIES + '-' + run, limit, window);
            }
        }, 0, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Waits until as much was asked as belongs to that time. */
    void pass(Duration duration) {
        long until = sent + duration.toMillis() * PER_SECOND / 1000;
        Awaitility.await("requests sent").atMost(duration.multipliedBy(2).plusSeconds(20)).until(() -> sent >= until);
    }

    private void ask(int instance, String identity, int limit, Duration window) {
        var body = new JsonObject().put("identifier", identity).put("resource", "r").put("limit", limit)
                .put("window_seconds", window.toSeconds()).toBuffer();
        underWay.incrementAndGet();
        long begin = System.nanoTime();
        send(instance, body).onComplete(done -> {
            samples.add(done.succeeded()
                    ? new Sample(begin, System.nanoTime(), instance, identity, done.result().status(), done.result().mode())
                    : new Sample(begin, System.nanoTime(), instance, identity, 0, null));
            underWay.decrementAndGet();
        });
    }

    private record Answer(int status, String mode) {
    }

    private Future<Answer> send(int instance, Buffer body) {
        return client.request(HttpMethod.POST, instances.get(instance).port(), "127.0.0.1", "/v1/check")
                .compose(request -> request.putHeader("Content-Type", "application/json").send(body))
                .compose(response -> response.body()
                        .map(read -> new Answer(response.statusCode(), response.getHeader("X-RateLimit-Mode"))));
    }

    /** Asks for an identity that nobody knows yet; at once, and all instances alike. */
    Collection<Sample> burst(int requests, int limit) {
        var identity = "fresh-" + UUID.randomUUID();
        for (int i = 0; i < requests; i++) {
            ask(i % instances.size(), identity, limit, Duration.ofHours(1));
        }
        awaitAnswers();
        return samples.stream().filter(sample -> sample.identity().equals(identity)).toList();
    }

    /** Sends no more, and waits for what is under way. */
    Collection<Sample> stop() {
        clock.shutdown();
        awaitAnswers();
        return List.copyOf(samples);
    }

    private void awaitAnswers() {
        Awaitility.await("answers to all requests").atMost(Duration.ofSeconds(20)).until(() -> underWay.get() == 0);
    }

    @Override
    public void close() {
        clock.shutdownNow();
        client.close();
    }
}
