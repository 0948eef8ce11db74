package dev.sluice.bench;

import java.util.List;

/**
 * Result of a measurement and its target.
 *
 * @param row identifier of the row in the table of results
 * @param description what is compared
 * @param values one value for each pair or measurement
 * @param firstSide measurements of one side; empty if there are no sides
 * @param secondSide measurements of the other side
 * @param unit unit of the values; empty for a ratio
 * @param sidesUnit unit of the measurements of both sides
 * @param target target of the median; null if the result is only for information
 * @param atLeast whether the target is a minimum or a maximum
 * @param note conditions of the measurement
 */
record BenchmarkResult(String row, String description, List<Double> values, List<Double> firstSide, List<Double> secondSide,
        String unit, String sidesUnit,
        Double target, boolean atLeast, String note) {

    BenchmarkResult(String row, String description, List<Double> values, List<Double> firstSide, List<Double> secondSide) {
        this(row, description, values, firstSide, secondSide, "", "/s", null, true, "");
    }

    /** Creates a result without sides. */
    BenchmarkResult(String row, String description, List<Double> values) {
        this(row, description, values, List.of(), List.of());
    }

    /** Creates the result of a measurement that was not made. */
    static BenchmarkResult notMeasured(String row, String description, String reason) {
        return new BenchmarkResult(row, description, List.of()).withNote(reason);
    }

    boolean isMeasured() {
        return !values.isEmpty();
    }

    BenchmarkResult withUnits(String valuesUnit, String sidesUnit) {
        return new BenchmarkResult(row, description, values, firstSide, secondSide, valuesUnit, sidesUnit, target, atLeast,
                note);
    }

    BenchmarkResult atLeast(double minimum) {
        return new BenchmarkResult(row, description, values, firstSide, secondSide, unit, sidesUnit, minimum, true, note);
    }

    BenchmarkResult atMost(double maximum) {
        return new BenchmarkResult(row, description, values, firstSide, secondSide, unit, sidesUnit, maximum, false, note);
    }

    BenchmarkResult withNote(String addition) {
        return new BenchmarkResult(row, description, values, firstSide, secondSide, unit, sidesUnit, target, atLeast,
                note.isEmpty() ? addition : note + "; " + addition);
    }

    /** Returns NaN if there are no values, as {@link #min} and {@link #max} do. */
    double median() {
        return median(values);
    }

    static double median(List<Double> values) {
        var sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        if (sorted.isEmpty()) {
            return Double.NaN;
        }
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    double min() {
        return values.stream().mapToDouble(value -> value).min().orElse(Double.NaN);
    }

    double max() {
        return values.stream().mapToDouble(value -> value).max().orElse(Double.NaN);
    }

    String verdict() {
        return target == null || !isMeasured() ? "" : (atLeast ? median() >= target : median() <= target) ? "met" : "missed";
    }
}
