package dev.sluice.service.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RefusedLinesTest {

    private final RefusedLines lines = new RefusedLines(2, 100);

    @Test
    void refusedCallsAreBoundedInEachPeriod() {
        long start = Long.MAX_VALUE - 50; // System.nanoTime may overflow
        assertThat(lines.takeSuppressed(false, start)).isZero();
        assertThat(lines.takeSuppressed(false, start + 1)).isZero();
        assertThat(lines.takeSuppressed(false, start + 2)).isEqualTo(-1);
        assertThat(lines.takeSuppressed(false, start + 99)).isEqualTo(-1);
        assertThat(lines.takeSuppressed(false, start + 100)).isEqualTo(2);
        assertThat(lines.takeSuppressed(false, start + 101)).isZero();
        assertThat(lines.takeSuppressed(false, start + 102)).isEqualTo(-1);
    }

    @Test
    void otherCallsAreAlwaysLoggedAndReportTheMissingOnes() {
        for (int i = 0; i < 5; i++) {
            lines.takeSuppressed(false, i);
        }
        assertThat(lines.takeSuppressed(true, 5)).isEqualTo(3);
        for (int i = 0; i < 100; i++) {
            assertThat(lines.takeSuppressed(true, 6)).isZero();
        }
        assertThat(lines.takeSuppressed(false, 7)).isEqualTo(-1);
    }
}
