package dev.sluice.llm.estimate;

import java.util.Optional;

import dev.sluice.llm.estimate.MediaHeader.Kind;
import dev.sluice.llm.estimate.MediaHeader.Size;
import io.netty.buffer.ByteBuf;

/** Sums the media of a request. Keeps at most {@value #MAX_IMAGES} sizes of pictures. Not thread-safe. */
final class MediaTokens {

    private static final int MAX_IMAGES = 512;
    /** Bytes of a second of a file of another type: half a megabit. */
    private static final double OTHER_BYTES_PER_SECOND = 64_000;
    private static final byte[] DECODED = decodingTable();

    /** A picture that is not in the request: of a medium size. */
    static final Size UNKNOWN_IMAGE = new Size(Kind.IMAGE, 1024, 1024, 0);

    /** Null until there is a picture: few requests have one. */
    private int[] widths;
    private int[] heights;
    private boolean[] low;
    private int images;
    private double pages;
    private double seconds;

    void add(Size size, boolean isLow) {
        if (size.kind() == Kind.IMAGE) {
            addImage(size.width(), size.height(), isLow);
        } else if (size.kind() == Kind.PDF) {
            pages += size.amount();
        } else {
            seconds += size.amount();
        }
    }

    private void addImage(int width, int height, boolean isLow) {
        if (widths == null) {
            widths = new int[MAX_IMAGES];
            heights = new int[MAX_IMAGES];
            low = new boolean[MAX_IMAGES];
        }
        int slot = images++ % MAX_IMAGES; // of more, the last ones stand for all
        widths[slot] = width;
        heights[slot] = height;
        low[slot] = isLow;
    }

    /** Returns the size of a file in base64; empty if the string is none. */
    static Optional<Size> read(ByteBuf document, int from, int to) {
        int length = Math.min(to - from, MediaHeader.MAX_BYTES / 3 * 4);
        var decoded = new byte[length / 4 * 3 + 3];
        int size = decode(document, from, from + length, decoded);
        if (size < 0) {
            return Optional.empty();
        }
        long total = length == to - from ? size : (to - from) * 3L / 4 - padding(document, to);
        return Optional.of(MediaHeader.read(decoded, size, total)
                .orElseGet(() -> new Size(Kind.AUDIO, 0, 0, total / OTHER_BYTES_PER_SECOND)));
    }

    private static int padding(ByteBuf document, int to) {
        return document.getByte(to - 1) != '=' ? 0 : document.getByte(to - 2) != '=' ? 1 : 2;
    }

    /** Decodes base64 in either alphabet, with escaped slashes and white space. Returns -1 if it is something else. */
    private static int decode(ByteBuf document, int from, int to, byte[] decoded) {
        int size = 0;
        int bits = 0;
        int count = 0;
        for (int i = from; i < to; i++) {
            byte b = document.getByte(i);
            if (b == '=') {
                break;
            }
            if (b == '\\') { // escaped slash or end of a line
                byte next = i + 1 < to ? document.getByte(i + 1) : 0;
                if (next == 'n' || next == 'r') {
                    i++;
                } else if (next != '/' && next != 0) {
                    return -1;
                }
                continue;
            }
            int value = b < 0 ? -1 : DECODED[b];
            if (value < 0) {
                return -1;
            }
            bits = bits << 6 | value;
            if (++count % 4 == 0) {
                decoded[size++] = (byte) (bits >> 16);
                decoded[size++] = (byte) (bits >> 8);
                decoded[size++] = (byte) bits;
            }
        }
        return count < 4 ? -1 : size;
    }

    private static byte[] decodingTable() {
        var table = new byte[128];
        java.util.Arrays.fill(table, (byte) -1);
        var alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (int i = 0; i < alphabet.length(); i++) {
            table[alphabet.charAt(i)] = (byte) i;
        }
        table['-'] = 62;
        table['_'] = 63;
        return table;
    }

    /** Returns the tokens of all media. */
    long tokens(MediaRules rules) {
        int known = Math.min(images, MAX_IMAGES);
        long sum = 0;
        for (int i = 0; i < known; i++) {
            sum += rules.image().tokens(widths[i], heights[i], low[i]);
        }
        double all = known == 0 ? 0 : (double) sum / known * images;
        return (long) Math.ceil(all + pages * rules.perPage() + seconds * rules.perSecond());
    }
}
