package dev.sluice.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class StrictYamlReaderTest {

    private static ConfigNode read(String yaml) throws InvalidRulesFileException {
        return StrictYamlReader.read(yaml.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void keysAndValuesAreStringsAsWritten() throws InvalidRulesFileException {
        var problems = new ConfigProblems();
        var root = read("\uFEFFtiers: [on, 007, no]\nmore: a , 1.0\ndefaults: {on: 0x10, 007: 1e3, no: yes}\n");
        assertThat(root.stringList("tiers", problems)).contains(List.of("on", "007", "no"));
        assertThat(root.stringList("more", problems)).contains(List.of("a", "1.0"));
        assertThat(root.stringMap("defaults", problems)).contains(Map.of("on", "0x10", "007", "1e3", "no", "yes"));
        assertThat(root.string("missing", problems)).isEmpty();
        assertThat(problems.lines()).isEmpty();
    }

    static Stream<Arguments> invalidDocuments() {
        var deep = "a: " + "[".repeat(30) + "]".repeat(30);
        var bomb = "a: &a [x, x]\n" + IntStream.range(1, 30)
                .mapToObj(
                        i -> "k%d: &k%d [*%s, *%s]".formatted(i, i, i == 1 ? "a" : "k" + (i - 1), i == 1 ? "a" : "k" + (i - 1)))
                .collect(Collectors.joining("\n"));
        return Stream.of(Arguments.of("", "empty"), Arguments.of(" \n# only words\n", "empty"),
                Arguments.of("- a\n", "not a YAML mapping"),
                Arguments.of("just text", "not a YAML mapping"),
                Arguments.of("default: a\ntiers: b\ndefault: c\n", "line 3: default is a duplicate key"),
                Arguments.of("endpoints:\n  /a:\n    free: 1/s\n  \"/a\": {}\n", "line 4: endpoints.\"/a\" is a duplicate key"),
                Arguments.of("default: 1/s\n---\ndefault: 2/s\n", "line 2"),
                Arguments.of("default: [1/s\n", "line 2: invalid YAML"),
                Arguments.of("endpoints:\n  /a: &row {free: 1/s}\n  /b: *row\n", "alias"), Arguments.of(bomb, "lias"),
                Arguments.of("a: &a\n  b: *a\n", "alias"), Arguments.of(deep, "epth"),
                Arguments.of("a: !!java.net.URL [x]\n", "invalid YAML: Global tag"),
                Arguments.of("a: !secret x\n", "line 1: tags"),
                Arguments.of("a: !5xx\n", "line 1: tags (!) are not supported; put a value that begins with '!' in quotes"),
                Arguments.of("b: 1\na: [401, !5xx, 2]\n", "put a value that begins with '!' in quotes"),
                Arguments.of("a: [!5xx]\n", "put a value that begins with '!' in quotes"),
                Arguments.of("? [a, b]\n: c\n", "a key must be a single value"),
                Arguments.of("a: [[b]]\n", "an item of a list must be a single value"),
                Arguments.of("a: |\n  b\n  c\n", "a single line"),
                Arguments.of("a: \"b\\nWARN c\"\n", "control characters"), Arguments.of("a: \u0000\n", "invalid YAML"),
                Arguments.of("a\t: b\n\tc: d", "invalid YAML"), Arguments.of("a: " + "x".repeat(5000), "at most 4096"));
    }

    @ParameterizedTest
    @MethodSource("invalidDocuments")
    void invalidDocumentIsRejected(String yaml, String message) {
        assertThatThrownBy(() -> read(yaml)).isInstanceOf(InvalidRulesFileException.class).hasMessageContaining(message);
    }

    @Test
    void otherEncodingThanUtf8IsRejected() {
        assertThatThrownBy(() -> StrictYamlReader.read(new byte[]{'a', ':', ' ', (byte) 0xff})).hasMessageContaining("UTF-8");
    }

    @Test
    void messagesQuoteNothingOfTheFile() {
        assertThatThrownBy(() -> read("api-keys:\n  me: {sha256: the-secret, user: [me}\n"))
                .hasMessageNotContaining("the-secret");
    }
}
