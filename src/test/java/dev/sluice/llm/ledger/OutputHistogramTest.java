package dev.sluice.llm.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;

import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.TokenUsage;

class OutputHistogramTest {

    private static OutputHistogram of(long... outputs) {
        var histogram = new OutputHistogram();
        LongStream.of(outputs).forEach(histogram::add);
        return histogram;
    }

    private static long quantile(OutputHistogram histogram) {
        return histogram.quantile(95, TokenUsage.MAX);
    }

    @Test
    void quantileIsTheUpperBoundOfItsBucket() {
        assertThat(quantile(of())).isZero();
        assertThat(quantile(of(0))).isEqualTo(16);
        assertThat(quantile(of(16))).isEqualTo(16);
        assertThat(quantile(of(17))).isEqualTo(19);
        assertThat(quantile(of(1024))).isEqualTo(1024);
        assertThat(quantile(of(1025))).isEqualTo(1217);
        assertThat(quantile(of(1 << 20))).isEqualTo(1 << 20);
        assertThat(quantile(of((1 << 20) + 1))).isEqualTo(TokenUsage.MAX);
        assertThat(quantile(of(TokenUsage.MAX))).isEqualTo(TokenUsage.MAX);
    }

    /** An estimate is never below the output, and at most 19 percent above it, beyond the smallest bucket. */
    @Test
    void quantileOfOneCallCoversIt() {
        for (long tokens = 0; tokens <= 1 << 20; tokens = tokens * 21 / 20 + 1) {
            assertThat(quantile(of(tokens))).isBetween(tokens, Math.max(16, (long) (tokens * 1.19) + 1));
        }
    }

    @Test
    void nineteenOfTwentyCallsAreCovered() {
        var histogram = of(LongStream.range(0, 19).map(i -> 100).toArray());
        histogram.add(50_000);
        assertThat(quantile(histogram)).isEqualTo(107);
        histogram.add(50_000);
        assertThat(quantile(histogram)).isEqualTo(55_108);
    }

    @Test
    void sumCountsTheCallsOfBoth() {
        var sum = of(10, 300);
        sum.add(of());
        sum.add(of(300));
        assertThat(sum.calls()).isEqualTo(3);
        assertThat(sum.calls(OutputHistogram.bucket(300))).isEqualTo(2);
        sum.addToBucket(3, Long.MAX_VALUE);
        sum.addToBucket(3, 5);
        assertThat(sum.calls(3)).as("capped").isEqualTo(Integer.MAX_VALUE);
    }
}
