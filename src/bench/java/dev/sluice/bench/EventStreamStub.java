package dev.sluice.bench;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;

/**
 * Provider on one event loop, in the process of the load generator, that streams chat completions: the first event at once,
 * then one every 50 ms.
 */
final class EventStreamStub implements AutoCloseable {

    static final int EVENTS_PER_SECOND = 20;
    static final int UNLIMITED = Integer.MAX_VALUE;

    private static final String CHUNK = "data: {\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":"
            + "\"chat.completion.chunk\",\"created\":1795000000,\"model\":\"gpt-4o-2024-11-20\",\"service_tier\":\"default\","
            + "\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[%s],\"usage\":%s}\n\n";
    private static final Buffer EVENT = Buffer.buffer(CHUNK.formatted(
            "{\"index\":0,\"delta\":{\"content\":\" water\"},\"logprobs\":null,\"finish_reason\":null}", "null"));
    private static final Buffer USAGE = Buffer.buffer(CHUNK.formatted("",
            "{\"prompt_tokens\":19,\"completion_tokens\":120,\"total_tokens\":139}"));
    private static final Buffer DONE = Buffer.buffer("data: [DONE]\n\n");

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final int port;
    private final Set<Stream> streams = new HashSet<>();
    /** Number of events of a stream. */
    private volatile int events = 1;

    EventStreamStub() {
        port = vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0))
                .requestHandler(request -> request.bodyHandler(body -> stream(request, body))).listen()
                .toCompletionStage().toCompletableFuture().join().actualPort();
    }

    private void stream(HttpServerRequest request, Buffer body) {
        var response = request.response().setChunked(true).putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream");
        boolean usage = body.toString().contains("\"include_usage\":true");
        var stream = new Stream(response, usage, events);
        response.closeHandler(closed -> stream.stop());
        streams.add(stream);
        stream.send();
    }

    int port() {
        return port;
    }

    /** Sets the number of events after which a stream ends; {@link #UNLIMITED} for streams that end with {@link #endStreams}. */
    void setEvents(int events) {
        this.events = events;
    }

    /** Ends all streams. */
    void endStreams() {
        var ended = new CompletableFuture<Void>();
        vertx.runOnContext(loop -> {
            Set.copyOf(streams).forEach(Stream::end);
            ended.complete(null);
        });
        ended.join();
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private final class Stream {

        private final HttpServerResponse response;
        private final boolean usage;
        private final long timer = vertx.setPeriodic(1000 / EVENTS_PER_SECOND, tick -> send());
        private int left;

        Stream(HttpServerResponse response, boolean usage, int events) {
            this.response = response;
            this.usage = usage;
            this.left = events;
        }

        private void send() {
            response.write(EVENT.copy());
            if (--left == 0) {
                end();
            }
        }

        private void end() {
            stop();
            if (usage) {
                response.write(USAGE.copy());
            }
            response.end(DONE.copy());
        }

        private void stop() {
            vertx.cancelTimer(timer);
            streams.remove(this);
        }
    }
}
