package dev.sluice.service.token;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.Fuzzer;

class KeySyntaxTest {

    @ParameterizedTest
    @ValueSource(strings = {"sk-mine", " sk-mine ", "\tsk-mine\r\n", "\"sk-mine\"", "'sk-mine'", "`sk-mine`", "sk-mine,",
            "sk-mine;", ",;sk-mine;,", "Bearer sk-mine", "bearer sk-mine", "BEARER\tsk-mine", "Bearer sk-mine,",
            "Bearer  \"sk-mine\";", "\"Bearer sk-mine\"", "Bearer Bearer sk-mine", "Bearer bEARER 'Bearer sk-mine' ,",
            "Bearer,sk-mine", "Bearer\"sk-mine\"", "\u00A0sk-mine\u00A0", "\u2003sk-mine\u0085", "\u007Fsk-mine\u0000"})
    void spellingsOfOneKeyAreOneKey(String spelling) {
        assertThat(KeySyntax.normalize(spelling)).isEqualTo("sk-mine");
    }

    @ParameterizedTest
    @ValueSource(strings = {"sk-mine", "sk,mi;ne", "sk\"mine", "Bearersk-mine", "xBearer", "sk-mine Bearer", "SK-Mine",
            "Basic abc", "Bearer:sk-mine", "(sk-mine)"})
    void otherTextsStayAsTheyAre(String text) {
        assertThat(KeySyntax.normalize(text)).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\"\"", "Bearer", "Bearer ", "bearer Bearer", ",;'\"`", "Bearer \"\""})
    void paddingAloneIsNoKey(String text) {
        assertThat(KeySyntax.normalize(text)).isEmpty();
        assertThat(KeySyntax.isValid("")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer sk-mine", "bearer sk-mine,", " \"BEARER sk-mine\"", "Bearer Bearer sk-mine"})
    void authorizationNeedsTheScheme(String value) {
        assertThat(KeySyntax.ofAuthorization(value)).isEqualTo("sk-mine");
        assertThat(KeySyntax.ofAuthorization(value.replaceAll("(?i)bearer", "Basic"))).isNull();
    }

    @Test
    void authorizationWithoutSchemeHasNoKey() {
        assertThat(KeySyntax.ofAuthorization("sk-mine")).isNull();
        assertThat(KeySyntax.ofAuthorization("")).isNull();
        assertThat(KeySyntax.ofAuthorization("Bearer")).isEmpty();
        assertThat(KeySyntax.ofAuthorization("Bearer ,")).isEmpty();
    }

    @Test
    void keysAreVisibleAsciiOfBoundedLength() {
        assertThat(KeySyntax.isValid("k".repeat(KeySyntax.MAX_LENGTH))).isTrue();
        assertThat(KeySyntax.isValid("k".repeat(KeySyntax.MAX_LENGTH + 1))).isFalse();
        for (char c = 0; c < 0x200; c++) {
            assertThat(KeySyntax.isValid("a" + c + "b")).as("U+%04X", (int) c).isEqualTo(c > ' ' && c < 0x7F);
        }
    }

    @Test
    void normalizingTwiceChangesNothing() {
        Fuzzer.run(5, random -> {
            var key = KeySyntax.normalize(Fuzzer.mutate(random, Fuzzer.pick(random,
                    List.of("Bearer Bearer sk-mine,", "\"bearer 'sk-mine';\"", " Bearer\tBEARER , sk-1 "))));
            assertThat(KeySyntax.normalize(key)).isEqualTo(key);
        });
    }
}
