package dev.sluice.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;

/** A policy's name is a string of RFC 9651, section 3.3.3, whatever the resource is called. */
class PolicyNameQuotingTest {

    private static final Instant NOW = Instant.ofEpochSecond(1_700_000_000);

    private static MultiMap written(QuotaStatus... quotas) {
        var headers = HttpHeaders.headers();
        new RateLimitHeaders().write(headers, new Decision(true, false, DecisionMode.REDIS, NOW, List.of(quotas)));
        return headers;
    }

    private static QuotaStatus quota(String resource, long seconds) {
        return new QuotaStatus("user:a", resource, QuotaUnit.REQUESTS, 10, Duration.ofSeconds(seconds), 4,
                Optional.of(NOW.plusSeconds(seconds)), false, Optional.empty());
    }

    /** Returns the written string with its quotes, after comparing both fields. */
    private static String quoted(String resource) {
        var headers = written(quota(resource, 60));
        var policy = headers.get("RateLimit-Policy");
        var name = policy.substring(0, policy.lastIndexOf(";q=10;w=60"));
        assertThat(headers.get("RateLimit")).isEqualTo(name + ";r=4;t=60");
        return name;
    }

    /** Parses a string as RFC 9651, section 4.2.5, prescribes; fails where that fails. */
    private static String parsed(String field) {
        var text = new StringBuilder();
        assertThat(field).startsWith("\"");
        for (int i = 1; i < field.length(); i++) {
            char c = field.charAt(i);
            if (c == '\\') {
                c = field.charAt(++i);
                assertThat(c).as("escaped in %s", field).isIn('"', '\\');
            } else if (c == '"') {
                assertThat(i).as("end of %s", field).isEqualTo(field.length() - 1);
                return text.toString();
            } else {
                assertThat(c).as("character of %s", field).isBetween(' ', '~');
            }
            text.append(c);
        }
        throw new AssertionError("no end: " + field);
    }

    /** The quote character of the CSV source is the apostrophe. */
    @ParameterizedTest
    @CsvSource({"api:/a, \"api:/a\"", "say \"hi\", \"say \\\"hi\\\"\"", "back\\slash, \"back\\\\slash\"",
            "ends\\, \"ends\\\\\"", "\\\", \"\\\\\\\"\"", "'semi;colon, comma', '\"semi;colon, comma\"'", "'', '\"\"'",
            "100%, \"100%\""})
    void quotesAndBackslashesAreEscapedAndOtherPrintableCharactersAreNot(String resource, String expected) {
        assertThat(quoted(resource)).isEqualTo(expected);
        assertThat(parsed(quoted(resource))).isEqualTo(resource);
    }

    @ParameterizedTest
    @CsvSource({"größe, \"gr%C3%B6%C3%9Fe\"", "限, \"%E9%99%90\"", "😀, \"%F0%9F%98%80\""})
    void charactersBeyondAsciiArePercentEncodedUtf8(String resource, String expected) {
        assertThat(quoted(resource)).isEqualTo(expected);
    }

    @Test
    void controlCharactersCannotEndTheHeader() {
        assertThat(quoted("a\r\nSet-Cookie: b")).isEqualTo("\"a%0D%0ASet-Cookie: b\"");
        assertThat(quoted("\0\t\u001f\u007f")).isEqualTo("\"%00%09%1F%7F\"");
    }

    @Test
    void everyCharacterOfLatin1GivesAStringThatParsersAccept() {
        IntStream.rangeClosed(0, 0xff).forEach(c -> assertThat(parsed(quoted("a" + (char) c + "b"))).startsWith("a")
                .endsWith("b"));
    }

    @Test
    void unpairedSurrogateGivesAStringThatParsersAccept() {
        assertThat(parsed(quoted("a\ud800b"))).isEqualTo("a?b").isEqualTo(
                new String("a\ud800b".getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8));
    }

    /** The window's length is a part of the name then, and is inside the quotes. */
    @Test
    void severalWindowsOfOneResourceAreQuotedWithTheirLengths() {
        var headers = written(quota("a\"b", 60), quota("a\"b", 3600), quota("c\\d", 60));
        assertThat(headers.get("RateLimit-Policy"))
                .isEqualTo("\"a\\\"b/60\";q=10;w=60, \"a\\\"b/3600\";q=10;w=3600, \"c\\\\d\";q=10;w=60");
        assertThat(headers.get("RateLimit"))
                .isEqualTo("\"a\\\"b/60\";r=4;t=60, \"a\\\"b/3600\";r=4;t=3600, \"c\\\\d\";r=4;t=60");
    }

    /** Names are cached; the cache is emptied when it is full. */
    @Test
    void nameIsTheSameWhenItIsWrittenAgain() {
        for (int i = 0; i < 2500; i++) {
            assertThat(quoted("r\"" + i)).isEqualTo("\"r\\\"" + i + "\"");
            assertThat(quoted("r\"0")).isEqualTo("\"r\\\"0\"");
        }
    }
}
