package dev.sluice.bench;

import java.util.List;

/** A row of the benchmark: what is compared, and how. */
@FunctionalInterface
interface Measurement {

    List<BenchmarkResult> measure(BenchmarkEnvironment environment) throws Exception;
}
