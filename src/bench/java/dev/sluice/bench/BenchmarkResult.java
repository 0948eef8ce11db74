package dev.sluice.bench;

import java.util.List;

/**
 * Figure of a benchmark, and its target.
 *
 * @param values one for each pair (or measurement)
 * @param a measurements of one side; empty if there are no sides
 * @param b measurements of the other side
 * @param unit of the values; empty for a ratio
 * @param sides unit of the measurements of both sides
 * @param target null for a figure that is only for information
 * @param atLeast whether the target is a minimum or a maximum
 */
record BenchmarkResult(String row, String what, List<Double> values, List<Double> a, List<Double> b, String unit, String sides,
        Double target, boolean atLeast, String note) {

    BenchmarkResult(String row, String what, List<Double> values, List<Double> a, List<Double> b) {
        this(row, what, values, a, b, "", "/s", null, true, "");
    }

    /** Without sides. */
    BenchmarkResult(String row, String what, List<Double> values) {
        this(row, what, values, List.of(), List.of());
    }

    BenchmarkResult in(String valuesUnit, String sidesUnit) {
        return new BenchmarkResult(row, what, values, a, b, valuesUnit, sidesUnit, target, atLeast, note);
    }

    BenchmarkResult atLeast(double least) {
        return new BenchmarkResult(row, what, values, a, b, unit, sides, least, true, note);
    }

    BenchmarkResult atMost(double most) {
        return new BenchmarkResult(row, what, values, a, b, unit, sides, most, false, note);
    }

    BenchmarkResult noting(String more) {
        return new BenchmarkResult(row, what, values, a, b, unit, sides, target, atLeast,
                note.isEmpty() ? more : note + "; " + more);
    }

    double median() {
        return median(values);
    }

    static double median(List<Double> values) {
        var sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    double least() {
        return values.stream().mapToDouble(value -> value).min().orElseThrow();
    }

    double most() {
        return values.stream().mapToDouble(value -> value).max().orElseThrow();
    }

    String verdict() {
        return target == null ? "" : (atLeast ? median() >= target : median() <= target) ? "met" : "missed";
    }
}
