package dev.sluice.service.llm.body;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Rejects a body as soon as more than a number of bytes have been read from it. */
final class LimitedInputStream extends FilterInputStream {

    private final int maxBytes;
    private long bytes;

    LimitedInputStream(InputStream source, int maxBytes) {
        super(source);
        this.maxBytes = maxBytes;
    }

    static BodyRejectedException tooLarge(int maxBytes) {
        return new BodyRejectedException(413,
                "Request body larger than " + maxBytes + " bytes (rate-limit.llm.max-body-size)");
    }

    @Override
    public int read() throws IOException {
        int next = super.read();
        count(next < 0 ? 0 : 1);
        return next;
    }

    @Override
    public int read(byte[] target, int from, int count) throws IOException {
        int read = super.read(target, from, count);
        count(read);
        return read;
    }

    private void count(int read) {
        bytes += Math.max(0, read);
        if (bytes > maxBytes) {
            throw tooLarge(maxBytes);
        }
    }
}
