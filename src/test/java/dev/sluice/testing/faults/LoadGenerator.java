package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

import org.awaitility.Awaitility;

import dev.sluice.testing.Instance;
import io.vertx.core.Vertx;

/** Sends requests to all instances in turn, for several identities or keys, at a steady rate independent of the responses. */
final class LoadGenerator implements AutoCloseable {

    private static final int REQUESTS_PER_SECOND = 300;
    private static final int INTERVAL_MILLIS = 10;
    private static final int CONNECTIONS = 200;
    /** Not a multiple of three, so that each identity is spread over all instances evenly. */
    private static final int IDENTITIES = 10;

    private final RequestSender requests;
    private final String run = UUID.randomUUID().toString();
    private final int perSecond;
    /** Sends the request of a number. */
    private final IntConsumer sender;
    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private volatile int sent;

    LoadGenerator(Vertx vertx, List<Instance> instances, int limit, Duration window) {
        this(vertx, instances, REQUESTS_PER_SECOND, limit, window);
    }

    LoadGenerator(Vertx vertx, List<Instance> instances, int perSecond, int limit, Duration window) {
        this.requests = new RequestSender(vertx, instances, CONNECTIONS);
        this.perSecond = perSecond;
        this.sender = number -> send(number, "identity-" + number % IDENTITIES + '-' + run, limit, window);
    }

    /**
     * Sends requests for forward authentication.
     *
     * @param keys returns the key of a request by its number; requests of which all instances get one have the same
     */
    LoadGenerator(Vertx vertx, List<Instance> instances, IntFunction<String> keys) {
        this.requests = new RequestSender(vertx, instances, CONNECTIONS);
        this.perSecond = REQUESTS_PER_SECOND;
        this.sender = number -> requests.sendKey(number % requests.instances(), keys.apply(number / requests.instances()));
    }

    void start() {
        long startNanos = System.nanoTime();
        scheduler.scheduleAtFixedRate(() -> {
            long due = (System.nanoTime() - startNanos) / 1_000_000 * perSecond / 1000;
            for (int next = sent; next < due; sent = ++next) {
                sender.accept(next);
            }
        }, 0, INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Waits until the requests that are due in that duration have been sent. */
    void awaitSent(Duration duration) {
        long until = sent + duration.toMillis() * perSecond / 1000;
        Awaitility.await("requests sent").atMost(duration.multipliedBy(2).plusSeconds(20)).until(() -> sent >= until);
    }

    private void send(int number, String identity, int limit, Duration window) {
        requests.send(number % requests.instances(), "/v1/check", RequestSender.check(identity, limit, window));
    }

    /** Sends requests for a new identity at once, evenly distributed over the instances. */
    Collection<Sample> burst(int count, int limit) {
        var identity = "fresh-" + UUID.randomUUID();
        for (int i = 0; i < count; i++) {
            send(i, identity, limit, Duration.ofHours(1));
        }
        requests.await();
        return requests.samples(identity);
    }

    /** Stops sending, and waits for requests in flight. */
    Collection<Sample> stop() {
        scheduler.shutdown();
        requests.await();
        return requests.samples();
    }

    @Override
    public void close() {
        scheduler.shutdownNow();
        requests.close();
    }
}
