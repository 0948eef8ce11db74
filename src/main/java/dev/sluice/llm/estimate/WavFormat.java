package dev.sluice.llm.estimate;

import java.util.Set;

import io.netty.buffer.ByteBuf;

/**
 * Format of the samples of a WAV file, read from its header. The rate of bytes that the header states is not believed: decoders do
 * not use it, so that it can be anything.
 *
 * @param bytesPerSecond bytes of a second of audio; 0 if the header does not determine them
 * @param dataOffset offset of the samples; 0 if the bytes end before them
 * @param dataBytes number of bytes of the samples that the header states
 * @see <a href="https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html">WAVE specifications</a>
 */
record WavFormat(long bytesPerSecond, long dataOffset, long dataBytes) {

    private static final WavFormat UNKNOWN = new WavFormat(0, 0, 0);
    private static final int RIFF = 0x52494646;
    private static final int WAVE = 0x57415645;
    private static final int FORMAT_CHUNK = 0x666d7420;
    private static final int DATA_CHUNK = 0x64617461;
    private static final int MAX_RATE = 10_000_000;
    /** PCM, floating-point, and the extensible form of both. */
    private static final Set<Integer> PLAIN_FORMATS = Set.of(1, 3, 0xfffe);

    static boolean isWav(ByteBuf file) {
        return file.readableBytes() >= 12 && file.getInt(0) == RIFF && file.getInt(8) == WAVE;
    }

    /**
     * Reads the header.
     *
     * @param file a WAV file or its first bytes, from index 0 on
     */
    static WavFormat read(ByteBuf file) {
        long rate = 0;
        long at = 12;
        while (at + 8 <= file.readableBytes()) {
            int chunk = file.getInt((int) at);
            long size = file.getUnsignedIntLE((int) at + 4);
            if (chunk == FORMAT_CHUNK && at + 24 <= file.readableBytes()) {
                if (!PLAIN_FORMATS.contains(file.getUnsignedShortLE((int) at + 8))) {
                    return UNKNOWN; // compressed: the fields do not determine how many bytes a second has
                }
                rate = file.getUnsignedIntLE((int) at + 12) * file.getUnsignedShortLE((int) at + 10)
                        * file.getUnsignedShortLE((int) at + 22) / Byte.SIZE;
            } else if (chunk == DATA_CHUNK && rate > 0 && rate <= MAX_RATE) {
                return new WavFormat(rate, at + 8, size);
            }
            at += 8 + size + (size & 1);
        }
        return rate > 0 && rate <= MAX_RATE ? new WavFormat(rate, 0, 0) : UNKNOWN;
    }
}
