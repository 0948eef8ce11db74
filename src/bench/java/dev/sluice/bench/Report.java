package dev.sluice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Writes the figures to the console, {@code target/bench/results.json}, and between its marks {@code docs/benchmarks.md}. */
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

    static void print(BenchmarkResult figure) {
        System.out.printf(Locale.ROOT, "%-3s %s%n      %s (%s to %s)%s%s%s%n", figure.row(), figure.what(),
                number(figure.median()) + unit(figure.unit()), number(figure.least()), number(figure.most()),
                figure.a().isEmpty()
                        ? ""
                        : "; " + number(BenchmarkResult.median(figure.a())) + " and "
                                + number(BenchmarkResult.median(figure.b()))
                                + unit(figure.sides()),
                figure.target() == null ? "" : "; target " + target(figure) + ": " + figure.verdict(),
                figure.note().isEmpty() ? "" : " [" + figure.note() + "]");
    }

    static String target(BenchmarkResult figure) {
        return figure.target() == null ? "" : (figure.atLeast() ? "≥ " : "≤ ") + number(figure.target()) + unit(figure.unit());
    }

    static String unit(String unit) {
        return unit.isEmpty() || unit.startsWith("/") ? unit : " " + unit;
    }

    /** Three digits that count. */
    static String number(double value) {
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size >= 100 ? "%,.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", value);
    }

    /** Without digits that say nothing. */
    static String plain(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    static void results(String machine, List<BenchmarkResult> figures) throws IOException {
        var rows = new JsonArray();
        for (var figure : figures) {
            rows.add(new JsonObject().put("row", figure.row()).put("what", figure.what()).put("median", figure.median())
                    .put("min", figure.least()).put("max", figure.most()).put("unit", figure.unit())
                    .put("target", figure.target()).put("at_least", figure.atLeast()).put("verdict", figure.verdict())
                    .put("values", new JsonArray(figure.values())).put("a", new JsonArray(figure.a()))
                    .put("b", new JsonArray(figure.b())).put("sides_unit", figure.sides()).put("note", figure.note()));
        }
        var folder = Files.createDirectories(Path.of("target", "bench"));
        Files.writeString(folder.resolve("results.json"),
                new JsonObject().put("machine", machine).put("pairs", BenchmarkSettings.PAIRS)
                        .put("seconds", BenchmarkSettings.SECONDS)
                        .put("rows", rows).encodePrettily());
    }

    static void document(String machine, List<BenchmarkResult> figures) throws IOException {
        var plots = Files.createDirectories(DOCUMENT.resolveSibling("benchmarks"));
        Files.writeString(plots.resolve("targets.svg"), SvgPlot.targets(figures));
        Files.writeString(plots.resolve("sides.svg"), SvgPlot.sides(figures));
        Files.writeString(plots.resolve("latency.svg"), SvgPlot.latency(figures));
        var text = Files.readString(DOCUMENT);
        int begin = text.indexOf(BEGIN);
        int end = text.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IllegalStateException(DOCUMENT + " has no place for the figures");
        }
        Files.writeString(DOCUMENT,
                text.substring(0, begin + BEGIN.length()) + '\n' + table(machine, figures) + text.substring(end));
    }

    private static String table(String machine, List<BenchmarkResult> figures) {
        var table = new StringBuilder(machine).append(".\n\n").append("""
                | row | what | median (from, to) | the two sides | target | |
                |---|---|---|---|---|---|
                """);
        for (var figure : figures) {
            table.append("| ").append(String.join(" | ", figure.row(),
                    figure.what() + (figure.note().isEmpty() ? "" : "<br><sub>" + figure.note() + "</sub>"),
                    number(figure.median()) + unit(figure.unit())
                            + (figure.values().size() < 2
                                    ? ""
                                    : " (" + number(figure.least()) + ", " + number(figure.most()) + ")"),
                    sides(figure), target(figure), figure.verdict())).append(" |\n");
        }
        return table.append("""

                ![Medians against their targets](benchmarks/targets.svg)
                ![Both sides of each throughput](benchmarks/sides.svg)
                ![Latency at half load](benchmarks/latency.svg)
                """).toString();
    }

    private static String sides(BenchmarkResult figure) {
        return figure.a().isEmpty()
                ? ""
                : number(BenchmarkResult.median(figure.a())) + " and " + number(BenchmarkResult.median(figure.b()))
                        + unit(figure.sides());
    }
}
