package dev.sluice.bench;

import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;

/** Plots of the figures, as SVG. */
final class SvgPlot {

    private static final int WIDTH = 900;
    private static final int LABELS = 430;
    private static final int LINE = 26;
    private static final int TOP = 50;
    private static final String FIRST_COLOUR = "#1f77b4";
    private static final String SECOND_COLOUR = "#9a9a9a";
    private static final String MISSED = "#d62728";

    private final StringBuilder svg = new StringBuilder();

    private SvgPlot(String title, int height) {
        svg.append(String.format(Locale.ROOT, """
                <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" \
                font-family="sans-serif" font-size="12">
                <rect width="100%%" height="100%%" fill="white"/>
                """, WIDTH, height, WIDTH, height));
        text(10, 22, "start", title);
    }

    private void text(double x, double y, String anchor, String text) {
        svg.append(String.format(Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n", x, y, anchor,
                text.replace("&", "&amp;").replace("<", "&lt;")));
    }

    private void line(double x1, double y1, double x2, double y2, String colour) {
        svg.append(String.format(Locale.ROOT,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"1.5\"/>%n", x1, y1, x2, y2,
                colour));
    }

    private void dot(double x, double y, String colour) {
        svg.append(String.format(Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>%n", x, y, colour));
    }

    private void bar(double x, double y, double width, String colour) {
        svg.append(String.format(Locale.ROOT, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"9\" fill=\"%s\"/>%n", x, y,
                width,
                colour));
    }

    private String end() {
        return svg.append("</svg>\n").toString();
    }

    /** Plots each result relative to its target: median, minimum and maximum. */
    static String targets(List<BenchmarkResult> results) {
        var shown = results.stream().filter(result -> result.target() != null && result.isMeasured()).toList();
        int bottom = TOP + shown.size() * LINE;
        var plot = new SvgPlot(
                "Results relative to their targets: right of 1 is better (median, minimum and maximum; logarithmic)",
                bottom + 30);
        DoubleUnaryOperator x = better -> LABELS + 20
                + (Math.log10(Math.max(0.03, Math.min(30, better))) + 1.5) / 3 * (WIDTH - LABELS - 50);
        for (double tick : new double[]{0.1, 0.3, 1, 3, 10}) {
            plot.line(x.applyAsDouble(tick), TOP - 10, x.applyAsDouble(tick), bottom, tick == 1 ? "black" : "#dddddd");
            plot.text(x.applyAsDouble(tick), bottom + 18, "middle", Report.plain(tick));
        }
        for (int i = 0; i < shown.size(); i++) {
            var result = shown.get(i);
            double y = TOP + i * LINE + 10;
            var colour = result.verdict().equals("met") ? FIRST_COLOUR : MISSED;
            plot.text(10, y + 4, "start", label(result));
            plot.line(x.applyAsDouble(better(result, result.min())), y, x.applyAsDouble(better(result, result.max())), y,
                    colour);
            plot.dot(x.applyAsDouble(better(result, result.median())), y, colour);
        }
        return plot.end();
    }

    private static double better(BenchmarkResult result, double value) {
        return result.atLeast() ? value / result.target() : value <= 0 ? Double.MAX_VALUE : result.target() / value;
    }

    /** Plots both sides of each throughput. */
    static String sides(List<BenchmarkResult> results) {
        var shown = results.stream().filter(result -> result.sidesUnit().equals("/s") && !result.firstSide().isEmpty())
                .toList();
        var plot = new SvgPlot("Throughput of both sides, per second (blue: the first, grey: what it is compared with)",
                TOP + shown.size() * LINE + 10);
        double most = shown.stream()
                .mapToDouble(result -> Math.max(BenchmarkResult.median(result.firstSide()),
                        BenchmarkResult.median(result.secondSide())))
                .max()
                .orElse(1);
        for (int i = 0; i < shown.size(); i++) {
            var result = shown.get(i);
            double y = TOP + i * LINE;
            plot.text(10, y + 12, "start", label(result));
            plot.side(BenchmarkResult.median(result.firstSide()), most, y, FIRST_COLOUR);
            plot.side(BenchmarkResult.median(result.secondSide()), most, y + 10, SECOND_COLOUR);
        }
        return plot.end();
    }

    private void side(double value, double most, double y, String colour) {
        double width = value / most * (WIDTH - LABELS - 90);
        bar(LABELS + 20, y, width, colour);
        text(LABELS + 24 + width, y + 9, "start", Report.number(value));
    }

    /** Plots the latency percentiles. */
    static String latency(List<BenchmarkResult> results) {
        var shown = results.stream()
                .filter(result -> result.description().contains("half load, p") && result.row().equals("10"))
                .toList();
        int bottom = 300;
        var plot = new SvgPlot("Latency at half load, in ms (blue: limited, grey: not limited; logarithmic)", bottom + 40);
        DoubleUnaryOperator y = millis -> bottom
                - (Math.log10(Math.max(0.05, Math.min(100, millis))) - Math.log10(0.05)) / Math.log10(2000) * (bottom - TOP);
        for (double tick : new double[]{0.1, 0.3, 1, 3, 10, 30, 100}) {
            plot.line(60, y.applyAsDouble(tick), WIDTH - 20, y.applyAsDouble(tick), "#dddddd");
            plot.text(50, y.applyAsDouble(tick) + 4, "end", Report.plain(tick));
        }
        for (int i = 0; i < shown.size(); i++) {
            var result = shown.get(i);
            double x = 130 + i * 210;
            plot.text(x, bottom + 20, "middle", result.description().substring(result.description().lastIndexOf(' ') + 1));
            plot.point(x, result.firstSide(), i == 0 ? null : shown.get(i - 1).firstSide(), y, FIRST_COLOUR);
            plot.point(x, result.secondSide(), i == 0 ? null : shown.get(i - 1).secondSide(), y, SECOND_COLOUR);
        }
        return plot.end();
    }

    private void point(double x, List<Double> values, List<Double> before, DoubleUnaryOperator y, String colour) {
        double here = y.applyAsDouble(BenchmarkResult.median(values));
        dot(x, here, colour);
        text(x + 8, here - 6, "start", Report.number(BenchmarkResult.median(values)));
        if (before != null) {
            line(x - 210, y.applyAsDouble(BenchmarkResult.median(before)), x, here, colour);
        }
    }

    private static String label(BenchmarkResult result) {
        var label = result.row() + "  " + result.description();
        return label.length() > 70 ? label.substring(0, 69) + "…" : label;
    }
}
