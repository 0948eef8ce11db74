package dev.sluice.testing.wire;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.Arrays;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;

/** Frames of HTTP/2 on a socket (RFC 9113, section 4), of either side. Any thread may write; one thread reads. */
final class Http2Frames {

    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;
    static final int END_STREAM = 1;
    static final int ACK = 1;
    private static final int END_HEADERS = 4;
    private static final int PADDED = 8;
    private static final int PRIORITY = 32;
    static final int MAX_FRAME = 16384;
    static final int MAX_HEADER_LIST = 1 << 20;

    /** Handles a received frame. */
    @FunctionalInterface
    interface Handler {

        /** @param payload of HEADERS, the complete header block; of HEADERS and DATA, without padding and priority */
        void onFrame(int type, int flags, int stream, byte[] payload) throws IOException, Http2Exception;
    }

    private final Socket socket;
    private final DataInputStream in;
    private final DefaultHttp2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder();
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false, MAX_HEADER_LIST);

    Http2Frames(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    }

    synchronized void write(int type, int flags, int stream, ByteBuf payload) throws IOException {
        var frame = Unpooled.buffer(9 + payload.readableBytes()).writeMedium(payload.readableBytes()).writeByte(type)
                .writeByte(flags).writeInt(stream).writeBytes(payload);
        socket.getOutputStream().write(ByteBufUtil.getBytes(frame));
        socket.getOutputStream().flush();
    }

    synchronized void writeHeaders(int stream, Http2Headers headers, boolean end) throws IOException {
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

    /** Sends the bytes of a client that precede its first frame. */
    void writePreface(byte[] preface) throws IOException {
        socket.getOutputStream().write(preface);
    }

    /** Reads and ignores the bytes of a client that precede its first frame. */
    void readPreface(int length) throws IOException {
        in.readFully(new byte[length]);
    }

    /**
     * Passes frames to the handler until the connection ends; answers PING.
     *
     * @throws IOException at the end of the connection
     */
    void read(Handler handler) throws IOException, Http2Exception {
        while (true) {
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int stream = in.readInt() & Integer.MAX_VALUE;
            var payload = new byte[length];
            in.readFully(payload);
            if (type == PING && (flags & ACK) == 0) {
                write(PING, ACK, 0, Unpooled.wrappedBuffer(payload));
            } else if (type == HEADERS) {
                var block = content(payload, flags);
                handler.onFrame(type, flags, stream, (flags & END_HEADERS) != 0 ? block : readContinuations(block));
            } else {
                handler.onFrame(type, flags, stream, type == DATA ? content(payload, flags & ~PRIORITY) : payload);
            }
        }
    }

    private byte[] readContinuations(byte[] first) throws IOException {
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
        return Arrays.copyOfRange(payload, start + ((flags & PRIORITY) != 0 ? 5 : 0), end);
    }

    /** Decodes a header block; all must be decoded, in their order. */
    Http2Headers decode(int stream, byte[] block) throws Http2Exception {
        return decoder.decodeHeaders(stream, Unpooled.wrappedBuffer(block));
    }

    /** Closes the sending side of the connection (FIN). */
    void finish() throws IOException {
        socket.shutdownOutput();
    }

    void close() throws IOException {
        socket.close();
    }
}
