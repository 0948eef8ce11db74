package dev.sluice.testing.wire;

import static dev.sluice.testing.wire.Http2Frames.ACK;
import static dev.sluice.testing.wire.Http2Frames.DATA;
import static dev.sluice.testing.wire.Http2Frames.END_STREAM;
import static dev.sluice.testing.wire.Http2Frames.GOAWAY;
import static dev.sluice.testing.wire.Http2Frames.HEADERS;
import static dev.sluice.testing.wire.Http2Frames.MAX_FRAME;
import static dev.sluice.testing.wire.Http2Frames.MAX_HEADER_LIST;
import static dev.sluice.testing.wire.Http2Frames.RST_STREAM;
import static dev.sluice.testing.wire.Http2Frames.SETTINGS;
import static dev.sluice.testing.wire.Http2Frames.WINDOW_UPDATE;

import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import dev.sluice.testing.LoopbackSocket;
import dev.sluice.testing.wire.WireResponse.Ending;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Exception;

/**
 * Client connection of HTTP/2 that writes and reads frames itself, so that a test can send what no client library would and sees
 * error codes. Several streams may be open at a time; a thread reads their frames.
 */
public final class Http2Wire implements WireConnection {

    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static final int MAX_WINDOW = Integer.MAX_VALUE;
    private final Http2Frames frames;
    private final Map<Integer, Http2WireStream> streams = new ConcurrentHashMap<>();
    private int nextStream = 1;
    private int initialWindow = 65535;
    private long connectionWindow = 65535;
    private Http2WireStream current;

    public Http2Wire(int port, String localAddress) throws IOException {
        this(port, localAddress, MAX_WINDOW);
    }

    /** @param window initial flow-control window of the streams that this client receives */
    public Http2Wire(int port, String localAddress, int window) throws IOException {
        this(LoopbackSocket.connect(port, localAddress), window);
    }

    Http2Wire(Socket socket, int window) throws IOException {
        frames = new Http2Frames(socket);
        frames.writePreface(PREFACE.getBytes(StandardCharsets.US_ASCII));
        var settings = Unpooled.buffer().writeShort(2).writeInt(0).writeShort(4).writeInt(window).writeShort(6)
                .writeInt(MAX_HEADER_LIST);
        frames.write(SETTINGS, 0, 0, settings);
        frames.write(WINDOW_UPDATE, 0, 0, Unpooled.buffer().writeInt(MAX_WINDOW - 65535));
        var reader = new Thread(this::readFrames, "http2 client");
        reader.setDaemon(true);
        reader.start();
    }

    /** Opens a stream with the header section of a request. */
    public Http2WireStream open(WireRequest request, boolean end) throws IOException {
        var headers = new DefaultHttp2Headers(false);
        headers.method(request.method).path(request.target).scheme(request.scheme).authority("sluice.test");
        boolean severalHosts = request.fields.stream().filter(field -> field.getKey().equalsIgnoreCase("host")).count() > 1;
        if (severalHosts) {
            headers.remove(":authority");
        }
        request.fields.forEach(field -> {
            if (field.getKey().equalsIgnoreCase("host") && !severalHosts) {
                headers.authority(field.getValue());
            } else {
                headers.add(field.getKey().toLowerCase(Locale.ROOT), field.getValue());
            }
        });
        synchronized (this) {
            var stream = new Http2WireStream(this, nextStream, initialWindow);
            nextStream += 2;
            streams.put(stream.id(), stream);
            frames.writeHeaders(stream.id(), headers, end);
            return stream;
        }
    }

    /**
     * Sends data within the flow-control windows of the server; waits until they are large enough. Stops when the server has ended
     * the stream.
     */
    void writeData(Http2WireStream stream, byte[] bytes, boolean end) throws IOException {
        int offset = 0;
        do {
            int size;
            synchronized (this) {
                size = awaitWindow(stream, bytes.length - offset);
                connectionWindow -= size;
                stream.useWindow(size);
            }
            if (stream.hasEnded()) {
                return;
            }
            offset += size;
            frames.write(DATA, end && offset == bytes.length ? END_STREAM : 0, stream.id(),
                    Unpooled.wrappedBuffer(bytes, offset - size, size));
        } while (offset < bytes.length);
    }

