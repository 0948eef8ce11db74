package dev.sluice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Writes the results to the console, {@code target/bench/results.json}, and between its markers {@code docs/benchmarks.md}. */
final class Report {

    private static final Path DOCUMENT = Path.of("docs", "benchmarks.md");
    private static final String BEGIN = "<!-- figures:begin -->";
    private static final String END = "<!-- figures:end -->";

    private Report() {
    }

    static String machine(String redis) {
        return String.format(Locale.ROOT, "%s, %d cores, Redis %s, Java %s (%s), %s %s; %d pairs of %s s", LocalDate.now(),
                Runtime.getRuntime().availableProcessors(), redis, System.getProperty("java.version"),
                System.getProperty("java.vendor"),
                System.getProperty("os.name"), System.getProperty("os.arch"),
                BenchmarkSettings.PAIRS, plain(BenchmarkSettings.SECONDS));
    }

    static void print(BenchmarkResult result) {
        if (!result.isMeasured()) {
            System.out.printf(Locale.ROOT, "%-3s %s%n      not measured [%s]%n", result.row(), result.description(),
                    result.note());
            return;
        }
        System.out.printf(Locale.ROOT, "%-3s %s%n      %s (%s to %s)%s%s%s%n", result.row(), result.description(),
                number(result.median()) + unit(result.unit()), number(result.min()), number(result.max()),
                result.firstSide().isEmpty()
                        ? ""
                        : "; " + number(BenchmarkResult.median(result.firstSide())) + " and "
                                + number(BenchmarkResult.median(result.secondSide()))
                                + unit(result.sidesUnit()),
                result.target() == null ? "" : "; target " + target(result) + ": " + result.verdict(),
                result.note().isEmpty() ? "" : " [" + result.note() + "]");
    }

    static String target(BenchmarkResult result) {
        return result.target() == null ? "" : (result.atLeast() ? "≥ " : "≤ ") + number(result.target()) + unit(result.unit());
    }

    static String unit(String unit) {
        return unit.isEmpty() || unit.startsWith("/") ? unit : " " + unit;
    }

    /** Formats a number with three significant digits. */
    static String number(double value) {
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size >= 100 ? "%,.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", value);
    }

    /** Formats a number without trailing zeros. */
    static String plain(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    static void results(String machine, List<BenchmarkResult> results) throws IOException {
        var rows = new JsonArray();
        for (var result : results) {
            rows.add(new JsonObject().put("row", result.row()).put("what", result.description())
                    .put("median", jsonNumber(result.median())).put("min", jsonNumber(result.min()))
                    .put("max", jsonNumber(result.max())).put("unit", result.unit())
                    .put("target", result.target()).put("at_least", result.atLeast()).put("verdict", result.verdict())
                    .put("values", new JsonArray(result.values())).put("a", new JsonArray(result.firstSide()))
                    .put("b", new JsonArray(result.secondSide())).put("sides_unit", result.sidesUnit())
                    .put("note", result.note()));
        }
        var folder = Files.createDirectories(BenchmarkSettings.OUTPUT);
        Files.writeString(folder.resolve("results.json"),
                new JsonObject().put("machine", machine).put("pairs", BenchmarkSettings.PAIRS)
                        .put("seconds", BenchmarkSettings.SECONDS)
                        .put("rows", rows).encodePrettily());
    }

    /** Returns null for NaN, which JSON does not have. */
    private static Double jsonNumber(double value) {
        return Double.isNaN(value) ? null : value;
    }

    static void document(String machine, List<BenchmarkResult> results) throws IOException {
        var plots = Files.createDirectories(DOCUMENT.resolveSibling("benchmarks"));
        Files.writeString(plots.resolve("targets.svg"), SvgPlot.targets(results));
        Files.writeString(plots.resolve("sides.svg"), SvgPlot.sides(results));
        Files.writeString(plots.resolve("latency.svg"), SvgPlot.latency(results));
        var text = Files.readString(DOCUMENT);
        int begin = text.indexOf(BEGIN);
        int end = text.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IllegalStateException(DOCUMENT + " has no markers for the results");
        }
        Files.writeString(DOCUMENT,
                text.substring(0, begin + BEGIN.length()) + '\n' + table(machine, results) + text.substring(end));
    }

    private static String table(String machine, List<BenchmarkResult> results) {
        var table = new StringBuilder(machine).append(".\n\n").append("""
                | row | what | median (from, to) | the two sides | target | |
                |---|---|---|---|---|---|
                """);
        for (var result : results) {
            table.append("| ").append(String.join(" | ", result.row(),
                    result.description() + (result.note().isEmpty() ? "" : "<br><sub>" + result.note() + "</sub>"),
                    !result.isMeasured()
                            ? "not measured"
                            : number(result.median()) + unit(result.unit())
                                    + (result.values().size() < 2
                                            ? ""
                                            : " (" + number(result.min()) + ", " + number(result.max()) + ")"),
                    sides(result), target(result), result.verdict())).append(" |\n");
        }
        return table.append("""

                ![Medians against their targets](benchmarks/targets.svg)
                ![Both sides of each throughput](benchmarks/sides.svg)
                ![Latency at half load](benchmarks/latency.svg)
                """).toString();
    }

    private static String sides(BenchmarkResult result) {
        return result.firstSide().isEmpty()
                ? ""
                : number(BenchmarkResult.median(result.firstSide())) + " and "
                        + number(BenchmarkResult.median(result.secondSide())) + unit(result.sidesUnit());
    }
}
