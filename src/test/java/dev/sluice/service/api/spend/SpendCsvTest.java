package dev.sluice.service.api.spend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** CSV is that of RFC 4180, and no cell is a formula. */
class SpendCsvTest {

    private static String line(Object... cells) {
        var csv = new SpendCsv();
        csv.add(Arrays.asList(cells));
        return csv.toString();
    }

    @Test
    void textsAreQuotedIfNecessaryAndNumbersStayNumbers() {
        assertThat(line("alice", null, 12L, -5L, "0.012345")).isEqualTo("alice,,12,-5,0.012345\r\n");
        assertThat(line("a,b", "say \"x\"", "two\r\nlines", "one\nline", "")).isEqualTo(
                "\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\",\"one\nline\",\r\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=HYPERLINK(\"http://x\")"})
    void formulasAreTexts(String name) {
        assertThat(line(name)).isEqualTo("\"'" + name.replace("\"", "\"\"") + "\"\r\n");
        assertThat(line("x" + name.strip()).strip()).matches("\"?x.*");
    }

    @Test
    void linesAreInOrder() {
        var csv = new SpendCsv();
        csv.add(List.of("a"));
        csv.add(List.of("b"));
        assertThat(csv).hasToString("a\r\nb\r\n");
    }
}
