package dev.sluice.service.llm.body;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

import org.brotli.dec.BrotliInputStream;

/** Decodes brotli (RFC 7932), and rejects data after the end. */
final class BrotliDecoder extends FilterInputStream {

    private final InputStream source;

    BrotliDecoder(InputStream source) throws IOException {
        super(new BrotliInputStream(source));
        this.source = source;
    }

    @Override
    public int read(byte[] target, int from, int count) throws IOException {
        int read = super.read(target, from, count);
        if (read < 0 && source.read() >= 0) {
            throw new IOException("Data after the end");
        }
        return read;
    }
}
