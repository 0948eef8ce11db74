package dev.sluice.bench;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** The run's settings, all of them system properties {@code sluice.bench.*}. */
final class BenchmarkSettings {

    /** How often both sides of a row are measured. */
    static final int PAIRS = Integer.getInteger("sluice.bench.pairs", 5);
    /** How long one measurement takes. */
    static final double SECONDS = Double.parseDouble(System.getProperty("sluice.bench.seconds", "4"));
    /** How long each side is loaded before its first measurement; a process that is new, twice as long before that. */
    static final double WARMUP = Double.parseDouble(System.getProperty("sluice.bench.warmup", "8"));
    /** The application under load. */
    static final Path APP = Path.of(System.getProperty("sluice.bench.app", "target/bench-app/quarkus-app/quarkus-run.jar"));
    /** The service under load. */
    static final Path SERVICE = Path.of(System.getProperty("sluice.service.jar", "target/quarkus-app/quarkus-run.jar"));
    /** Empty: the one of the PATH, if there is one. */
    static final String REDIS_BENCHMARK = System.getProperty("sluice.bench.redis-benchmark", "");

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
