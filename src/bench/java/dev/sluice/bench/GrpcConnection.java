package dev.sluice.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * Connection of HTTP/2 in plain text with calls of Envoy's rate limit service. A request is the message; a response is parsed as
 * far as its first field, the code.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9113">RFC 9113: HTTP/2</a>
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7541">RFC 7541: HPACK</a>
 */
final class GrpcConnection extends LoadConnection {

    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    private static final int FRAME_HEADER = 9;
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RESET = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GO_AWAY = 7;
    private static final int WINDOW_UPDATE = 8;
    private static final int END_STREAM = 1;
    private static final int ACKNOWLEDGED = 1;
    private static final int END_HEADERS = 4;
    /** Credit for all that a measurement receives. */
    private static final int WINDOW = Integer.MAX_VALUE - 65_535;
    private static final byte[] HEADER_BLOCK = headerBlock();
    /** Tag of {@code overall_code} in the response. */
    private static final int CODE = 0x08;

    private int stream = -1;
    private int status;

    GrpcConnection(SocketChannel channel) throws IOException {
        super(channel);
        write(PREFACE.getBytes(StandardCharsets.US_ASCII), frame(SETTINGS, 0, 0, new byte[0]),
                frame(WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(WINDOW).array()));
    }

    /** Returns the header fields, as literals that no dynamic table contains, so that they are the same in each request. */
    private static byte[] headerBlock() {
        var block = new ByteArrayOutputStream();
        block.write(0x83); // :method POST
        block.write(0x86); // :scheme http
        block.write(0x04); // :path
        literal(block, "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit");
        block.write(0x01); // :authority
        literal(block, "127.0.0.1");
        block.write(0x0F); // content-type is entry 15 + 16 of the static table
        block.write(0x10);
        literal(block, "application/grpc");
        block.write(0x00);
        literal(block, "te");
        literal(block, "trailers");
        return block.toByteArray();
    }

    private static void literal(ByteArrayOutputStream block, String text) {
        block.write(text.length());
        block.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] frame(int type, int flags, int stream, byte[] payload) {
        return ByteBuffer.allocate(FRAME_HEADER + payload.length).put((byte) (payload.length >> 16))
                .putShort((short) payload.length).put((byte) type).put((byte) flags).putInt(stream).put(payload).array();
    }

    @Override
    void send(byte[] request) throws IOException {
        stream += 2;
        status = INCOMPLETE;
        var message = ByteBuffer.allocate(5 + request.length).put((byte) 0).putInt(request.length).put(request).array();
        write(frame(HEADERS, END_HEADERS, stream, HEADER_BLOCK), frame(DATA, END_STREAM, stream, message));
    }

    @Override
    boolean hasMode() {
        return false;
    }

    @Override
    int parse(byte[] bytes, int size) throws IOException {
        int at = 0;
        boolean ended = false;
        while (size - at >= FRAME_HEADER) {
            int length = (bytes[at] & 0xFF) << 16 | (bytes[at + 1] & 0xFF) << 8 | bytes[at + 2] & 0xFF;
            int next = at + FRAME_HEADER + length;
            if (next > size) {
                break;
            }
            ended |= accept(bytes[at + 3], bytes[at + 4], bytes, at + FRAME_HEADER, length);
            at = next;
        }
        discard(at);
        return ended ? status == INCOMPLETE ? 500 : status : INCOMPLETE;
    }

    /** Returns whether the response has ended. */
    private boolean accept(int type, int flags, byte[] bytes, int at, int length) throws IOException {
        switch (type) {
            case DATA -> {
                if (length > 6 && bytes[at + 5] == CODE) {
                    status = bytes[at + 6] == 1 ? 200 : 429;
                }
            }
            case SETTINGS -> {
                if ((flags & ACKNOWLEDGED) == 0) {
                    write(frame(SETTINGS, ACKNOWLEDGED, 0, new byte[0]));
                }
            }
            case PING -> {
                if ((flags & ACKNOWLEDGED) == 0) {
                    var payload = new byte[length];
                    System.arraycopy(bytes, at, payload, 0, length);
                    write(frame(PING, ACKNOWLEDGED, 0, payload));
                }
            }
            case RESET, GO_AWAY -> throw new IOException("the server has sent a frame of type " + type);
            default -> {
                // headers, and credit that is not needed
            }
        }
        return (type == HEADERS || type == DATA) && (flags & END_STREAM) != 0;
    }
}
