package dev.sluice.testing.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What was measured, as a table in {@code target/faults.md}: a row per fault. */
final class Figures {

    private static final Path FILE = Path.of("target", "faults.md");
    private static final String HEAD = """
            | fault | requests | answered locally | without an answer | 5xx | slowest answer | most admitted in a window, of %d | out of reach noticed after | back on Redis after |
            |---|---|---|---|---|---|---|---|---|
            """;
    private static final List<String> ROWS = new ArrayList<>();

    private Figures() {
    }

    static synchronized void add(String fault, int limit, Object... cells) {
        var row = new StringBuilder("| ").append(fault);
        for (var cell : cells) {
            row.append(" | ").append(cell);
        }
        ROWS.add(row.append(" |\n").toString());
        try {
            Files.createDirectories(FILE.getParent());
            Files.writeString(FILE, HEAD.formatted(limit) + String.join("", ROWS));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
