package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

import org.awaitility.Awaitility;

import dev.sluice.testing.Instance;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;

/** Sends decision requests to instances without waiting for the responses, and records the result of each. */
final class RequestSender implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private record Response(int status, String mode) {
    }

    private final HttpClient client;
    private final List<Instance> instances;
    private final Collection<Sample> samples = new ConcurrentLinkedQueue<>();
    private final AtomicInteger inFlight = new AtomicInteger();

    /** @param connections maximum number of keep-alive connections to each instance */
    RequestSender(Vertx vertx, List<Instance> instances, int connections) {
        this.client = vertx.createHttpClient(new HttpClientOptions().setMaxPoolSize(connections).setMaxWaitQueueSize(-1));
        this.instances = new CopyOnWriteArrayList<>(instances);
    }

    /** Returns the body of a request to {@code /v1/check}. */
    static JsonObject check(String identity, int limit, Duration window) {
        return new JsonObject().put("identifier", identity).put("resource", "r").put("limit", limit).put("window_seconds",
                window.toSeconds());
    }

    /** Adds an instance, whose number is the next one. */
    void add(Instance instance) {
        instances.add(instance);
    }

    int instances() {
        return instances.size();
    }

    void send(int instance, String path, JsonObject body) {
        send(instance, path, body, sample -> {
        });
    }

    /**
     * Sends one request.
     *
     * @param body body whose {@code identifier} is recorded as the identity
     * @param done called on an event loop when the response is complete or the request has failed
     */
    void send(int instance, String path, JsonObject body, Consumer<Sample> done) {
        send(instance, body.getString("identifier"), HttpMethod.POST, path,
                request -> request.putHeader("Content-Type", "application/json").send(body.toBuffer()), done);
    }

    /** Sends a request for forward authentication with an API key, which is recorded as the identity. */
    void sendKey(int instance, String key) {
        send(instance, key, HttpMethod.GET, "/v1/forward-auth", request -> request.putHeader("X-Forwarded-Method", "GET")
                .putHeader("X-Forwarded-Uri", "/things").putHeader("X-API-Key", key).send(), sample -> {
                });
    }

    private void send(int instance, String identity, HttpMethod method, String path,
            Function<HttpClientRequest, Future<HttpClientResponse>> exchange, Consumer<Sample> done) {
        inFlight.incrementAndGet();
        long begin = System.nanoTime();
        send(instances.get(instance).port(), method, path, exchange).onComplete(result -> {
            var sample = result.succeeded()
                    ? new Sample(begin, System.nanoTime(), instance, identity, result.result().status(), result.result().mode())
                    : new Sample(begin, System.nanoTime(), instance, identity, 0, null);
            samples.add(sample);
            done.accept(sample);
            inFlight.decrementAndGet();
        });
    }

    private Future<Response> send(int port, HttpMethod method, String path,
            Function<HttpClientRequest, Future<HttpClientResponse>> exchange) {
        return client.request(method, port, "127.0.0.1", path).compose(exchange)
                .compose(response -> response.body()
                        .map(read -> new Response(response.statusCode(), response.getHeader("X-RateLimit-Mode"))));
    }

    /** Waits until no request is in flight. */
    void await() {
        Awaitility.await("responses to all requests").atMost(TIMEOUT).pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> inFlight.get() == 0);
    }

    Collection<Sample> samples() {
        return List.copyOf(samples);
    }

    /** Returns the samples of one identity. */
    Collection<Sample> samples(String identity) {
        return samples.stream().filter(sample -> sample.identity().equals(identity)).toList();
    }

    @Override
    public void close() {
        client.close();
    }
}
