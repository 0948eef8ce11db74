package dev.sluice.llm.estimate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.nio.charset.StandardCharsets;
import java.util.Random;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;

import io.netty.buffer.Unpooled;
import io.vertx.core.json.Json;

class TextTokensTest {

    private static final String MIXED = "Large language models are billed by the token. \"Quoted\", and a\nnew line; "
            + "人工智能正在改变世界，许多人对此既兴奋又担忧。 Сегодня хорошая погода. int x = 42; 😀 ";

    private static Encoding reference;

    @BeforeAll
    static void load() {
        reference = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.O200K_BASE);
        TextTokens.awaitVocabulary();
    }

    private static TextTokens json(String text) {
        var encoded = Json.encode(text).getBytes(StandardCharsets.UTF_8);
        var tokens = new TextTokens();
        tokens.add(Unpooled.wrappedBuffer(encoded), 1, encoded.length - 1);
        return tokens;
    }

    private static TextTokens plain(String text) {
        var tokens = new TextTokens();
        tokens.add(text);
        return tokens;
    }

    @Test
    void noTextHasNoTokens() {
        assertThat(new TextTokens().tokens()).isZero();
        assertThat(plain("").tokens()).isZero();
        assertThat(json("").tokens()).isZero();
    }

    @Test
    void shortTextIsExact() {
        long exact = reference.countTokensOrdinary(MIXED);
        assertThat(plain(MIXED).tokens()).isEqualTo(exact);
        assertThat(json(MIXED).tokens()).isEqualTo(exact);
    }

    @Test
    void escapedTextIsTheSameText() {
        var escaped = new StringBuilder();
        MIXED.chars().forEach(c -> escaped.append(String.format("\\u%04x", c)));
        var bytes = escaped.toString().getBytes(StandardCharsets.US_ASCII);
        var tokens = new TextTokens();
        tokens.add(Unpooled.wrappedBuffer(bytes), 0, bytes.length);
        assertThat(tokens.tokens()).isCloseTo(reference.countTokensOrdinary(MIXED), withPercentage(3));
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 20, 40, 100, 1000, 5000})
    void longTextIsEstimatedFromSamples(int times) {
        var text = MIXED.repeat(times);
        long exact = (long) reference.countTokensOrdinary(MIXED) * times;
        assertThat(plain(text).tokens()).isCloseTo(exact, withPercentage(3));
        assertThat(json(text).tokens()).isCloseTo(exact, withPercentage(3));
    }

    /** Parts of different density, of random lengths. */
    @Test
    void partsAreSampledEvenly() {
        var random = new Random(7);
        var units = new String[]{"All human beings are born free and equal in dignity. ", "天气很好，我们去公园散步吧。", "x7Kq9/+aZ"};
        var tokens = new TextTokens();
        long exact = 0;
        for (int i = 0; i < 2000; i++) {
            var text = units[random.nextInt(3)].repeat(1 + random.nextInt(40));
            exact += reference.countTokensOrdinary(text);
            tokens.add(text);
        }
        assertThat(tokens.tokens()).isCloseTo(exact, withPercentage(10));
    }

    @Test
    void manyShortTextsAreCounted() {
        var tokens = new TextTokens();
        for (int i = 0; i < 100_000; i++) {
            tokens.add(i % 2 == 0 ? " yes" : "!");
        }
        assertThat(tokens.tokens()).isCloseTo(100_000, withPercentage(5));
        assertThat(tokens.tokenizedBytes()).isLessThan(64 << 10);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", " ", "\n", "😀", "中", "aB", "\"", "\\", "x7", "The quick brown fox. "})
    void atMost64KilobytesAreTokenized(String unit) {
        int bytes = unit.getBytes(StandardCharsets.UTF_8).length;
        assertThat(json(unit.repeat((64 << 10) / bytes)).tokenizedBytes()).isBetween(12L << 10, 24L << 10);
        assertThat(json(unit.repeat((32 << 20) / bytes)).tokenizedBytes()).isBetween(32L << 10, 64L << 10);
    }

    @Test
    void unknownTextIsLikeTheKnown() {
        var tokens = plain(MIXED);
        tokens.addUnknown(9L * MIXED.getBytes(StandardCharsets.UTF_8).length);
        assertThat(tokens.tokens()).isCloseTo(10L * reference.countTokensOrdinary(MIXED), withPercentage(1));
        var nothingKnown = new TextTokens();
        nothingKnown.addUnknown(400);
        assertThat(nothingKnown.tokens()).isEqualTo(100);
    }
}
