package dev.sluice.llm.estimate;

import java.nio.charset.StandardCharsets;

import io.netty.buffer.ByteBuf;

/**
 * Estimates the tokens of a text that arrives in parts, of which it keeps only counts. The first {@value #WHOLE} bytes are
 * tokenized; from there on, one kilobyte out of a growing number, and the rest is extrapolated: 17 KB of 64 KB, 45 KB of 32 MB.
 * The time is bounded likewise. Not thread-safe.
 */
public final class TextTokens {

    /** Bytes that are tokenized from the start. */
    static final int WHOLE = 8 << 10;
    /** Bytes of a sample, and of a piece that is tokenized at once. */
    private static final int SAMPLE = 1 << 10;
    /** The distance of two samples, as a part of the text before. */
    private static final int PART = 4;
    /** A piece is cut before a space, if there is one in so many bytes. */
    private static final int MAX_WORD_BYTES = 64;
    /** Length of the longest escape sequence. */
    private static final int MAX_ESCAPE = 6;

    /** Buffers that are used within a call. There may be many estimates in progress, but few threads. */
    private static final class Scratch {

        private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

        private TokenCounter counter = TokenCounter.create();
        private final char[] chars = new char[SAMPLE + MAX_WORD_BYTES];
        private final byte[] bytes = new byte[SAMPLE + MAX_WORD_BYTES];

        static Scratch get() {
            var scratch = OF_THREAD.get();
            if (!scratch.counter.isExact()) {
                scratch.counter = TokenCounter.create();
            }
            return scratch;
        }
    }

    private double tokens;
    /** Bytes of text so far, sampled or not. */
    private long seen;
    private long nextSample;
    /** Bytes since the last sample. */
    private long skipped;
    private long tokenized;
    private int sampleBytes;
    private int sampleTokens;
    /** Sum of all samples, for text after the last one. */
    private long allTokens;

    /**
     * Begins to load the vocabulary in the background. Until it is there, a token is taken for four bytes. Without effect if it
     * has been loaded; otherwise the first text would begin it.
     */
    public static void loadVocabulary() {
        TokenCounter.loadInBackground();
    }

    /** Loads the vocabulary, if it has not been loaded, and waits for it: not on an event loop. */
    public static void awaitVocabulary() {
        TokenCounter.load();
    }

    /**
     * Adds a string of a JSON document.
     *
     * @param document the document in UTF-8
     * @param from index of the string's first byte, after the quote
     * @param to index after its last byte, before the quote
     */
    void add(ByteBuf document, int from, int to) {
        var scratch = Scratch.get();
        var bytes = scratch.bytes;
        for (int at = skip(from, to); at < to; at = skip(at, to)) {
            int length = Math.min(to - at, bytes.length);
            document.getBytes(at, bytes, 0, length);
            int end = length < to - at || length > SAMPLE ? cut(bytes, length, at + length == to) : length;
            addSample(scratch, JsonText.decode(bytes, 0, end, scratch.chars), end);
            at += end;
        }
    }

    /**
     * Adds a text.
     *
     * @param text the text
     */
    public void add(String text) {
        var utf8 = text.getBytes(StandardCharsets.UTF_8);
        var scratch = Scratch.get();
        var bytes = scratch.bytes;
        for (int at = skip(0, utf8.length); at < utf8.length; at = skip(at, utf8.length)) {
            int length = Math.min(utf8.length - at, bytes.length);
            System.arraycopy(utf8, at, bytes, 0, length);
            int end = length < utf8.length - at || length > SAMPLE ? cut(bytes, length, at + length == utf8.length) : length;
            addSample(scratch, JsonText.decodeUtf8(bytes, 0, end, scratch.chars), end);
            at += end;
        }
    }

    /** Adds text that is not known, like that which is. */
    public void addUnknown(long unknownBytes) {
        seen += unknownBytes;
        skipped += unknownBytes;
    }

    /** Skips what is not part of a sample. */
    private int skip(int from, int to) {
        int length = (int) Math.min(to - from, Math.max(0, nextSample - seen));
        seen += length;
        skipped += length;
        return from + length;
    }

    /** Returns where a piece in the buffer ends: before a space, or at least not within a character. */
    private static int cut(byte[] bytes, int length, boolean last) {
        int from = Math.min(SAMPLE, length) - (last ? 0 : MAX_ESCAPE);
        for (int i = from; i < length; i++) {
            if (bytes[i] == ' ') {
                return i;
            }
        }
        if (last) {
            return length;
        }
        int end = from;
        for (int i = Math.max(1, end - MAX_ESCAPE); i < end; i++) {
            if (bytes[i] == '\\') {
                return i;
            }
        }
        while (end > 1 && (bytes[end] & 0xC0) == 0x80) {
            end--;
        }
        return end;
    }

    private void addSample(Scratch scratch, int length, int byteLength) {
        int count = scratch.counter.count(scratch.chars, 0, length);
        seen += byteLength;
        tokenized += byteLength;
        allTokens += count;
        sampleBytes += byteLength;
        sampleTokens += count;
        if (sampleBytes >= SAMPLE - MAX_WORD_BYTES || skipped == 0) {
            endSample();
        }
    }

    private void endSample() {
        tokens += sampleTokens * ((double) (sampleBytes + skipped) / sampleBytes);
        sampleBytes = 0;
        sampleTokens = 0;
        skipped = 0;
        nextSample = seen < WHOLE ? seen : Math.max(seen, seen + seen / PART - SAMPLE);
    }

    /** Returns the number of bytes that have been tokenized. */
    long tokenizedBytes() {
        return tokenized;
    }

    /**
     * Returns the estimate of the text so far.
     *
     * @return 0 without a text
     */
    public long tokens() {
        double rest = sampleTokens;
        if (skipped > 0) {
            rest += tokenized == 0 ? skipped / 4.0 : skipped * ((double) allTokens / tokenized);
        }
        return (long) Math.ceil(tokens + rest - 1e-6);
    }
}
