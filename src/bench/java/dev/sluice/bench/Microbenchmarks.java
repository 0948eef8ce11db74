package dev.sluice.bench;

import java.util.List;
import java.util.Locale;

import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** JMH benchmarks of single components, on one thread in a forked JVM. */
final class Microbenchmarks {

    private Microbenchmarks() {
    }

    static List<BenchmarkResult> memoryStore(BenchmarkEnvironment environment) throws RunnerException {
        return List.of(measure("9", "memory store, one thread, 10,000 identities", "MemoryStoreMicrobenchmark.take", 1, "/s")
                .atLeast(3_000_000));
    }

    static List<BenchmarkResult> parts(BenchmarkEnvironment environment) throws RunnerException {
        return List.of(measure("parts", "the rules of a path (CurrentPolicy)", "PolicyMicrobenchmark.rulesFor", 1, "/s"),
                measure("parts", "a decision's headers (RateLimitHeaders)", "HeadersMicrobenchmark.write", 1, "/s"),
                measure("parts", "a decision counted for the console (TrafficRecorder)", "TrafficMicrobenchmark.count", 1,
                        "/s"),
                measure("parts", "usage of a stream (UsageExtractor)", "UsageMicrobenchmark.read", 1, "MB/s"));
    }

    private static BenchmarkResult measure(String row, String description, String benchmark, double factor, String unit)
            throws RunnerException {
        var options = new OptionsBuilder().include("\\." + benchmark.replace(".", "\\.") + "$").forks(1).threads(1)
                .warmupIterations(5).warmupTime(TimeValue.seconds(1)).measurementIterations(BenchmarkSettings.PAIRS)
                .measurementTime(TimeValue.milliseconds((long) (BenchmarkSettings.SECONDS * 500))).addProfiler(GCProfiler.class)
                .verbosity(VerboseMode.SILENT).shouldFailOnError(true).build();
        var result = new Runner(options).runSingle();
        return new BenchmarkResult(row, description, iterations(result).stream().map(score -> score * factor).toList())
                .withUnits(unit, "")
                .withNote(String.format(Locale.ROOT, "%.0f bytes allocated each",
                        result.getSecondaryResults().get("gc.alloc.rate.norm").getScore()));
    }

    private static List<Double> iterations(RunResult result) {
        return result.getBenchmarkResults().stream().flatMap(fork -> fork.getIterationResults().stream())
                .map(iteration -> iteration.getPrimaryResult().getScore()).toList();
    }
}
