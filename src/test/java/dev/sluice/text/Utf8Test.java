package dev.sluice.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.Fuzzer;
import dev.sluice.testing.JdkUtf8;

/** Compares {@link Utf8#isValid} with the decoder of the JDK. */
class Utf8Test {

    /** Bytes at the bounds of the ranges of table 3-7 of the Unicode standard. */
    private static final int[] EDGES = {0x00, 0x22, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
            0xE0,
            0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFC, 0xFE, 0xFF};

    private static void compare(byte[] bytes) {
        assertThat(Utf8.isValid(bytes)).as(HexFormat.of().formatHex(bytes)).isEqualTo(JdkUtf8.decodes(bytes));
    }

    @ParameterizedTest
    @ValueSource(strings = {"c0af", "c1bf", "e080af", "e09fbf", "f08080af", "f08fbfbf", // overlong
            "eda080", "edbfbf", "edafbfedbfbf", // surrogates
            "f4908080", "f5808080", "f888808080", "fc8480808080", "fe", "ff", // above U+10FFFF
            "80", "bf", "c3", "e282", "f09f98", "c328", "e28228", "f09f9828", "e2c3a9", "c3a9a9", "4141414141414180",
            "4141414141414141c3", "41414141414141e282"})
    void rejectsIllFormedSequences(String hex) {
        var bytes = HexFormat.of().parseHex(hex);
        assertThat(Utf8.isValid(bytes)).isFalse();
        compare(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\0", "plain", "exactly8", "é", "€uro", "\uD83D\uDE00", "\u07FF\u0800\uD7FF\uE000\uFFFF",
            "\uDBFF\uDFFF", "1234567é1234567€1234567\uD83D\uDE0012345678"})
    void acceptsWellFormedSequences(String text) {
        assertThat(Utf8.isValid(text.getBytes(StandardCharsets.UTF_8))).isTrue();
    }

    @Test
    void acceptsEveryCodePoint() {
        for (int point = 0; point <= Character.MAX_CODE_POINT; point++) {
            if (point < Character.MIN_SURROGATE || point > Character.MAX_SURROGATE) {
                assertThat(Utf8.isValid(new String(Character.toChars(point)).getBytes(StandardCharsets.UTF_8)))
                        .as("%x", point).isTrue();
            }
        }
    }

    @Test
    void agreesOnEverySequenceOfEdges() {
        for (int first : EDGES) {
            for (int second : EDGES) {
                for (int third : EDGES) {
                    for (int fourth : EDGES) {
                        compare(new byte[]{(byte) first, (byte) second, (byte) third, (byte) fourth});
                    }
                }
            }
        }
    }

    @Test
    void readsOnlyTheGivenPart() {
        var random = new Random(Fuzzer.SEED);
        var bytes = "a\uD83D\uDE00bcdefghij€€kéé and a longer run of ASCII €".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 20_000; i++) {
            int from = random.nextInt(bytes.length);
            int to = from + random.nextInt(bytes.length - from + 1);
            assertThat(Utf8.isValid(bytes, from, to - from)).as("%d to %d", from, to)
                    .isEqualTo(JdkUtf8.decodes(Arrays.copyOfRange(bytes, from, to)));
        }
    }

    @Test
    void agreesOnCorruptedTexts() {
        var random = new Random(Fuzzer.SEED);
        for (int i = 0; i < 20_000; i++) {
            var bytes = "{\"a\":\"ä€\uD83D\uDE00 and a longer run of ASCII\"}".getBytes(StandardCharsets.UTF_8);
            for (int corrupted = random.nextInt(3); corrupted > 0; corrupted--) {
                bytes[random.nextInt(bytes.length)] = (byte) EDGES[random.nextInt(EDGES.length)];
            }
            compare(bytes);
        }
    }
}
