package dev.sluice.testing.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Table of measurements, written to a file in {@code target}: one line per fault. */
final class ResultTable {

    static final ResultTable FAULT_RESULTS = new ResultTable("faults.md", "fault", "requests", "decided locally",
            "without a response", "5xx",
            "slowest response", "most admitted in a window, of " + FaultScenario.LIMIT, "outage detected after",
            "back on Redis after");
    static final ResultTable BURST_RESULTS = new ResultTable("bursts.md", "bursts", "rounds", "not exact", "worst", "requests",
            "not decided by Redis", "without a response", "5xx", "mode changes", "slowest response");
    static final ResultTable STEADY_LOAD_RESULTS = new ResultTable("steady.md", "steady load", "requests",
            "not decided by Redis",
            "without a response", "mode changes", "median", "slowest response");
    static final ResultTable IDENTITY_RESULTS = new ResultTable("identities.md", "fault", "requests", "keys created",
            "keys revoked", "without a response", "503", "latest admission after a revocation, instances with Redis",
            "the same, instances without Redis", "fault lasted", "back on Redis after");

    private final Path file;
    private final List<String> rows = new ArrayList<>();

    private ResultTable(String file, String... columns) {
        this.file = Path.of("target", file);
        rows.add(row((Object[]) columns));
        rows.add("|---".repeat(columns.length) + "|\n");
    }

    private static String row(Object... cells) {
        return Arrays.stream(cells).map(String::valueOf).collect(Collectors.joining(" | ", "| ", " |\n"));
    }

    synchronized void add(Object... cells) {
        rows.add(row(cells));
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, String.join("", rows));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
