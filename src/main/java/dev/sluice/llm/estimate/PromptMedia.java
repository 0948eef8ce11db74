package dev.sluice.llm.estimate;

import java.nio.charset.StandardCharsets;

import dev.sluice.llm.estimate.MediaHeader.Kind;
import dev.sluice.llm.estimate.MediaHeader.Size;
import io.netty.buffer.ByteBuf;

/** Recognizes the files in a request: data URLs, base64, and references to files elsewhere. Not thread-safe. */
final class PromptMedia {

    private static final byte[] DATA_URL = ascii("data:");
    private static final byte[] BASE64 = ascii(";base64,");
    private static final byte[] LOW = ascii("low\"");
    /** Bytes of a data URL in which its data must begin. */
    private static final int MAX_URL_HEAD = 256;

    private final ByteBuf body;
    private final TextTokens text;
    private final MediaTokens media = new MediaTokens();
    private String field = "";
    /** Picture of the open object, whose detail may follow; null if there is none. */
    private Size image;
    private boolean isLow;
    private boolean hasFiles;

    /** @param text receives what is no file */
    PromptMedia(ByteBuf body, TextTokens text) {
        this.body = body;
        this.text = text;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Sets the field of the next string. */
    void field(String name) {
        field = name;
    }

    /**
     * Sets the detail of the pictures of the open object.
     *
     * @param from index of the string
     */
    void detail(int from) {
        isLow = startsWith(from, body.writerIndex(), LOW);
    }

    /** Adds a string. */
    void add(int from, int to) {
        endImage();
        if (field.endsWith("_id") || field.endsWith("Uri") || field.endsWith("_uri") || field.endsWith("url")
                && !startsWith(from, to, DATA_URL)) {
            image = MediaTokens.UNKNOWN_IMAGE;
            hasFiles |= field.startsWith("file");
            return;
        }
        var size = MediaTokens.read(body, dataStart(from, to), to);
        if (size.isEmpty()) {
            text.add(body, from, to); // Anthropic's documents of plain text
        } else if (size.get().kind() == Kind.IMAGE) {
            image = size.get();
        } else {
            media.add(size.get(), false);
        }
    }

    /** Returns where the base64 of a data URL begins; the start of another string. */
    private int dataStart(int from, int to) {
        if (startsWith(from, to, DATA_URL)) {
            int last = Math.min(to, from + MAX_URL_HEAD);
            for (int i = from; i < last; i++) {
                if (startsWith(i, to, BASE64)) {
                    return i + BASE64.length;
                }
            }
        }
        return from;
    }

    private boolean startsWith(int from, int to, byte[] prefix) {
        if (to - from < prefix.length) {
            return false;
        }
        for (int i = 0; i < prefix.length; i++) {
            if (body.getByte(from + i) != prefix[i]) {
                return false;
            }
        }
        return true;
    }

    /** Ends an object or array. */
    void endObject() {
        endImage();
        isLow = false;
    }

    /** Returns whether a file, which may be anything, is at another place. */
    boolean hasFiles() {
        return hasFiles;
    }

    private void endImage() {
        if (image != null) {
            media.add(image, isLow);
            image = null;
        }
    }

    long tokens(MediaRules rules) {
        return media.tokens(rules);
    }
}
