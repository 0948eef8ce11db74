package dev.sluice.service.llm.body;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.RawHttpConnection;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/** {@link RequestBodyBuffer} in a test server. */
class RequestBodyBufferTest {

    private final Vertx vertx = Vertx.vertx();
    private final List<RoutingContext> waiting = new ArrayList<>();
    private volatile WeakReference<Buffer> lastBody;
    private RequestBodyBuffer bodies;

    private int serve(int maxBytes, long maxTotalBytes, long slowMillis) {
        bodies = new RequestBodyBuffer(vertx, new BodyWorkers(vertx, 1), maxBytes, maxTotalBytes, slowMillis);
        var router = Router.router(vertx);
        router.route().handler(context -> {
            context.request().pause();
            bodies.read(context, body -> body).onSuccess(body -> {
                lastBody = new WeakReference<>(body);
                synchronized (waiting) {
                    waiting.add(context);
                }
            }).onFailure(failure -> {
                context.request().resume();
                context.response().setStatusCode(((BodyRejectedException) failure).status())
                        .end(failure.getMessage());
            });
        });
        HttpServer server = vertx.createHttpServer().requestHandler(router).listen(0, "127.0.0.1").toCompletionStage()
                .toCompletableFuture().join();
        return server.actualPort();
    }

    private int waiting() {
        synchronized (waiting) {
            return waiting.size();
        }
    }

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void totalSizeIsBounded() throws IOException {
        int port = serve(1000, 1500, 60_000);
        try (var one = new RawHttpConnection(port); var other = new RawHttpConnection(port)) {
            one.send(RawHttpConnection.post("/", "x".repeat(1000)));
            await().atMost(60, TimeUnit.SECONDS).until(() -> waiting() == 1);
            assertThat(bodies.heldBytes()).isEqualTo(1000);
            other.send(RawHttpConnection.post("/", "x".repeat(600)));
            assertThat(other.readResponse().status()).isEqualTo(503);
            assertThat(bodies.heldBytes()).isEqualTo(1000);
            other.send(RawHttpConnection.post("/", "x".repeat(400)));
            await().atMost(60, TimeUnit.SECONDS).until(() -> waiting() == 2);
            assertThat(bodies.heldBytes()).isEqualTo(1400);
            vertx.runOnContext(now -> bodies.release(waiting.get(0)));
            await().atMost(60, TimeUnit.SECONDS).until(() -> bodies.heldBytes() == 400);
            vertx.runOnContext(now -> waiting.forEach(context -> context.response().end()));
            assertThat(one.readResponse().status()).isEqualTo(200);
            await().atMost(60, TimeUnit.SECONDS).until(() -> bodies.heldBytes() == 0);
        }
    }

    @Test
    void singleBodyMayExceedTheTotal() throws IOException {
        int port = serve(5000, 1500, 60_000);
        try (var one = new RawHttpConnection(port)) {
            one.send(RawHttpConnection.post("/", "x".repeat(4000)));
            await().atMost(60, TimeUnit.SECONDS).until(() -> waiting() == 1);
            assertThat(bodies.heldBytes()).isEqualTo(4000);
        }
        await().atMost(60, TimeUnit.SECONDS).until(() -> bodies.heldBytes() == 0); // the client has disconnected
    }

    @Test
    void stalledBodyTimesOut() throws IOException {
        int port = serve(1000, 1500, 50);
        try (var slow = new RawHttpConnection(port)) {
            slow.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
            var response = slow.readResponse();
            assertThat(response.status()).isEqualTo(408);
            assertThat(response.header("connection")).isEqualTo("close");
        }
        await().atMost(60, TimeUnit.SECONDS).until(() -> bodies.heldBytes() == 0);
    }

    @Test
    void releasedBodyIsNotRetained() throws IOException {
        int port = serve(1000, 1000, 60_000);
        try (var client = new RawHttpConnection(port)) {
            client.send(RawHttpConnection.post("/", "x".repeat(1000)));
            await().atMost(60, TimeUnit.SECONDS).until(() -> waiting() == 1);
            var context = waiting.get(0);
            bodies.release(context);
            await().atMost(60, TimeUnit.SECONDS).until(() -> {
                System.gc();
                return lastBody.refersTo(null);
            });
            assertThat(context.response().ended()).isFalse();
        }
    }
}
