package dev.sluice.llm.estimate;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jboss.logging.Logger;

/**
 * Counts the tokens of texts in {@code o200k_base}, exactly but for words that are longer than those of a language. The time is
 * proportional to the length, whatever the text is. Used by one thread at a time; the vocabulary is shared.
 * <p>
 * The vocabulary is loaded in the background. Until then, and if it cannot be loaded, a token is taken for four bytes.
 */
final class TokenCounter {

    private static final Logger LOG = Logger.getLogger(TokenCounter.class);
    private static final int WARM_UP_CHARS = 300_000;
    /** UTF-8 of a word. */
    private static final int MAX_BYTES = 3 * WordSplitter.MAX_WORD;

    private static final AtomicBoolean LOADING = new AtomicBoolean();
    private static volatile Vocabulary shared;

    private final Vocabulary vocabulary;
    /** The word in UTF-8. */
    private final byte[] bytes = new byte[MAX_BYTES];
    /** Parts of the word that are merged: hash, length, rank of the merge with the next one. */
    private final long[] hashes = new long[MAX_BYTES];
    private final int[] lengths = new int[MAX_BYTES];
    private final int[] merges = new int[MAX_BYTES];
    /** Comparisons of all merges, which are what takes the time of a text without words. */
    private long comparisons;

    /** @param vocabulary null if it is not there */
    private TokenCounter(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /** Creates a counter, with the vocabulary if it has been loaded. Otherwise begins to load it. */
    static TokenCounter create() {
        if (shared == null) {
            loadInBackground();
        }
        return new TokenCounter(shared);
    }

    /** Begins to load the vocabulary, if that has not begun. */
    static void loadInBackground() {
        if (LOADING.compareAndSet(false, true)) {
            var thread = new Thread(TokenCounter::loadNow, "sluice-llm-vocabulary");
            thread.setDaemon(true);
            thread.setPriority(Thread.MIN_PRIORITY);
            thread.start();
        }
    }

    /** Loads the vocabulary, if it has not been loaded, on this thread. */
    static void load() {
        LOADING.set(true);
        if (shared == null) {
            loadNow();
        }
    }

    private static void loadNow() {
        try {
            var vocabulary = Vocabulary.load();
            warmUp(new TokenCounter(vocabulary));
            shared = vocabulary;
        } catch (IOException | RuntimeException e) {
            LOG.error("The vocabulary cannot be loaded; four bytes are taken for a token", e);
        }
    }

    /** Has the counter compiled before an event loop uses it. */
    private static void warmUp(TokenCounter counter) {
        var words = " The warm-up {\"of\": 12345}, Straße\n\n  если 天気 मौसम xqzj😀".toCharArray();
        for (int i = 0; i < WARM_UP_CHARS; i += words.length) {
            counter.count(words, 0, words.length);
        }
    }

    /** Returns whether tokens are counted, and not only estimated from bytes. */
    boolean isExact() {
        return vocabulary != null;
    }

    /** Returns the number of comparisons so far. */
    long comparisons() {
        return comparisons;
    }

    /** Returns the number of tokens of a text. */
    int count(char[] text, int from, int to) {
        if (vocabulary == null) {
            return (utf8Length(text, from, to) + 3) / 4;
        }
        int tokens = 0;
        for (int start = from; start < to;) {
            int end = WordSplitter.wordEnd(text, start, to);
            tokens += countWord(text, start, end);
            start = end;
        }
        return tokens;
    }

    private static int utf8Length(char[] text, int from, int to) {
        int length = 0;
        for (int i = from; i < to; i++) {
            char c = text[i];
            length += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
        }
        return length;
    }

    private int countWord(char[] text, int from, int to) {
        int size = 0;
        for (int i = from; i < to; i++) {
            char c = text[i];
            if (c < 0x80) {
                bytes[size++] = (byte) c;
            } else if (c < 0x800) {
                bytes[size++] = (byte) (0xC0 | c >> 6);
                bytes[size++] = (byte) (0x80 | c & 0x3F);
            } else if (Character.isHighSurrogate(c) && i + 1 < to && Character.isLowSurrogate(text[i + 1])) {
                int codePoint = Character.toCodePoint(c, text[++i]);
                bytes[size++] = (byte) (0xF0 | codePoint >> 18);
                bytes[size++] = (byte) (0x80 | codePoint >> 12 & 0x3F);
                bytes[size++] = (byte) (0x80 | codePoint >> 6 & 0x3F);
                bytes[size++] = (byte) (0x80 | codePoint & 0x3F);
            } else {
                bytes[size++] = (byte) (0xE0 | c >> 12);
                bytes[size++] = (byte) (0x80 | c >> 6 & 0x3F);
                bytes[size++] = (byte) (0x80 | c & 0x3F);
            }
        }
        return size <= 1 || isToken(size) ? 1 : merge(size);
    }

    /** Most words of a language are tokens, whose parts need not be merged. */
    private boolean isToken(int size) {
        long hash = 0;
        for (int i = 0; i < size; i++) {
            hash = Vocabulary.append(hash, bytes[i]);
        }
        return vocabulary.contains(hash);
    }

    /** Merges the two adjacent parts with the lowest rank, until there are none: byte-pair encoding. Returns the parts left. */
    private int merge(int length) {
        int size = length;
        for (int i = 0; i < size; i++) {
            hashes[i] = Vocabulary.append(0, bytes[i]);
            lengths[i] = 1;
        }
        for (int i = 0; i + 1 < size; i++) {
            merges[i] = mergeRank(i);
        }
        while (size > 1) {
            comparisons += size;
            int lowest = 0;
            for (int i = 1; i + 1 < size; i++) {
                lowest = merges[i] < merges[lowest] ? i : lowest;
            }
            if (merges[lowest] == Vocabulary.NONE) {
                break;
            }
            hashes[lowest] = Vocabulary.concat(hashes[lowest], hashes[lowest + 1], lengths[lowest + 1]);
            lengths[lowest] += lengths[lowest + 1];
            int moved = size - lowest - 2;
            System.arraycopy(hashes, lowest + 2, hashes, lowest + 1, moved);
            System.arraycopy(lengths, lowest + 2, lengths, lowest + 1, moved);
            System.arraycopy(merges, lowest + 2, merges, lowest + 1, moved);
            size--;
            if (lowest + 1 < size) {
                merges[lowest] = mergeRank(lowest);
            }
            if (lowest > 0) {
                merges[lowest - 1] = mergeRank(lowest - 1);
            }
        }
        return size;
    }

    private int mergeRank(int index) {
        return vocabulary.rank(Vocabulary.concat(hashes[index], hashes[index + 1], lengths[index + 1]));
    }
}
