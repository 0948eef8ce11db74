package dev.sluice.testing.llm;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Events of a streamed response, with their framing.
 *
 * @param filler repeated between head and tail in a long stream
 */
record StubEvents(List<String> head, String filler, List<String> tail) {

    static StubEvents of(String... events) {
        return new StubEvents(List.of(events), "", List.of());
    }

    /** @param fillerChars minimum number of characters of filler */
    Iterator<String> iterator(long fillerChars) {
        return new Iterator<>() {

            private final Iterator<String> first = head.iterator();
            private final Iterator<String> last = tail.iterator();
            private long left = filler.isEmpty() ? 0 : fillerChars;

            @Override
            public boolean hasNext() {
                return first.hasNext() || left > 0 || last.hasNext();
            }

            @Override
            public String next() {
                if (first.hasNext()) {
                    return first.next();
                }
                if (left > 0) {
                    left -= filler.length();
                    return filler;
                }
                if (!last.hasNext()) {
                    throw new NoSuchElementException();
                }
                return last.next();
            }
        };
    }

    /** Splits a text into words that, concatenated, result in the text. */
    static List<String> words(String text) {
        var words = new ArrayList<String>();
        int from = 0;
        for (int space = text.indexOf(' ', 1); space > 0; space = text.indexOf(' ', space + 1)) {
            words.add(text.substring(from, space));
            from = space;
        }
        words.add(text.substring(from));
        return words;
    }
}