    private int awaitWindow(Http2WireStream stream, int wanted) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Http2WireStream.TIMEOUT_SECONDS);
        while (wanted > 0 && Math.min(connectionWindow, stream.window()) <= 0 && !stream.hasEnded()) {
            try {
                wait(1000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException(e);
            }
            if (System.nanoTime() > deadline) {
                throw new SocketTimeoutException("no window for stream " + stream.id());
            }
        }
        long available = Math.max(0, Math.min(connectionWindow, stream.window()));
        return (int) Math.min(Math.min(wanted, MAX_FRAME), available);
    }

    /** Sends a trailer section, which ends the request. */
    void writeTrailers(Http2WireStream stream, String name, String value) throws IOException {
        var trailers = new DefaultHttp2Headers(false);
        trailers.add(name, value);
        frames.writeHeaders(stream.id(), trailers, true);
    }

    void writeReset(Http2WireStream stream, int code) throws IOException {
        frames.write(RST_STREAM, 0, stream.id(), Unpooled.buffer().writeInt(code));
    }

    void writeWindowUpdate(Http2WireStream stream, int increment) throws IOException {
        frames.write(WINDOW_UPDATE, 0, stream.id(), Unpooled.buffer().writeInt(increment));
    }

    private void readFrames() {
        try {
            frames.read(this::onFrame);
        } catch (IOException | Http2Exception e) {
            streams.values().forEach(stream -> stream.onClosed(e instanceof EOFException));
            notifyWriters();
        }
    }

    private void onFrame(int type, int flags, int id, byte[] payload) throws IOException, Http2Exception {
        var stream = streams.get(id);
        boolean end = (flags & END_STREAM) != 0 && type <= HEADERS;
        switch (type) {
            case HEADERS -> stream.onHeaders(decode(id, payload), end);
            case DATA -> stream.onData(payload, end);
            case RST_STREAM -> stream.onReset(Unpooled.wrappedBuffer(payload).readUnsignedInt());
            case SETTINGS -> onSettings(flags, Unpooled.wrappedBuffer(payload));
            case WINDOW_UPDATE -> onWindowUpdate(stream, Unpooled.wrappedBuffer(payload).readInt());
            case GOAWAY -> streams.values().forEach(open -> open.onGoAway(Unpooled.wrappedBuffer(payload).getInt(0)));
            default -> {
                // PRIORITY and extensions
            }
        }
        if (end || type == RST_STREAM || type == GOAWAY) {
            notifyWriters();
        }
    }

    private List<Map.Entry<String, String>> decode(int stream, byte[] block) throws Http2Exception {
        var fields = new ArrayList<Map.Entry<String, String>>();
        for (var field : frames.decode(stream, block)) {
            fields.add(Map.entry(field.getKey().toString(), field.getValue().toString()));
        }
        return fields;
    }

    private synchronized void onSettings(int flags, ByteBuf settings) throws IOException {
        if ((flags & ACK) != 0) {
            return;
        }
        while (settings.isReadable()) {
            int id = settings.readUnsignedShort();
            int value = settings.readInt();
            if (id == 4) {
                streams.values().forEach(stream -> stream.addWindow(value - initialWindow));
                initialWindow = value;
            }
        }
        frames.write(SETTINGS, ACK, 0, Unpooled.EMPTY_BUFFER);
        notifyAll();
    }

    private synchronized void onWindowUpdate(Http2WireStream stream, int increment) {
        if (stream != null) {
            stream.addWindow(increment);
        } else {
            connectionWindow += increment;
        }
        notifyAll();
    }

    private synchronized void notifyWriters() {
        notifyAll();
    }

    @Override
    public void send(WireRequest request) throws IOException {
        current = open(request, request.body == null);
        if (request.body != null) {
            current.send(request.body, true);
        }
    }

    @Override
    public WireResponse readHead() throws IOException {
        return current.readHead();
    }

    @Override
    public boolean readMore(WireResponse response) throws IOException {
        return response.ending() == null && current.readMore(response);
    }

    @Override
    public void abort() throws IOException {
        current.reset(8); // CANCEL
    }

    /** Returns how a connection that ended is reported by its streams. */
    static Ending ending(boolean finished) {
        return finished ? Ending.CLOSED_EARLY : Ending.RESET;
    }

    @Override
    public void close() throws IOException {
        frames.close();
    }
}
