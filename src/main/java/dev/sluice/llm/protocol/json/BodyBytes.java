package dev.sluice.llm.protocol.json;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

import com.fasterxml.jackson.core.JsonParser;

import dev.sluice.text.Utf8;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import io.vertx.core.buffer.Buffer;

/** Bytes of a body, in one array or several, read in place: a body of 30 MB must not be copied once for each reader. */
@SuppressWarnings("deprecation") // ByteBuf: removed from the API of Buffer in Vert.x 5 only
public record BodyBytes(ByteBuf bytes) {

    /** Maximum length of a character in UTF-8. */
    private static final int MAX_CHARACTER = 4;

    public static BodyBytes of(Buffer body) {
        return new BodyBytes(body.getByteBuf());
    }

    /** Returns a parser; offsets of its tokens are relative to the start of the body. */
    public JsonParser createParser() throws IOException {
        return bytes.hasArray()
                ? BodyJson.FACTORY.createParser(bytes.array(), bytes.arrayOffset() + bytes.readerIndex(), bytes.readableBytes())
                : BodyJson.FACTORY.createParser((InputStream) new ByteBufInputStream(bytes.duplicate()));
    }

    public boolean isUtf8() {
        if (bytes.hasArray()) {
            return Utf8.isValid(bytes.array(), bytes.arrayOffset() + bytes.readerIndex(), bytes.readableBytes());
        }
        var cut = new byte[0]; // start of a character that continues in the next array
        for (var part : bytes.nioBuffers()) {
            while (cut.length > 0 && part.hasRemaining() && isCut(cut, cut.length)) {
                cut = Arrays.copyOf(cut, cut.length + 1);
                cut[cut.length - 1] = part.get();
            }
            if (!isCut(cut, cut.length)) {
                if (!Utf8.isValid(cut)) {
                    return false;
                }
                cut = new byte[0];
            }
            int length = part.remaining() - cutLength(part);
            if (!isUtf8(part.slice(part.position(), length))) {
                return false;
            }
            part.position(part.position() + length);
            if (part.hasRemaining()) {
                cut = new byte[part.remaining()];
                part.get(cut);
            }
        }
        return cut.length == 0;
    }

    private static boolean isUtf8(ByteBuffer part) {
        if (part.hasArray()) {
            return Utf8.isValid(part.array(), part.arrayOffset() + part.position(), part.remaining());
        }
        var copy = new byte[part.remaining()];
        part.get(copy);
        return Utf8.isValid(copy);
    }

    /** Returns the number of bytes at the end of which a character may begin that is not complete. */
    private static int cutLength(ByteBuffer part) {
        int max = Math.min(MAX_CHARACTER - 1, part.remaining());
        var end = new byte[max];
        part.get(part.limit() - max, end);
        for (int length = 1; length <= max; length++) {
            var last = Arrays.copyOfRange(end, max - length, max);
            if ((last[0] & 0xC0) == 0xC0) {
                return isCut(last, length) ? length : 0;
            }
        }
        return 0;
    }

    /** Returns whether bytes that begin like a character are too few for it. */
    private static boolean isCut(byte[] character, int length) {
        return length > 0 && (character[0] & 0xC0) == 0xC0
                && length < (character[0] >= (byte) 0xF0 ? 4 : character[0] >= (byte) 0xE0 ? 3 : 2);
    }

    /** Returns a view of a buffer in which a text replaces the bytes from {@code from} to {@code to}. */
    public static Buffer replace(Buffer body, int from, int to, String text) {
        ByteBuf bytes = body.getByteBuf();
        return Buffer.buffer(Unpooled.wrappedBuffer(bytes.slice(bytes.readerIndex(), from),
                Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.US_ASCII)),
                bytes.slice(bytes.readerIndex() + to, bytes.readableBytes() - to)));
    }
}
