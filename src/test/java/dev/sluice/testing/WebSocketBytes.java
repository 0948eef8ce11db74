package dev.sluice.testing;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/** Handshakes and frames of WebSockets (RFC 6455). */
public final class WebSocketBytes {

    public static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";
    /** Close frame of a server, with status 1000. */
    public static final byte[] CLOSE = {(byte) 0x88, 2, 3, (byte) 0xe8};

    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int BINARY = 0x82;
    private static final int MASKED = 0x80;
    private static final int LENGTH_OF_64_BITS = 127;

    private WebSocketBytes() {
    }

    public static String handshake(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: sluice.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + "\r\n\r\n";
    }

    /** Returns the response that accepts a handshake. */
    public static String accept(RawExchange handshake) {
        return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
                + accepted(handshake.fields("sec-websocket-key").get(0)) + "\r\n\r\n";
    }

    public static String accepted(String key) {
        try {
            return Base64.getEncoder().encodeToString(
                    MessageDigest.getInstance("SHA-1").digest((key + GUID).getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @param masked for frames of a client; the mask is 0 */
    public static byte[] binary(byte[] payload, boolean masked) {
        var frame = ByteBuffer.allocate(10 + (masked ? 4 : 0) + payload.length).put((byte) BINARY)
                .put((byte) (LENGTH_OF_64_BITS | (masked ? MASKED : 0))).putLong(payload.length);
        if (masked) {
            frame.putInt(0);
        }
        return frame.put(payload).array();
    }

    /** Returns a text frame of a client with the mask 0; the text has less than 126 ASCII characters. */
    public static byte[] maskedText(String text) {
        return ByteBuffer.allocate(6 + text.length()).put((byte) 0x81).put((byte) (MASKED | text.length())).putInt(0)
                .put(text.getBytes(StandardCharsets.US_ASCII)).array();
    }

    /** Returns the close frame of a client, with status 1000 and the mask 0. */
    public static byte[] maskedClose() {
        return new byte[]{(byte) 0x88, (byte) (MASKED | 2), 0, 0, 0, 0, 3, (byte) 0xe8};
    }

    /** Reads frames that all have this payload, whatever their number: a proxy may fragment them. Returns the bytes read. */
    public static long readPayloads(InputStream from, int count, byte[] payload) throws IOException {
        var in = new DataInputStream(from);
        long total = 0;
        while (total < (long) count * payload.length) {
            in.readByte();
            int length = in.readUnsignedByte();
            boolean masked = (length & MASKED) != 0;
            long size = switch (length & ~MASKED) {
                case 126 -> in.readUnsignedShort();
                case LENGTH_OF_64_BITS -> in.readLong();
                default -> length & ~MASKED;
            };
            int mask = masked ? in.readInt() : 0;
            var bytes = in.readNBytes((int) size);
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] ^= (byte) (mask >>> (24 - 8 * (i % 4)));
                if (bytes[i] != payload[(int) ((total + i) % payload.length)]) {
                    throw new IOException("wrong byte at " + (total + i) + ": " + Arrays.toString(Arrays.copyOf(bytes, 20)));
                }
            }
            total += bytes.length;
        }
        return total;
    }
}
