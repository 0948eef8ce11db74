package dev.sluice.llm.estimate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

class AudioDurationTest {

    private static ByteBuf wav(int channels, int rate, int bits, int byteRate, long dataSize, int dataBytes) {
        var file = Unpooled.buffer();
        file.writeCharSequence("RIFF", StandardCharsets.US_ASCII);
        file.writeIntLE(0);
        file.writeCharSequence("WAVE", StandardCharsets.US_ASCII);
        file.writeCharSequence("LIST", StandardCharsets.US_ASCII);
        file.writeIntLE(3).writeZero(4); // padded to an even length
        file.writeCharSequence("fmt ", StandardCharsets.US_ASCII);
        file.writeIntLE(16).writeShortLE(1).writeShortLE(channels).writeIntLE(rate).writeIntLE(byteRate)
                .writeShortLE(channels * bits / 8).writeShortLE(bits);
        file.writeCharSequence("data", StandardCharsets.US_ASCII);
        return file.writeIntLE((int) dataSize).writeZero(dataBytes);
    }

    /** A false rate of bytes, and a size that exceeds the file, are not believed. */
    @ParameterizedTest
    @CsvSource({"1, 16000, 16, 32000, 64000, 64000, 2000", "2, 44100, 16, 176400, 176400, 176400, 1000",
            "1, 8000, 8, 1000000000, 4001, 4001, 501", "1, 8000, 8, 8000, 4294967295, 8000, 1000",
            "1, 8000, 8, 8000, 4000, 8000, 500"})
    void wavIsExact(int channels, int rate, int bits, int byteRate, long dataSize, int dataBytes, long milliseconds) {
        assertThat(AudioDuration.milliseconds(wav(channels, rate, bits, byteRate, dataSize, dataBytes)))
                .isEqualTo(milliseconds);
    }

    /** Frames of 128 kbit/s at 44.1 kHz: 417 bytes, 1152 samples, or 26.12 ms. */
    private static ByteBuf mp3(int frames) {
        var file = Unpooled.buffer();
        file.writeCharSequence("ID3", StandardCharsets.US_ASCII);
        file.writeByte(4).writeShort(0).writeInt(0x0000_0107).writeZero(135); // seven bits of each byte: 1 × 128 + 7
        for (int i = 0; i < frames; i++) {
            file.writeInt(0xFFFB9000).writeZero(413);
        }
        return file;
    }

    /** Their fields do not determine how many bytes a second has. */
    @ParameterizedTest
    @ValueSource(ints = {0x55, 0x11, 0x31})
    void compressedWavCountsByItsSize(int format) {
        var file = wav(1, 1_000_000, 64, 8_000_000, 20_000, 20_000);
        int at = ByteBufUtil.indexOf(Unpooled.copiedBuffer("fmt ", StandardCharsets.US_ASCII), file);
        file.setShortLE(at + 8, format);
        assertThat(AudioDuration.milliseconds(file)).isEqualTo((file.readableBytes() + 1) / 2);
    }

    /** In any bytes there are some that look like a frame. */
    @Test
    void bytesThatLookLikeFramesByChanceAreNotBelieved() {
        var bytes = new byte[1 << 20];
        new Random(7).nextBytes(bytes);
        var file = Unpooled.wrappedBuffer(bytes);
        file.setInt(5000, 0xFFFB9000);
        assertThat(AudioDuration.milliseconds(file)).isEqualTo(1 << 19);
    }

    @Test
    void mp3IsTheSumOfItsFrames() {
        assertThat(AudioDuration.milliseconds(mp3(100))).isEqualTo(2613);
        var longer = mp3(100);
        longer.writeCharSequence("not a frame", StandardCharsets.US_ASCII);
        longer.writeInt(0xFFF38000).writeZero(205); // MPEG 2, 64 kbit/s, 22.05 kHz: 208 bytes, 576 samples
        assertThat(AudioDuration.milliseconds(longer)).isEqualTo(2639);
    }

    /** A variable rate: each frame has its own length. */
    @Test
    void framesHaveTheirOwnRates() {
        var file = Unpooled.buffer().writeInt(0xFFFB1000).writeZero(100).writeInt(0xFFFBE000).writeZero(1040);
        assertThat(AudioDuration.milliseconds(file)).isEqualTo(53);
    }

    /** Never shorter than speech in the lowest usual bit rate. */
    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "2000, 1000", "2001, 1001"})
    void unknownFormatsAreEstimatedByTheirSize(int bytes, long milliseconds) {
        assertThat(AudioDuration.milliseconds(Unpooled.buffer().writeZero(bytes))).isEqualTo(milliseconds);
    }

    @Test
    void brokenHeadersAreEstimatedByTheSize() {
        for (var file : new ByteBuf[]{wav(0, 16000, 16, 32000, 4, 1944), wav(60000, 160000, 60000, 1, 4, 1944)}) {
            assertThat(AudioDuration.milliseconds(file)).isEqualTo(1000);
        }
        var wav = wav(1, 8000, 8, 8000, 100, 100);
        for (int length = 0; length < wav.readableBytes(); length++) {
            assertThat(AudioDuration.milliseconds(wav.slice(0, length))).isBetween(0L, 50L);
        }
    }
}
