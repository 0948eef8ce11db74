package dev.sluice.fetch;

import java.util.List;

import io.vertx.core.buffer.Buffer;

/**
 * Document fetched from a URL.
 *
 * @param chunks its content in parts, as they were received
 * @param length number of bytes
 * @param cacheControl field {@code Cache-Control} of the response; null if it is missing
 */
public record FetchedDocument(List<Buffer> chunks, int length, String cacheControl) {

    /**
     * Returns the content. Copies it, so that a large document must not be read on an event loop.
     *
     * @return a new array
     */
    public byte[] toBytes() {
        var content = Buffer.buffer(length);
        chunks.forEach(content::appendBuffer);
        return content.getBytes();
    }
}
