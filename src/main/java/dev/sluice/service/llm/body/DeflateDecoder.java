package dev.sluice.service.llm.body;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.Inflater;
import java.util.zip.ZipException;

/**
 * Decodes the content coding {@code deflate} (RFC 9110, section 8.4.1.2): zlib data (RFC 1950) as specified, or data without its
 * header (RFC 1951), which some clients send. No compressor writes raw data that begins like a zlib header.
 */
final class DeflateDecoder extends InflatingInputStream {

    private boolean begun;

    DeflateDecoder(InputStream source) {
        super(source);
    }

    @Override
    Inflater beginMember() throws IOException {
        if (begun) {
            return null;
        }
        begun = true;
        int header = peekTwoBytes();
        boolean zlib = header >= 0 && (header >> 8 & 0x0F) == 8 && header >> 12 <= 7 && header % 31 == 0;
        return new Inflater(!zlib);
    }

    @Override
    void onInflated(byte[] bytes, int from, int count) {
        // The inflater verifies the checksum of zlib data; raw data has none.
    }

    @Override
    void endMember() throws IOException {
        if (hasInput()) {
            throw new ZipException("Data after the end");
        }
    }
}
