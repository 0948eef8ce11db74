package dev.sluice.llm.protocol;

import java.nio.charset.StandardCharsets;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.vertx.core.buffer.Buffer;

/**
 * Bytes of a body, read in place: a body of 30 MB must not be copied once for each reader.
 *
 * @param array the array that contains the body; must not be changed
 * @param offset start of the body in the array
 * @param length length of the body
 */
@SuppressWarnings("deprecation") // ByteBuf: removed from the API of Buffer in Vert.x 5 only
record BodyBytes(byte[] array, int offset, int length) {

    /** Returns the bytes of a buffer; they are copied only if they are not in one array. */
    static BodyBytes of(Buffer body) {
        var bytes = body.getByteBuf();
        if (bytes.hasArray()) {
            return new BodyBytes(bytes.array(), bytes.arrayOffset() + bytes.readerIndex(), bytes.readableBytes());
        }
        var copy = body.getBytes();
        return new BodyBytes(copy, 0, copy.length);
    }

    /** Returns a view of a buffer in which a text replaces the bytes from {@code from} to {@code to}. */
    static Buffer replace(Buffer body, int from, int to, String text) {
        ByteBuf bytes = body.getByteBuf();
        return Buffer.buffer(Unpooled.wrappedBuffer(bytes.slice(bytes.readerIndex(), from),
                Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.US_ASCII)),
                bytes.slice(bytes.readerIndex() + to, bytes.readableBytes() - to)));
    }
}
