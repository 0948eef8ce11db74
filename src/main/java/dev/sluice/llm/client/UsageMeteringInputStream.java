package dev.sluice.llm.client;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.Consumer;

import dev.sluice.llm.protocol.UsageExtractor;
import io.vertx.core.buffer.Buffer;

/**
 * Response stream that extracts the usage while its caller reads it. Reports at the end of the stream, on an error and on
 * close.
 */
final class UsageMeteringInputStream extends FilterInputStream {

    private final UsageExtractor extractor;
    private final Consumer<UsageExtractor> onEnd;

    /** @param onEnd must tolerate being called repeatedly */
    UsageMeteringInputStream(InputStream in, UsageExtractor extractor, Consumer<UsageExtractor> onEnd) {
        super(in);
        this.extractor = extractor;
        this.onEnd = onEnd;
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        int read = read(one, 0, 1);
        return read < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int read;
        try {
            read = super.read(bytes, offset, length);
            if (read > 0) {
                extractor.feed(Buffer.buffer(read).appendBytes(bytes, offset, read));
            }
        } catch (IOException | RuntimeException | Error e) {
            end();
            throw e;
        }
        if (read < 0) {
            end();
        }
        return read;
    }

    @Override
    public long skip(long count) throws IOException {
        return count <= 0 ? 0 : Math.max(0, read(new byte[(int) Math.min(count, 8192)]));
    }

    @Override
    public boolean markSupported() {
        return false;
    }

    @Override
    public void close() throws IOException {
        try {
            end();
        } finally {
            super.close();
        }
    }

    private void end() {
        onEnd.accept(extractor);
    }
}
