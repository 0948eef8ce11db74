package dev.sluice.service.llm.body;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.Inflater;
import java.util.zip.ZipException;

/** Decodes gzip (RFC 1952), including several members in a row. */
final class GzipDecoder extends InflatingInputStream {

    private static final int HEADER_CHECKSUM = 2;
    private static final int EXTRA_FIELD = 4;
    private static final int NAME = 8;
    private static final int COMMENT = 16;
    private static final int RESERVED_FLAGS = 0xE0;

    private final CRC32 checksum = new CRC32();
    private long memberLength;
    private boolean hasMembers;

    GzipDecoder(InputStream source) {
        super(source);
    }

    @Override
    Inflater beginMember() throws IOException {
        if (hasMembers && !hasInput()) {
            return null;
        }
        hasMembers = true;
        if (nextByte() != 0x1F || nextByte() != 0x8B || nextByte() != 8) {
            throw new ZipException("Not gzip");
        }
        int flags = nextByte();
        if ((flags & RESERVED_FLAGS) != 0) {
            throw new ZipException("Unknown flags");
        }
        skip(6); // time, flags of the compressor, operating system
        if ((flags & EXTRA_FIELD) != 0) {
            skip(nextByte() | nextByte() << 8);
        }
        for (int text : new int[]{NAME, COMMENT}) {
            if ((flags & text) != 0) {
                skipText();
            }
        }
        if ((flags & HEADER_CHECKSUM) != 0) {
            skip(2);
        }
        checksum.reset();
        memberLength = 0;
        return new Inflater(true);
    }

    private void skip(int bytes) throws IOException {
        for (int i = 0; i < bytes; i++) {
            nextByte();
        }
    }

    private void skipText() throws IOException {
        while (nextByte() != 0) {
            // skipped
        }
    }

    @Override
    void onInflated(byte[] bytes, int from, int count) {
        checksum.update(bytes, from, count);
        memberLength += count;
    }

    @Override
    void endMember() throws IOException {
        if (nextInt() != checksum.getValue() || nextInt() != (memberLength & 0xFFFFFFFFL)) {
            throw new ZipException("Wrong checksum or length");
        }
    }

    private long nextInt() throws IOException {
        return nextByte() | nextByte() << 8 | nextByte() << 16 | (long) nextByte() << 24;
    }
}
