package dev.sluice.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Two things, measured in turn: what slows the machine down for a while is charged to both. */
record PairedMeasurement<T>(List<T> a, List<T> b) {

    /** Warms both up, then measures a, b, a, b, … Both are called with the seconds that they are to take. */
    static <T> PairedMeasurement<T> measure(DoubleFunction<T> a, DoubleFunction<T> b) {
        a.apply(BenchmarkSettings.WARMUP);
        b.apply(BenchmarkSettings.WARMUP);
        var measured = new PairedMeasurement<T>(new ArrayList<>(), new ArrayList<>());
        for (int i = 0; i < BenchmarkSettings.PAIRS; i++) {
            measured.a.add(a.apply(BenchmarkSettings.SECONDS));
            measured.b.add(b.apply(BenchmarkSettings.SECONDS));
        }
        return measured;
    }

    private static <T> List<Double> all(List<T> measured, ToDoubleFunction<T> reading) {
        return measured.stream().map(reading::applyAsDouble).toList();
    }

    /** a alone, beside b. */
    BenchmarkResult first(String row, String what, ToDoubleFunction<T> reading) {
        return new BenchmarkResult(row, what, all(a, reading), all(a, reading), all(b, reading));
    }

    /** a by b. */
    BenchmarkResult ratio(String row, String what, ToDoubleFunction<T> reading) {
        return figure(row, what, reading, true);
    }

    /** a less b. */
    BenchmarkResult difference(String row, String what, ToDoubleFunction<T> reading) {
        return figure(row, what, reading, false);
    }

    private BenchmarkResult figure(String row, String what, ToDoubleFunction<T> reading, boolean ratio) {
        var first = all(a, reading);
        var second = all(b, reading);
        var values = IntStream.range(0, first.size())
                .mapToObj(i -> ratio ? first.get(i) / second.get(i) : first.get(i) - second.get(i)).toList();
        return new BenchmarkResult(row, what, values, first, second);
    }
}
