package dev.sluice.llm.estimate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;

/** Compares the counter with the encoder of jtokkit, whose regular expression and merges are those of OpenAI. */
class TokenCounterTest {

    private static Encoding reference;

    @BeforeAll
    static void load() {
        reference = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.O200K_BASE);
        TokenCounter.load();
    }

    private static int count(String text) {
        return TokenCounter.create().count(text.toCharArray(), 0, text.length());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "hello world", "Hello, World! It's John's; we'LL see, they'd've gone.",
            "The quick brown fox jumps over the lazy dog.", "  leading   spaces and\ttabs\t\tand  \n\n newlines \r\n  x  ",
            "if (x == 12345678) { return foo_bar(\"baz\\n\"); } // done/\n/* more */\n\n\n}",
            "HTTPServer parseXMLDocument ABCdefGHI iOS",
            "今天的天气很好，我们去公园散步吧。", "人工知能は世界を変えています。私はカタカナも書きます。", "Привет, как дела? Сегодня хорошая ПОГОДА.",
            "आज मौसम बहुत अच्छा है, चलो पार्क में टहलने चलते हैं।", "😀😃 smile 👨‍👩‍👧‍👦 family 🇩🇪",
            "{\"a\":[1,2.5,-3e10],\"b\":null}",
            "naïve café Straße ÅNGSTRÖM e\u0301 ½ ² Ⅷ", "\u00a0non\u00a0breaking\u2003em", "!!!???...---===\n\n///", "中A文B",
            "ǅungla ʰʷ",
            "\u0000\u0001\u007f", "a\u200bb", "مرحبا بالعالم", "สวัสดีชาวโลก", "안녕하세요 세계"})
    void countsAsOpenAiDoes(String text) {
        assertThat(count(text)).isEqualTo(reference.countTokensOrdinary(text));
    }

    /** All pairs and triples of characters of different kinds, in two contexts. */
    @Test
    void splitsAsThePatternDoes() {
        var kinds = new String[]{"a", "B", "7", " ", "\n", "\r", "\t", ".", "/", "'", "s", "中", "\u0301", "ʰ", "😀", "ǅ"};
        for (var first : kinds) {
            for (var second : kinds) {
                for (var third : kinds) {
                    for (var fourth : kinds) {
                        var text = first + second + third + fourth;
                        assertThat(count(text)).as(text).isEqualTo(reference.countTokensOrdinary(text));
                    }
                }
            }
        }
    }

    @Test
    void loneSurrogateIsCounted() {
        assertThat(count("\ud83d")).isBetween(1, 3);
        assertThat(count("x\ude00y\ud83d")).isBetween(3, 8);
    }

    @Test
    void longWordIsCutAndStillCounted() {
        int exact = reference.countTokensOrdinary("a".repeat(10_000));
        assertThat(count("a".repeat(10_000))).isBetween(exact, exact + 10_000 / WordSplitter.MAX_WORD);
        assertThat(count("😀".repeat(1000))).isBetween(1000, 1000 + 2000 / WordSplitter.MAX_WORD);
    }

    @Test
    void wordsAreShortWhateverTheTextIs() {
        for (var unit : new String[]{"a", "A", "1", " ", "\n", ".", "中", "😀", "\u0301", "aB", "\t ", "'s"}) {
            var text = unit.repeat(2000).toCharArray();
            for (int from = 0; from < text.length;) {
                int end = WordSplitter.wordEnd(text, from, text.length);
                assertThat(end - from).as(unit).isBetween(1, WordSplitter.MAX_WORD);
                from = end;
            }
        }
    }

    private static long comparisons(String unit, int bytes) {
        var counter = TokenCounter.create();
        var text = unit.repeat(bytes / unit.getBytes(StandardCharsets.UTF_8).length).toCharArray();
        counter.count(text, 0, text.length);
        return counter.comparisons();
    }

    /** Texts for which byte-pair encoding is quadratic if words are not bounded. */
    @ParameterizedTest
    @ValueSource(strings = {"a", "A", " ", "\n", "😀", "中", "\u0301", "aB", "\t ", "qx", "фы", "!?#", "\u0e01"})
    void timeIsLinear(String unit) {
        long small = comparisons(unit, 16 << 10);
        long large = comparisons(unit, 64 << 10);
        assertThat(large).isLessThanOrEqualTo(4 * small + 10_000).isLessThan(64L * (64 << 10));
    }
}
