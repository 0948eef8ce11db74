package dev.sluice.bench;

import java.util.List;
import java.util.Locale;
import java.util.function.DoubleSupplier;

/**
 * A server under load, with the CPU time of its processes.
 *
 * @param cpuMicros CPU time that the processes of the server have used, without Redis, in microseconds
 * @param redis whether the server makes decisions in Redis
 * @param status expected status of all responses
 */
record Contender(HttpLoad.Target target, DoubleSupplier cpuMicros, boolean redis, int status) {

    /**
     * @param serverMicros CPU time of the server per request
     * @param redisMicros CPU time of Redis per request
     */
    record Run(HttpLoad.Outcome outcome, double serverMicros, double redisMicros) {

        double perSecond() {
            return outcome.perSecond();
        }
    }

    /** Runs a closed loop. */
    Run run(BenchmarkEnvironment environment, double seconds) {
        double server = cpuMicros.getAsDouble();
        double redis = BenchmarkEnvironment.redisCpuMicros(environment.redis());
        var outcome = environment.load(target, seconds, status);
        return new Run(outcome, (cpuMicros.getAsDouble() - server) / outcome.responses(),
                (BenchmarkEnvironment.redisCpuMicros(environment.redis()) - redis) / outcome.responses());
    }

    /** Measures the ratio of the throughputs, with the CPU time per request as a note. */
    static BenchmarkResult ratio(BenchmarkEnvironment environment, String row, String description, Contender a, Contender b) {
        environment.warmUp(a.target());
        environment.warmUp(b.target());
        var comparison = PairedMeasurement.measure(seconds -> a.run(environment, seconds),
                seconds -> b.run(environment, seconds));
        return comparison.ratio(row, description, Run::perSecond)
                .withNote("CPU per request " + a.cpu(comparison.first()) + " and " + b.cpu(comparison.second()) + " µs")
                .withNote(environment.loaderCpu());
    }

    private String cpu(List<Run> runs) {
        double server = BenchmarkResult.median(runs.stream().map(Run::serverMicros).toList());
        double inRedis = BenchmarkResult.median(runs.stream().map(Run::redisMicros).toList());
        return redis
                ? String.format(Locale.ROOT, "%.1f + %.1f (Redis)", server, inRedis)
                : String.format(Locale.ROOT, "%.1f", server);
    }
}
