package dev.sluice.llm.estimate;

import io.netty.buffer.ByteBuf;

/**
 * Length of audio: exact for WAV and MP3, whose headers are read; otherwise estimated from the size. What a header only claims,
 * such as a number of frames, is not believed. Linear in the size.
 *
 * @see <a href="http://www.mp3-tech.org/programmer/frame_header.html">MPEG audio frame header</a>
 */
public final class AudioDuration {

    /** Bytes per second of unknown formats: speech in the lowest bit rate that is usual, 16 kbit/s, so that no audio is longer. */
    static final int MIN_BYTES_PER_SECOND = 2000;
    private static final int MILLISECONDS = 1000;

    /** Kilobits per second of MPEG 1 and MPEG 2, layer III. */
    private static final int[][] BIT_RATES = {
            {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
            {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}};
    private static final int[] SAMPLE_RATES = {44_100, 48_000, 32_000};

    private AudioDuration() {
    }

    /** Returns the milliseconds of a file, rounded up; 0 only if it is empty. */
    public static long milliseconds(ByteBuf file) {
        long known = WavFormat.isWav(file) ? wav(file) : mp3(file);
        return known > 0 ? known : perSecond(file.readableBytes(), MIN_BYTES_PER_SECOND);
    }

    private static long perSecond(long bytes, long bytesPerSecond) {
        return (bytes * MILLISECONDS + bytesPerSecond - 1) / bytesPerSecond;
    }

    /** Returns the milliseconds of the data after the format; 0 if there is none. */
    private static long wav(ByteBuf file) {
        var format = WavFormat.read(file);
        return format.dataOffset() == 0
                ? 0
                : perSecond(Math.min(format.dataBytes(), file.readableBytes() - format.dataOffset()), format.bytesPerSecond());
    }

    /** Returns the milliseconds of all frames; 0 if they are not most of the file: bytes of other formats look like frames by chance. */
    private static long mp3(ByteBuf file) {
        double seconds = 0;
        long framed = 0;
        int at = 0;
        while (at + 4 <= file.readableBytes()) {
            int header = file.getInt(at);
            int tag = tagLength(file, at, header);
            int length = tag > 0 ? tag : frameLength(header);
            if (length > 0 && tag == 0) {
                seconds += (double) samples(header) / sampleRate(header);
            }
            framed += Math.min(length, file.readableBytes() - at);
            at = (int) Math.min((long) at + length, Integer.MAX_VALUE - 4);
            if (length == 0) { // what is no frame is skipped up to the next byte with which one can begin
                int next = file.indexOf(at + 1, file.readableBytes(), (byte) 0xff);
                at = next < 0 ? file.readableBytes() : next;
            }
        }
        return framed > file.readableBytes() / 2 ? (long) Math.ceil(seconds * MILLISECONDS) : 0;
    }

    /** Returns the length of an ID3v2 tag; 0 if there is none. */
    private static int tagLength(ByteBuf file, int at, int header) {
        if (header >>> 8 != 0x494433 || at + 10 > file.readableBytes()) {
            return 0;
        }
        int size = file.getInt(at + 6);
        return 10 + ((size & 0x7f) | (size >> 8 & 0x7f) << 7 | (size >> 16 & 0x7f) << 14 | (size >> 24 & 0x7f) << 21);
    }

    /** Returns the length of a frame of layer III; 0 if the bytes begin no frame. */
    private static int frameLength(int header) {
        int bitRate = header >>> 12 & 0xf;
        int version = header >>> 19 & 3;
        boolean valid = header >>> 21 == 0x7ff && version != 1 && (header >>> 17 & 3) == 1 && bitRate > 0 && bitRate < 0xf
                && (header >>> 10 & 3) != 3;
        return valid
                ? samples(header) / Byte.SIZE * MILLISECONDS * BIT_RATES[isFirst(header) ? 0 : 1][bitRate] / sampleRate(header)
                        + (header >>> 9 & 1)
                : 0;
    }

    private static boolean isFirst(int header) {
        return (header >>> 19 & 3) == 3;
    }

    private static int samples(int header) {
        return isFirst(header) ? 1152 : 576;
    }

    private static int sampleRate(int header) {
        int rate = SAMPLE_RATES[header >>> 10 & 3];
        return isFirst(header) ? rate : (header >>> 19 & 3) == 2 ? rate / 2 : rate / 4;
    }
}
