package dev.sluice.bench;

import java.util.List;

/** Measurement of one or more rows of the table of results. */
@FunctionalInterface
interface Measurement {

    List<BenchmarkResult> measure(BenchmarkEnvironment environment) throws Exception;
}
