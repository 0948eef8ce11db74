package dev.sluice.service.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogFieldsTest {

    @Test
    void fieldsAreInOrder() {
        assertThat(new LogFields().add("client", "10.0.0.1").add("path", "/a/b?").add("status", 200)
                .addMillis("ms", 12_345_678).text())
                .isEqualTo("client=10.0.0.1 path=/a/b? status=200 ms=12.345");
    }

    @Test
    void missingFieldsAreLeftOut() {
        assertThat(new LogFields().add("a", null).add("b", "").add("c", 0).text()).isEqualTo("c=0");
    }

    @Test
    void decimalsOfMillisecondsArePadded() {
        assertThat(new LogFields().addMillis("ms", 7_000).addMillis("more", 5_040_000_000L).text())
                .isEqualTo("ms=0.007 more=5040.000");
    }

    @Test
    void valuesCannotForgeFieldsOrLines() {
        assertThat(new LogFields().add("path", "/a status=200").add("identifier", "user:\"x\\").text())
                .isEqualTo("path=\"/a status=200\" identifier=\"user:\\\"x\\\\\"");
        assertThat(new LogFields().add("path", "/a\r\n2026-01-01 INFO forged").text())
                .isEqualTo("path=\"/a\\u000d\\u000a2026-01-01 INFO forged\"");
        assertThat(new LogFields().add("path", "x=y").text()).isEqualTo("path=\"x=y\"");
    }

    /** Ends of lines of any kind, escape sequences of terminals, reversed text, lone surrogates. */
    @ParameterizedTest
    @ValueSource(ints = {0, 7, 8, 9, 10, 13, 27, 127, 0x85, 0x9b, 0x2028, 0x2029, 0x202e, 0x2066, 0xfeff, 0xd800, 0xdfff,
            0xe000,
            0xe0041})
    void invisibleCharactersAreEscaped(int character) {
        var text = new LogFields().add("path", "/a" + (character > 0xffff
                ? Character.toString(character)
                : String.valueOf((char) character)) + "b").text();
        assertThat(text).matches("path=\"/a(\\\\u[0-9a-f]{4}){1,2}b\"");
    }

    @Test
    void otherCharactersAreKept() {
        assertThat(new LogFields().add("identifier", "user:jörg 😀").text()).isEqualTo("identifier=\"user:jörg 😀\"");
    }

    @Test
    void longValuesAreCut() {
        assertThat(new LogFields().add("path", "x".repeat(5000)).text()).hasSizeLessThan(1100).contains("xx…");
    }

    /** Callers put a key where its id belongs. */
    @Test
    void keysAreShortened() {
        var fields = new LogFields().add("path", "/v1/keys/sk-sluice-AbCdEfGhIjKl").add("prefix", "a,sk-sluice-12345678,b");
        assertThat(fields.values()).containsEntry("path", "/v1/keys/sk-sluice-AbCd…").containsEntry("prefix",
                "a,sk-sluice-1234…,b");
        assertThat(LogFields.withoutKeys("sk-sluice-AbCd")).isEqualTo("sk-sluice-AbCd");
    }
}
