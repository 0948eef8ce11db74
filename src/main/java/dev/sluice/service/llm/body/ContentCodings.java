package dev.sluice.service.llm.body;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import io.airlift.compress.zstd.ZstdInputStream;

/**
 * Content codings of a request body, in the order in which they were applied (RFC 9110, section 8.4).
 *
 * @param codings no coding for a body that is not encoded
 */
record ContentCodings(List<Coding> codings) {

    /** Number of codings that a body may have. Each has a decoder, with its window, of its own. */
    private static final int MAX_CODINGS = 3;
    private static final String ALLOWED = "content-encoding must be gzip, deflate, br or zstd, or up to " + MAX_CODINGS
            + " of them";
    /** Inflates in pieces of this size. */
    private static final int PIECE_BYTES = 16 << 10;

    /** Content coding that can be decoded. The decoder of zstd ignores up to three bytes after the last frame. */
    enum Coding {

        GZIP(64 << 10), DEFLATE(64 << 10), BROTLI(16 << 20), ZSTD(8 << 20);

        /** Upper bound of the memory that a decoder uses; that of zstd is the one that RFC 9659 requires. */
        private final int windowBytes;

        Coding(int windowBytes) {
            this.windowBytes = windowBytes;
        }

        private InputStream decoder(InputStream coded) throws IOException {
            return switch (this) {
                case GZIP -> new GzipDecoder(coded);
                case DEFLATE -> new DeflateDecoder(coded);
                case BROTLI -> new BrotliDecoder(coded);
                case ZSTD -> new ZstdInputStream(coded);
            };
        }
    }

    /**
     * Parses the values of {@code Content-Encoding}.
     *
     * @throws BodyRejectedException if a coding is unknown, or there are too many (415)
     */
    static ContentCodings parse(List<String> headerValues) {
        if (headerValues.isEmpty()) {
            return new ContentCodings(List.of());
        }
        var codings = new ArrayList<Coding>();
        for (var name : String.join(",", headerValues).split(",")) {
            switch (name.strip().toLowerCase(Locale.ROOT)) {
                case "", "identity" -> {
                    // not encoded
                }
                case "gzip", "x-gzip" -> codings.add(Coding.GZIP);
                case "deflate" -> codings.add(Coding.DEFLATE);
                case "br" -> codings.add(Coding.BROTLI);
                case "zstd" -> codings.add(Coding.ZSTD);
                default -> throw new BodyRejectedException(415, ALLOWED);
            }
        }
        if (codings.size() > MAX_CODINGS) {
            throw new BodyRejectedException(415, ALLOWED);
        }
        return new ContentCodings(List.copyOf(codings));
    }

    boolean isEmpty() {
        return codings.isEmpty();
    }

    /**
     * Decodes a body piece by piece, and forgets the encoded one. Blocks for as long as it computes.
     *
     * @param maxBytes limit of the decoded body, and of each stage between two codings
     * @throws BodyRejectedException if the body is broken (400) or too large (413), or there is no memory for it (503)
     */
    BodyAccumulator decode(BodyAccumulator encoded, HeldBytes.Share held, int maxBytes) {
        long windows = codings.stream().mapToLong(coding -> coding.windowBytes).sum();
        held.add(windows);
        var decoded = new BodyAccumulator(held, -1);
        try (var stream = decoder(encoded.toInputStream(), maxBytes)) {
            var piece = new byte[PIECE_BYTES];
            for (int read = stream.read(piece); read >= 0; read = stream.read(piece)) {
                decoded.append(piece, read);
            }
        } catch (BodyRejectedException e) {
            throw e;
        } catch (IOException | RuntimeException e) { // decoders report broken data by unchecked exceptions too
            throw new BodyRejectedException(400, "body does not match its content-encoding", e);
        }
        held.subtract(windows);
        encoded.discard();
        return decoded;
    }

    private InputStream decoder(InputStream encoded, int maxBytes) throws IOException {
        var stream = encoded;
        for (int i = codings.size() - 1; i >= 0; i--) {
            stream = new LimitedInputStream(codings.get(i).decoder(stream), maxBytes);
        }
        return stream;
    }
}
