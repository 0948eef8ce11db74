package dev.sluice.service.llm.body;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.llm.CompressedBodies;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/** {@link RequestBodyBuffer} in a test server. */
class RequestBodyBufferTest {

    private static final int LARGE = 100_000;

    /** One event loop, so that all requests share it. */
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final Set<Thread> parsers = ConcurrentHashMap.newKeySet();
    private final CountDownLatch parserGate = new CountDownLatch(1);
    private volatile boolean parserHeld;
    private final List<RoutingContext> waiting = new ArrayList<>();
    private volatile WeakReference<Buffer> lastBody;
    private RequestBodyBuffer bodies;

    private int serve(int maxBytes, long maxTotalBytes, long slowMillis) {
        bodies = new RequestBodyBuffer(new BodyWorkers(vertx, 1), maxBytes, maxTotalBytes, slowMillis);
        var router = Router.router(vertx);
        router.route().handler(context -> {
            context.request().pause();
            bodies.read(context, this::parse).onSuccess(body -> {
                assertThat(Context.isOnEventLoopThread()).isTrue();
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

    /** Parses a body like the gateway, on a thread that is recorded. */
    private Buffer parse(Buffer body) {
        parsers.add(Thread.currentThread());
        if (parserHeld && body.length() >= LARGE) {
            try {
                assertThat(parserGate.await(60, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        return body;
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
    void largeBodyIsParsedOffTheEventLoop() throws IOException {
        int port = serve(1 << 20, 1 << 24, 60_000);
        parserHeld = true;
        try (var one = new RawHttpConnection(port);
                var queued = new RawHttpConnection(port);
                var small = new RawHttpConnection(port)) {
            one.send(RawHttpConnection.post("/", "x".repeat(LARGE)));
            await().atMost(60, TimeUnit.SECONDS).until(() -> !parsers.isEmpty());
            queued.send(RawHttpConnection.post("/", "x".repeat(LARGE)));
            await().atMost(60, TimeUnit.SECONDS).until(() -> bodies.heldBytes() >= 2 * LARGE);
            small.send(RawHttpConnection.post("/", "x".repeat(64 << 10)));
            await().atMost(60, TimeUnit.SECONDS).until(() -> waiting() == 1); // the event loop is free
            assertThat(parsers).hasSize(2).anyMatch(thread -> thread.getName().contains("eventloop"))
                    .anyMatch(thread -> thread.getName().startsWith("sluice-llm-body-"));
            parserGate.countDown();
            await().atMost(60, TimeUnit.SECONDS).until(() -> waiting() == 3);
            assertThat(parsers).hasSize(2); // one worker, one event loop
            assertThat(bodies.heldBytes()).isBetween(2L * LARGE + (64 << 10), 2L * LARGE + (66 << 10));
        }
        await().atMost(60, TimeUnit.SECONDS).until(() -> bodies.heldBytes() == 0);
    }

    @Test
    void memoryOfADisconnectedClientIsHeldWhileAWorkerUsesIt() throws IOException {
        int port = serve(1 << 20, 1 << 24, 60_000);
        parserHeld = true;
        try (var client = new RawHttpConnection(port)) {
            client.send(RawHttpConnection.post("/", "x".repeat(LARGE)));
            await().atMost(60, TimeUnit.SECONDS).until(() -> !parsers.isEmpty());
        }
        try (var other = new RawHttpConnection(port)) { // the event loop has seen the end of the first connection
            other.send(RawHttpConnection.post("/", "y"));
            await().atMost(60, TimeUnit.SECONDS).until(() -> waiting() == 1);
            assertThat(bodies.heldBytes()).isGreaterThan(LARGE);
        }
        parserGate.countDown();
        await().atMost(60, TimeUnit.SECONDS).until(() -> bodies.heldBytes() == 0);
    }

    @Test
    void compressedBodyIsDecodedByAWorker() throws IOException {
        int port = serve(LARGE, 1 << 24, 60_000);
        for (var coding : new String[]{"gzip", "deflate", "raw-deflate", "br", "zstd"}) {
            var header = "Content-Encoding: " + coding.replace("raw-", "");
            var encoded = new String(CompressedBodies.encode(coding, CompressedBodies.chat()), StandardCharsets.ISO_8859_1);
            try (var client = new RawHttpConnection(port)) {
                client.send(RawHttpConnection.post("/", encoded, header));
                await().atMost(60, TimeUnit.SECONDS).until(() -> waiting() == 1);
                assertThat(lastBody.get().getBytes()).isEqualTo(CompressedBodies.chat());
                assertThat(waiting.get(0).request().headers().contains("content-encoding")).isFalse();
                assertThat(bodies.heldBytes()).isBetween((long) CompressedBodies.chat().length, 8192L);
                vertx.runOnContext(now -> waiting.remove(0).response().end());
                assertThat(client.readResponse().status()).isEqualTo(200);
                client.send(RawHttpConnection.post("/", encoded.substring(1), header));
                assertThat(client.readResponse().status()).isEqualTo(400);
                client.send(RawHttpConnection.post("/", new String(CompressedBodies.encode(coding, new byte[LARGE + 1]),
                        StandardCharsets.ISO_8859_1), header));
                assertThat(client.readResponse().status()).isEqualTo(413);
            }
            await().atMost(60, TimeUnit.SECONDS).until(() -> bodies.heldBytes() == 0);
        }
        assertThat(parsers).allMatch(thread -> thread.getName().startsWith("sluice-llm-body-"));
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
