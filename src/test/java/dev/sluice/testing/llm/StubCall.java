package dev.sluice.testing.llm;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPOutputStream;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;

/** Call to a stub, with its response. */
final class StubCall {

    private static final int NO_CUT = -1;

    final HttpServerRequest request;
    final JsonObject body;
    private final HttpServerResponse response;
    private final Context context = Vertx.currentContext();
    private final ResponseGate gate;
    private final AtomicLong bytesSent;
    private final Runnable onComplete;
    private final ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    private GZIPOutputStream gzip;
    private Iterator<String> events;
    private long cutAfter = NO_CUT;

    /**
     * @param body null if there is none, or it is not a JSON object
     * @param gate null for none
     * @param bytesSent counts the bytes of all bodies
     * @param onComplete runs when the whole response has been written
     * @param onConnectionLost runs when the connection is closed before that
     */
    StubCall(HttpServerRequest request, JsonObject body, ResponseGate gate, AtomicLong bytesSent, Runnable onComplete,
            Runnable onConnectionLost) {
        this.request = request;
        this.body = body;
        this.response = request.response();
        this.gate = gate;
        this.bytesSent = bytesSent;
        this.onComplete = onComplete;
        response.exceptionHandler(gone -> {
        });
        response.closeHandler(gone -> onConnectionLost.run());
    }

    /** Compresses the response if the caller accepts gzip. */
    void gzip() {
        var accepted = request.getHeader("Accept-Encoding");
        if (accepted != null && accepted.toLowerCase(Locale.ROOT).contains("gzip")) {
            response.putHeader("Content-Encoding", "gzip");
            try {
                gzip = new GZIPOutputStream(compressed, true);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Closes the connection after a number of events and half of the next one; a plain response is one event. */
    void cutAfter(long events) {
        cutAfter = events;
    }

    void header(String name, String value) {
        response.putHeader(name, value);
    }

    void respond(int status, String type, String text) {
        response.setStatusCode(status).putHeader("Content-Type", type);
        events = StubEvents.of(text).iterator(0);
        if (gzip == null) {
            response.putHeader("Content-Length", Long.toString(text.getBytes(StandardCharsets.UTF_8).length));
        } else {
            response.setChunked(true);
        }
        writeMore();
    }

    void respondJson(int status, JsonObject json) {
        respond(status, "application/json", json.encode());
    }

    void stream(String type, Iterator<String> framed) {
        response.putHeader("Content-Type", type).putHeader("Cache-Control", "no-cache").setChunked(true);
        events = framed;
        writeMore();
    }

    void closeConnection() {
        request.connection().close();
    }

    /** Writes as much as the gate and the connection allow. */
    private void writeMore() {
        response.drainHandler(null);
        while (!response.closed()) {
            if (!events.hasNext()) {
                end();
                return;
            }
            if (response.writeQueueFull()) {
                response.drainHandler(drained -> writeMore());
                return;
            }
            if (gate != null && !gate.tryPass(() -> context.runOnContext(ignored -> writeMore()))) {
                return;
            }
            var event = Buffer.buffer(events.next());
            if (cutAfter-- == 0) {
                var half = encode(event.slice(0, event.length() / 2));
                bytesSent.addAndGet(half.length());
                response.write(half).onComplete(written -> closeConnection());
                return;
            }
            var whole = encode(event);
            bytesSent.addAndGet(whole.length());
            response.write(whole);
        }
    }

    private void end() {
        try {
            if (gzip != null) {
                gzip.finish();
                response.write(Buffer.buffer(compressed.toByteArray()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        response.end().onSuccess(written -> onComplete.run());
    }

    /** Returns the bytes to send, compressed and flushed, so that the caller can decompress them at once. */
    private Buffer encode(Buffer text) {
        if (gzip == null) {
            return text;
        }
        try {
            gzip.write(text.getBytes());
            gzip.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        var bytes = Buffer.buffer(compressed.toByteArray());
        compressed.reset();
        return bytes;
    }
}
