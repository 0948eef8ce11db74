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

/** One call to a stub, and how it is answered. */
final class Call {

    private static final int NEVER = -1;

    final HttpServerRequest request;
    final JsonObject body;
    private final HttpServerResponse response;
    private final Context context = Vertx.currentContext();
    private final Gate gate;
    private final AtomicLong sent;
    private final Runnable done;
    private final ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    private GZIPOutputStream gzip;
    private Iterator<String> events;
    private long cutAfter = NEVER;

    /**
     * @param body null where there is none that can be read
     * @param gate null for none
     * @param sent counts the bytes of all bodies
     * @param done runs when the whole answer is written
     * @param broken runs when the connection is gone before
     */
    Call(HttpServerRequest request, JsonObject body, Gate gate, AtomicLong sent, Runnable done, Runnable broken) {
        this.request = request;
        this.body = body;
        this.response = request.response();
        this.gate = gate;
        this.sent = sent;
        this.done = done;
        response.exceptionHandler(gone -> {
        });
        response.closeHandler(gone -> broken.run());
    }

    /** Compresses what the caller takes compressed. */
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

    /** Closes the connection after so many events and half of the next one; a plain answer is one event. */
    void cutAfter(long whole) {
        cutAfter = whole;
    }

    void header(String name, String value) {
        response.putHeader(name, value);
    }

    void plain(int status, String type, String text) {
        response.setStatusCode(status).putHeader("Content-Type", type);
        events = Events.of(text).iterator(0);
        if (gzip == null) {
            response.putHeader("Content-Length", Long.toString(text.getBytes(StandardCharsets.UTF_8).length));
        } else {
            response.setChunked(true);
        }
        go();
    }

    void json(int status, JsonObject json) {
        plain(status, "application/json", json.encode());
    }

    void stream(String type, Iterator<String> framed) {
        response.putHeader("Content-Type", type).putHeader("Cache-Control", "no-cache").setChunked(true);
        events = framed;
        go();
    }

    void hangUp() {
        request.connection().close();
    }

    /** Writes as much as the gate and the reader let it. */
    private void go() {
        response.drainHandler(null);
        while (!response.closed()) {
            if (!events.hasNext()) {
                end();
                return;
            }
            if (response.writeQueueFull()) {
                response.drainHandler(drained -> go());
                return;
            }
            if (gate != null && !gate.pass(() -> context.runOnContext(ignored -> go()))) {
                return;
            }
            var event = Buffer.buffer(events.next());
            if (cutAfter-- == 0) {
                var half = bytes(event.slice(0, event.length() / 2));
                sent.addAndGet(half.length());
                response.write(half).onComplete(written -> hangUp());
                return;
            }
            var whole = bytes(event);
            sent.addAndGet(whole.length());
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
        response.end().onSuccess(written -> done.run());
    }

    /** As it goes over the wire: compressed so far that the reader can read it now. */
    private Buffer bytes(Buffer text) {
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
