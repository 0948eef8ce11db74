package dev.sluice.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;

/** Sends concurrent requests to several instances and counts the responses. */
public final class ConcurrentRequests implements AutoCloseable {

    private static final int CONNECTIONS_PER_INSTANCE = 64;
    private static final long TIMEOUT_SECONDS = 120;

    /**
     * Numbers of responses.
     *
     * @param allowed responses with status 200
     * @param denied responses with status 429
     */
    public record Outcome(int allowed, int denied) {
    }

    private final Vertx vertx = Vertx.vertx();
    private final HttpClient client = vertx.createHttpClient(
            new HttpClientOptions().setMaxPoolSize(CONNECTIONS_PER_INSTANCE).setMaxWaitQueueSize(-1));
    private final List<Instance> instances;

    public ConcurrentRequests(List<Instance> instances) {
        this.instances = instances;
    }

    /**
     * Sends the requests at once, evenly distributed over the instances, and waits for the responses.
     *
     * @param body null for none
     */
    public Outcome send(int count, HttpMethod method, String path, Map<String, String> headers, String body)
            throws InterruptedException {
        var allowed = new AtomicInteger();
        var denied = new AtomicInteger();
        var done = new CountDownLatch(count);
        for (int i = 0; i < count; i++) {
            int port = instances.get(i % instances.size()).port();
            client.request(method, port, "127.0.0.1", path).compose(request -> send(request, headers, body))
                    .compose(response -> response.body().map(read -> response.statusCode())).onComplete(status -> {
                        if (status.succeeded() && status.result() == 200) {
                            allowed.incrementAndGet();
                        } else if (status.succeeded() && status.result() == 429) {
                            denied.incrementAndGet();
                        }
                        done.countDown();
                    });
        }
        assertThat(done.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
        return new Outcome(allowed.get(), denied.get());
    }

    private static Future<HttpClientResponse> send(HttpClientRequest request, Map<String, String> headers, String body) {
        headers.forEach(request::putHeader);
        return body == null ? request.send() : request.send(Buffer.buffer(body));
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
