package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;

/** Profiles the service under the load of a row with async-profiler, if {@code sluice.bench.profiler} is set. */
final class Profiler {

    private static final double MIN_SECONDS = 10;

    private Profiler() {
    }

    /** Returns environment variables of an instance that is to be profiled. */
    static Map<String, String> environment() {
        return isEnabled()
                ? Map.of("JAVA_TOOL_OPTIONS", "-XX:+UnlockDiagnosticVMOptions -XX:+DebugNonSafepoints")
                : Map.of();
    }

    private static boolean isEnabled() {
        return !BenchmarkSettings.PROFILER.isEmpty();
    }

    /**
     * Runs a load for at least ten seconds and writes the collapsed stacks to {@code target/bench/<row>.collapsed}.
     *
     * @param load called with its duration in seconds, after the process has been warmed up
     */
    static void profile(String row, long pid, DoubleConsumer load) {
        if (!isEnabled()) {
            return;
        }
        var file = createFolder().resolve(row + ".collapsed").toAbsolutePath();
        run("start", "-e", BenchmarkSettings.PROFILER_EVENT, Long.toString(pid));
        try {
            load.accept(Math.max(MIN_SECONDS, BenchmarkSettings.SECONDS));
        } finally {
            run("stop", "-o", "collapsed", "-f", file.toString(), Long.toString(pid));
        }
        System.out.println(row + ": " + BenchmarkSettings.PROFILER_EVENT + " profile in " + file);
    }

    private static Path createFolder() {
        try {
            return Files.createDirectories(BenchmarkSettings.OUTPUT);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void run(String... arguments) {
        var command = new ArrayList<String>();
        if (BenchmarkSettings.PROFILER.endsWith(".jar")) {
            command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar",
                    BenchmarkSettings.PROFILER, "profiler"));
        } else {
            command.add(BenchmarkSettings.PROFILER);
        }
        command.addAll(List.of(arguments));
        try {
            int exitCode = new ProcessBuilder(command).inheritIO().start().waitFor();
            if (exitCode != 0) {
                throw new IllegalStateException(command + " exited with " + exitCode);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
