package dev.sluice.testing.wire;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import dev.sluice.testing.wire.WireResponse.Ending;

/** A stream of an {@link Http2Wire}. */
public final class Http2WireStream {

    static final int TIMEOUT_SECONDS = 30;

    /** Frame, or end of the connection: fields, data or neither. */
    private record Event(List<Map.Entry<String, String>> fields, byte[] data, Consumer<WireResponse> ending) {
    }

    private final Http2Wire connection;
    private final int id;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private long window;
    private volatile boolean ended;

    Http2WireStream(Http2Wire connection, int id, int window) {
        this.connection = connection;
        this.id = id;
        this.window = window;
    }

    public int id() {
        return id;
    }

    long window() {
        return window;
    }

    void useWindow(int size) {
        window -= size;
    }

    void addWindow(int increment) {
        window += increment;
    }

    /** Returns whether the server has ended or reset the stream, or closed the connection. */
    boolean hasEnded() {
        return ended;
    }

    private static Consumer<WireResponse> completion(boolean end) {
        return end ? response -> response.end(Ending.COMPLETE) : null;
    }

    void onHeaders(List<Map.Entry<String, String>> fields, boolean end) {
        ended |= end;
        events.add(new Event(fields, null, completion(end)));
    }

    void onData(byte[] data, boolean end) {
        ended |= end;
        events.add(new Event(null, data, completion(end)));
    }

    void onReset(long code) {
        ended = true;
        events.add(new Event(null, null, response -> response.reset(code)));
    }

    void onClosed(boolean finished) {
        ended = true;
        events.add(new Event(null, null, response -> response.end(Http2Wire.ending(finished))));
    }

    /** @param lastStream streams above it are not processed */
    void onGoAway(int lastStream) {
        if (id > lastStream) {
            onClosed(true);
        }
    }

    private Event next() throws IOException {
        try {
            var event = events.poll(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            if (event == null) {
                throw new SocketTimeoutException("no frame of stream " + id);
            }
            return event;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /** Reads the header section of the final response. */
    public WireResponse readHead() throws IOException {
        while (true) {
            var event = next();
            if (event.fields() == null) {
                var response = new WireResponse(-1, List.of());
                if (event.ending() != null) {
                    event.ending().accept(response);
                }
                return response.ending() == null ? response.end(Ending.CLOSED_EARLY) : response;
            }
            var response = new WireResponse(Integer.parseInt(value(event.fields(), ":status")), event.fields());
            if (response.status() >= 200) {
                if (event.ending() != null) {
                    event.ending().accept(response);
                }
                return response;
            }
        }
    }

    private static String value(List<Map.Entry<String, String>> fields, String name) {
        return fields.stream().filter(field -> field.getKey().equals(name)).map(Map.Entry::getValue).findFirst().orElse("-1");
    }

    /** Reads the next frame; returns false at the end. */
    public boolean readMore(WireResponse response) throws IOException {
        if (response.ending() != null) {
            return false;
        }
        var event = next();
        if (event.fields() != null) {
            response.addTrailers(event.fields());
        } else if (event.data() != null) {
            response.add(event.data());
        }
        if (event.ending() != null) {
            event.ending().accept(response);
        }
        return response.ending() == null;
    }

    public WireResponse readToEnd(WireResponse response) throws IOException {
        while (readMore(response)) {
            // until the end
        }
        return response;
    }

    public void send(byte[] bytes, boolean end) throws IOException {
        connection.writeData(this, bytes, end);
    }

    public void send(String text, boolean end) throws IOException {
        send(text.getBytes(StandardCharsets.ISO_8859_1), end);
    }

    /** Ends the request with a trailer section. */
    public void sendTrailers(String name, String value) throws IOException {
        connection.writeTrailers(this, name, value);
    }

    /** Lets the server send so many more bytes. */
    public void extendWindow(int increment) throws IOException {
        connection.writeWindowUpdate(this, increment);
    }

    public void reset(int code) throws IOException {
        connection.writeReset(this, code);
    }
}
