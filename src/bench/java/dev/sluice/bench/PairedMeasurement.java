package dev.sluice.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Two things, measured in turn: what slows the machine down for a while is charged to both. */
record PairedMeasurement<T>(List<T> first, List<T> second) {

    /** Warms both up, then measures a, b, a, b, … Both are called with the seconds that they are to take. */
    static <T> PairedMeasurement<T> measure(DoubleFunction<T> a, DoubleFunction<T> b) {
        a.apply(BenchmarkSettings.WARMUP);
        b.apply(BenchmarkSettings.WARMUP);
        var measured = new PairedMeasurement<T>(new ArrayList<>(), new ArrayList<>());
        for (int i = 0; i < BenchmarkSettings.PAIRS; i++) {
            measured.first.add(a.apply(BenchmarkSettings.SECONDS));
            measured.second.add(b.apply(BenchmarkSettings.SECONDS));
        }
        return measured;
    }

    private static <T> List<Double> values(List<T> measured, ToDoubleFunction<T> metric) {
        return measured.stream().map(metric::applyAsDouble).toList();
    }

    /** a alone, beside b. */
    BenchmarkResult firstSide(String row, String what, ToDoubleFunction<T> metric) {
        return new BenchmarkResult(row, what, values(first, metric), values(first, metric), values(second, metric));
    }

    /** a by b. */
    BenchmarkResult ratio(String row, String what, ToDoubleFunction<T> metric) {
        return result(row, what, metric, true);
    }

    /** a less b. */
    BenchmarkResult difference(String row, String what, ToDoubleFunction<T> metric) {
        return result(row, what, metric, false);
    }

    private BenchmarkResult result(String row, String what, ToDoubleFunction<T> metric, boolean ratio) {
        var firstValues = values(first, metric);
        var secondValues = values(second, metric);
        var values = IntStream.range(0, firstValues.size())
                .mapToObj(i -> ratio ? firstValues.get(i) / secondValues.get(i) : firstValues.get(i) - secondValues.get(i))
                .toList();
        return new BenchmarkResult(row, what, values, firstValues, secondValues);
    }
}
