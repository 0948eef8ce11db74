package dev.sluice.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Measurements of two sides in alternation, so that temporary slowness of the machine affects both. */
record PairedMeasurement<T>(List<T> first, List<T> second) {

    /** Warms up both sides, then measures a, b, a, b, … Each is called with its duration in seconds. */
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

    /** Returns the values of the first side, with the second side for information. */
    BenchmarkResult firstSide(String row, String description, ToDoubleFunction<T> metric) {
        return new BenchmarkResult(row, description, values(first, metric), values(first, metric), values(second, metric));
    }

    /** Returns the ratio of the first to the second side. */
    BenchmarkResult ratio(String row, String description, ToDoubleFunction<T> metric) {
        return result(row, description, metric, true);
    }

    /** Returns the first side minus the second side. */
    BenchmarkResult difference(String row, String description, ToDoubleFunction<T> metric) {
        return result(row, description, metric, false);
    }

    private BenchmarkResult result(String row, String description, ToDoubleFunction<T> metric, boolean ratio) {
        var firstValues = values(first, metric);
        var secondValues = values(second, metric);
        var values = IntStream.range(0, firstValues.size())
                .mapToObj(i -> ratio ? firstValues.get(i) / secondValues.get(i) : firstValues.get(i) - secondValues.get(i))
                .toList();
        return new BenchmarkResult(row, description, values, firstValues, secondValues);
    }
}
