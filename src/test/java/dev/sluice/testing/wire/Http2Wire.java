package dev.sluice.testing.wire;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import dev.sluice.testing.wire.WireResponse.Ending;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;

/**
 * Client connection of HTTP/2 that writes and reads frames itself, so that a test can send what no client library would and sees
 * error codes. Several streams may be open at a time; a thread reads their frames.
 */
public final class Http2Wire implements WireConnection {

    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static final int MAX_WINDOW = Integer.MAX_VALUE;
    private static final int MAX_HEADER_LIST = 1 << 20;
    private static final int MAX_FRAME = 16384;
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;
    private static final int END_STREAM = 1;
    private static final int ACK = 1;
    private static final int END_HEADERS = 4;
    private static final int PADDED = 8;
    private static final int PRIORITY = 32;

    private final Socket socket;
    private final DefaultHttp2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder();
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false, MAX_HEADER_LIST);
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
        this(new Socket(InetAddress.getByName("127.0.0.1"), port, InetAddress.getByName(localAddress), 0), window);
    }

    Http2Wire(Socket socket, int window) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        socket.getOutputStream().write(PREFACE.getBytes(StandardCharsets.US_ASCII));
        var settings = Unpooled.buffer().writeShort(2).writeInt(0).writeShort(4).writeInt(window).writeShort(6)
                .writeInt(MAX_HEADER_LIST);
        write(SETTINGS, 0, 0, settings);
        write(WINDOW_UPDATE, 0, 0, Unpooled.buffer().writeInt(MAX_WINDOW - 65535));
        var reader = new Thread(this::readFrames, "http2 client");
        reader.setDaemon(true);
        reader.start();
    }

    private synchronized void write(int type, int flags, int stream, ByteBuf payload) throws IOException {
        var frame = Unpooled.buffer(9 + payload.readableBytes()).writeMedium(payload.readableBytes()).writeByte(type)
                .writeByte(flags).writeInt(stream).writeBytes(payload);
        socket.getOutputStream().write(ByteBufUtil.getBytes(frame));
        socket.getOutputStream().flush();
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
            writeHeaders(stream.id(), headers, end);
            return stream;
        }
    }

    private void writeHeaders(int stream, DefaultHttp2Headers headers, boolean end) throws IOException {
        var block = Unpooled.buffer();
        try {
            encoder.encodeHeaders(stream, headers, block);
        } catch (Http2Exception e) {
            throw new IOException(e);
        }
        int type = HEADERS;
        int flags = end ? END_STREAM : 0;
        while (block.readableBytes() > MAX_FRAME) {
            write(type, flags, stream, block.readSlice(MAX_FRAME));
            type = CONTINUATION;
            flags = 0;
        }
        write(type, flags | END_HEADERS, stream, block);
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
            write(DATA, end && offset == bytes.length ? END_STREAM : 0, stream.id(),
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
        synchronized (this) {
            writeHeaders(stream.id(), trailers, true);
        }
    }

    void writeReset(Http2WireStream stream, int code) throws IOException {
        write(RST_STREAM, 0, stream.id(), Unpooled.buffer().writeInt(code));
    }

    void writeWindowUpdate(Http2WireStream stream, int increment) throws IOException {
        write(WINDOW_UPDATE, 0, stream.id(), Unpooled.buffer().writeInt(increment));
    }

    private void readFrames() {
        try {
            var in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream()));
            while (true) {
                int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
                int type = in.readUnsignedByte();
                int flags = in.readUnsignedByte();
                int stream = in.readInt() & MAX_WINDOW;
                var payload = new byte[length];
                in.readFully(payload);
                if (type == HEADERS && (flags & END_HEADERS) == 0) {
                    payload = readContinuations(in, content(payload, flags));
                    flags &= ~(PADDED | PRIORITY);
                }
                onFrame(type, flags, stream, payload);
            }
        } catch (IOException | Http2Exception e) {
            streams.values().forEach(stream -> stream.onClosed(e instanceof EOFException));
            notifyWriters();
        }
    }

    private static byte[] readContinuations(DataInputStream in, byte[] first) throws IOException {
        var block = Unpooled.buffer().writeBytes(first);
        while (true) {
            var payload = new byte[in.readUnsignedByte() << 16 | in.readUnsignedShort()];
            in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            in.readInt();
            in.readFully(payload);
            block.writeBytes(payload);
            if ((flags & END_HEADERS) != 0) {
                return ByteBufUtil.getBytes(block);
            }
        }
    }

    private static byte[] content(byte[] payload, int flags) {
        int start = (flags & PADDED) != 0 ? 1 : 0;
        int end = payload.length - (start > 0 ? payload[0] & 0xff : 0);
        return java.util.Arrays.copyOfRange(payload, start + ((flags & PRIORITY) != 0 ? 5 : 0), end);
    }

    private void onFrame(int type, int flags, int id, byte[] payload) throws IOException, Http2Exception {
        var stream = streams.get(id);
        boolean end = (flags & END_STREAM) != 0 && type <= HEADERS;
        switch (type) {
            case HEADERS -> stream.onHeaders(decode(id, content(payload, flags)), end);
            case DATA -> stream.onData(content(payload, flags & ~PRIORITY), end);
            case RST_STREAM -> stream.onReset(Unpooled.wrappedBuffer(payload).readUnsignedInt());
            case SETTINGS -> onSettings(flags, Unpooled.wrappedBuffer(payload));
            case PING -> {
                if ((flags & ACK) == 0) {
                    write(PING, ACK, 0, Unpooled.wrappedBuffer(payload));
                }
            }
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
        for (var field : decoder.decodeHeaders(stream, Unpooled.wrappedBuffer(block))) {
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
        write(SETTINGS, ACK, 0, Unpooled.EMPTY_BUFFER);
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
        socket.close();
    }
}
