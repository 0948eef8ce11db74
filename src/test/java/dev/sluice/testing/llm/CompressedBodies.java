package dev.sluice.testing.llm;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;

import io.airlift.compress.zstd.ZstdOutputStream;

/** Encodes bodies with each content coding that the LLM gateway decodes. */
public final class CompressedBodies {

    /** A chat request, and the same as compressed by the reference implementations. */
    public static final String CHAT = "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\""
            + "Grüße, the quick brown fox jumps over the lazy dog. ".repeat(40) + "\"}]}";
    public static final byte[] CHAT_BROTLI_11 = base64("H6sIgCwLbLdlCI3DZnUmJpXee0qEhqfaG4Z/85D03/OEYlZdUugNWPXJW119dXRWL"
            + "DoV9ga5OGD+dQEF+TDQ3CPGwE3WCBn3KSajBeYkx7YIEg7TJylFNUPJYCzzil8l46ZyfbSEXhrxob97V3lzUaY=");
    public static final byte[] CHAT_BROTLI_5 = base64("H6sIAMT/tpnqv5fRZCIUS9iLoZsjZVOx4ZQDhwSzMKTU2zK+OB08hs9HWb9kMVhE3"
            + "czg6OTuBQIMlAaPDGgJjpZCgGH/7cgRave7r2EvGRG6o1KLa6VW3DQei9xInI2WPPTPxftQLTqfnIJNLA==");
    public static final byte[] CHAT_ZSTD_19 = base64("KLUv/WSsB3UDANJGGB2QTQepu+luYv6WkL21imD0s68C0E/lbbebJbubQ1qhfYPYyV"
            + "6YISdTvTR6pmatVhaqeh7rIMwkLS91H28d183h8BXiCjXy98l0OjzLns8IeMrRoJSfv7cA1CgeXnLSz7MCADfIyuMnBGUGSbuYMw==");
    public static final byte[] CHAT_ZSTD_1 = base64("KLUv/WCsB5UDANJGGSGgKR1zFQJwkNGs7ZMtshG5d9v/uyUS/itXeMPbmERVDAJQATI"
            + "GVjIIiShM30jcpjkKfOQBnSPVgIsl4TDwiIfpkmgS6cDKz/25XJysX8fKZ6l+CMr7pey+OTkFgNcsK7Mz2fwEAgA3yMrjJwRlBg==");
    /** 64 MiB of the digit 0, compressed by the reference implementation of brotli. */
    public static final byte[] BOMB_BROTLI = base64("z///f/glYOKxQCD3/p/////wSwDEYQGA7v0/////4ZcAiMMiAN37//z//8cvARCHBQC"
            + "69/8=");

    @FunctionalInterface
    private interface Encoder {

        OutputStream encode(OutputStream target) throws IOException;
    }

    private CompressedBodies() {
    }

    private static byte[] base64(String text) {
        return Base64.getDecoder().decode(text);
    }

    public static byte[] chat() {
        return CHAT.getBytes(StandardCharsets.UTF_8);
    }

    /** @param coding a content coding; {@code raw-deflate} for deflate without the header of zlib */
    public static byte[] encode(String coding, byte[] body) {
        return switch (coding) {
            case "gzip", "x-gzip" -> encode(body, GZIPOutputStream::new);
            case "deflate" -> encode(body, DeflaterOutputStream::new);
            case "raw-deflate" -> encode(body, target -> new DeflaterOutputStream(target, new Deflater(9, true)));
            case "zstd" -> encode(body, ZstdOutputStream::new);
            case "br" -> uncompressedBrotli(body);
            default -> throw new IllegalArgumentException(coding);
        };
    }

    private static byte[] encode(byte[] body, Encoder encoder) {
        var encoded = new ByteArrayOutputStream();
        try (var stream = encoder.encode(encoded)) {
            stream.write(body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return encoded.toByteArray();
    }

    /** Encodes uncompressed meta-blocks (RFC 7932, section 9.2) of up to 64 KiB, with a window of 64 KiB. */
    private static byte[] uncompressedBrotli(byte[] body) {
        var encoded = new ByteArrayOutputStream();
        long bits = 0; // WBITS of 16
        int count = 1;
        for (int from = 0; from < body.length; from += 1 << 16) {
            int length = Math.min(1 << 16, body.length - from);
            bits |= (long) (length - 1) << count + 3; // ISLAST 0, MNIBBLES 4, MLEN - 1
            count += 19;
            bits |= 1L << count; // ISUNCOMPRESSED
            count++;
            for (; count > 0; count -= 8, bits >>>= 8) {
                encoded.write((int) bits);
            }
            bits = 0;
            count = 0;
            encoded.write(body, from, length);
        }
        bits |= 3L << count; // ISLAST, ISLASTEMPTY
        encoded.write((int) bits);
        return encoded.toByteArray();
    }
}
