package dev.sluice.llm.estimate;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

import io.netty.buffer.Unpooled;

/**
 * Reads what determines the tokens of a file from the bytes at its start: PNG, JPEG, GIF, WebP, PDF, WAV, MP3. Stateless.
 */
final class MediaHeader {

    /** Bytes of a file from its start that are read. */
    static final int MAX_BYTES = 48 << 10;

    /** Bytes of a page of a PDF whose pages cannot be counted, because they are compressed. */
    private static final int BYTES_PER_PAGE = 50_000;
    private static final int MAX_PAGES = 1000;
    /** Of a compressed file: 128 kbit. */
    private static final double AUDIO_BYTES_PER_SECOND = 16_000;
    /** Bytes of a pixel of a compressed picture whose size was not found. */
    private static final int BYTES_PER_PIXEL_INVERSE = 5;
    private static final byte[] PAGE = "/Type/Page".getBytes(StandardCharsets.US_ASCII);

    /** Kind of a file. */
    enum Kind {
        IMAGE, PDF, AUDIO
    }

    /**
     * Size of a file.
     *
     * @param width width of a picture in pixels
     * @param height its height
     * @param amount pages of a PDF, seconds of audio
     */
    record Size(Kind kind, int width, int height, double amount) {

        static Optional<Size> image(int width, int height) {
            int max = 1 << 16;
            return Optional.of(new Size(Kind.IMAGE, Math.max(1, Math.min(width, max)), Math.max(1, Math.min(height, max)), 0));
        }
    }

    private MediaHeader() {
    }

    /**
     * Reads a file.
     *
     * @param bytes its first bytes
     * @param length number of these bytes
     * @param total length of the file
     * @return empty if it is of another type
     */
    static Optional<Size> read(byte[] bytes, int length, long total) {
        if (startsWith(bytes, length, 0, "\u0089PNG") && length >= 24) {
            return Size.image(bigEndian(bytes, 16, 4), bigEndian(bytes, 20, 4));
        }
        if (startsWith(bytes, length, 0, "GIF8") && length >= 10) {
            return Size.image(littleEndian(bytes, 6, 2), littleEndian(bytes, 8, 2));
        }
        if (startsWith(bytes, length, 0, "\u00ff\u00d8\u00ff")) {
            return jpeg(bytes, length, total);
        }
        if (startsWith(bytes, length, 0, "RIFF") && startsWith(bytes, length, 8, "WEBP")) {
            return webp(bytes, length, total);
        }
        if (startsWith(bytes, length, 0, "%PDF")) {
            return Optional.of(new Size(Kind.PDF, 0, 0, pages(bytes, length, total)));
        }
        if (startsWith(bytes, length, 0, "RIFF") && startsWith(bytes, length, 8, "WAVE")) {
            return Optional.of(audio(total, wavBytesPerSecond(bytes, length)));
        }
        if (startsWith(bytes, length, 0, "ID3") || startsWith(bytes, length, 0, "OggS") || startsWith(bytes, length, 0, "fLaC")
                || length > 1 && (bytes[0] & 0xFF) == 0xFF && (bytes[1] & 0xE0) == 0xE0) {
            return Optional.of(audio(total, AUDIO_BYTES_PER_SECOND));
        }
        return Optional.empty();
    }

    private static Size audio(long total, double bytesPerSecond) {
        return new Size(Kind.AUDIO, 0, 0, total / bytesPerSecond);
    }

    /** Returns the size of a picture of which only the number of bytes is known. */
    private static Optional<Size> imageOfBytes(long total) {
        int side = (int) Math.min(4096, Math.sqrt((double) total * BYTES_PER_PIXEL_INVERSE));
        return Size.image(side, side);
    }

    private static Optional<Size> jpeg(byte[] bytes, int length, long total) {
        int at = 2;
        while (at + 9 <= length && (bytes[at] & 0xFF) == 0xFF) {
            int marker = bytes[at + 1] & 0xFF;
            if (marker == 0xFF) { // padding
                at++;
            } else if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
                return Size.image(bigEndian(bytes, at + 7, 2), bigEndian(bytes, at + 5, 2));
            } else if (marker == 0x01 || marker >= 0xD0 && marker <= 0xD8) {
                at += 2;
            } else {
                at += 2 + bigEndian(bytes, at + 2, 2);
            }
        }
        return imageOfBytes(total);
    }

    private static Optional<Size> webp(byte[] bytes, int length, long total) {
        if (startsWith(bytes, length, 12, "VP8X") && length >= 30) {
            return Size.image(1 + littleEndian(bytes, 24, 3), 1 + littleEndian(bytes, 27, 3));
        }
        if (startsWith(bytes, length, 12, "VP8L") && length >= 25) {
            int bits = littleEndian(bytes, 21, 4);
            return Size.image(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF));
        }
        if (startsWith(bytes, length, 12, "VP8 ") && length >= 30) {
            return Size.image(littleEndian(bytes, 26, 2) & 0x3FFF, littleEndian(bytes, 28, 2) & 0x3FFF);
        }
        return imageOfBytes(total);
    }

    /** Returns the rate that the header determines; of compressed audio the lowest usual one, so that none is longer. */
    private static double wavBytesPerSecond(byte[] bytes, int length) {
        long rate = WavFormat.read(Unpooled.wrappedBuffer(bytes, 0, length)).bytesPerSecond();
        return rate > 0 ? rate : AudioDuration.MIN_BYTES_PER_SECOND;
    }

    /** Counts the pages in the bytes, and extrapolates. */
    private static double pages(byte[] bytes, int length, long total) {
        int found = 0;
        for (int i = 0; i < length; i++) {
            if (bytes[i] == '/' && isPage(bytes, i, length)) {
                found++;
            }
        }
        double extrapolated = length == 0 ? 0 : found * ((double) total / length);
        return found > 0 ? Math.min(MAX_PAGES, extrapolated) : Math.max(1, Math.ceil((double) total / BYTES_PER_PAGE));
    }

    /** Returns whether {@code /Type /Page} is there, and not {@code /Pages}. */
    private static boolean isPage(byte[] bytes, int from, int to) {
        int at = from;
        for (byte expected : PAGE) {
            while (expected == '/' && at < to && (bytes[at] == ' ' || bytes[at] == '\r' || bytes[at] == '\n')) {
                at++;
            }
            if (at >= to || bytes[at++] != expected) {
                return false;
            }
        }
        return at >= to || !Character.isLetter(bytes[at]);
    }

    private static boolean startsWith(byte[] bytes, int length, int from, String latin1) {
        if (from + latin1.length() > length) {
            return false;
        }
        for (int i = 0; i < latin1.length(); i++) {
            if ((bytes[from + i] & 0xFF) != latin1.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static int bigEndian(byte[] bytes, int from, int size) {
        int value = 0;
        for (int i = 0; i < size; i++) {
            value = value << 8 | bytes[from + i] & 0xFF;
        }
        return value;
    }

    private static int littleEndian(byte[] bytes, int from, int size) {
        int value = 0;
        for (int i = size - 1; i >= 0; i--) {
            value = value << 8 | bytes[from + i] & 0xFF;
        }
        return value;
    }
}
