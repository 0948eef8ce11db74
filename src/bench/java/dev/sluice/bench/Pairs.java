package dev.sluice.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Two things, measured in turn: what slows the machine down for a while is charged to both. */
record Pairs<T>(List<T> a, List<T> b) {

    /** Warms both up, then measures a, b, a, b, … Both are called with the seconds that they are to take. */
    static <T> Pairs<T> measure(DoubleFunction<T> a, DoubleFunction<T> b) {
        a.apply(Settings.WARMUP);
        b.apply(Settings.WARMUP);
        var measured = new Pairs<T>(new ArrayList<>(), new ArrayList<>());
        for (int i = 0; i < Settings.PAIRS; i++) {
            measured.a.add(a.apply(Settings.SECONDS));
            measured.b.add(b.apply(Settings.SECONDS));
        }
        return measured;
    }

    private static <T> List<Double> all(List<T> measured, ToDoubleFunction<T> reading) {
        return measured.stream().map(reading::applyAsDouble).toList();
    }

    /** a alone, beside b. */
    Figure first(String row, String what, ToDoubleFunction<T> reading) {
        return new Figure(row, what, all(a, reading), all(a, reading), all(b, reading));
    }

    /** a by b. */
    Figure ratio(String row, String what, ToDoubleFunction<T> reading) {
        return figure(row, what, reading, true);
    }

    /** a less b. */
    Figure difference(String row, String what, ToDoubleFunction<T> reading) {
        return figure(row, what, reading, false);
    }

    private Figure figure(String row, String what, ToDoubleFunction<T> reading, boolean ratio) {
        var first = all(a, reading);
        var second = all(b, reading);
        var values = IntStream.range(0, first.size())
                .mapToObj(i -> ratio ? first.get(i) / second.get(i) : first.get(i) - second.get(i)).toList();
        return new Figure(row, what, values, first, second);
    }
}
