package dev.sluice.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

import org.junit.jupiter.api.Test;

/**
 * Measures everything in one run: {@code ./mvnw -Pbench verify}. Figures are compared with their targets, and never fail the
 * build; unexpected responses do.
 */
class Benchmark {

    private static final Map<String, Measurement> ROWS = new LinkedHashMap<>();

    static {
        ROWS.put("1", HttpMeasurements::allAllowed);
        ROWS.put("2", HttpMeasurements::allRefused);
        ROWS.put("3", HttpMeasurements::bucket4j);
        ROWS.put("4", RedisMeasurements::inProcess);
        ROWS.put("5", RedisMeasurements::hot);
        ROWS.put("6", RedisMeasurements::memoryPerRequest);
        ROWS.put("7", RedisMeasurements::memoryOfLargeLimit);
        ROWS.put("8", RedisMeasurements::largeLimit);
        ROWS.put("9", Microbenchmarks::memoryStore);
        ROWS.put("10", HttpMeasurements::latency);
        ROWS.put("11", GatewayMeasurements::llm);
        ROWS.put("12", HttpMeasurements::allocation);
        ROWS.put("cpu", CheckMeasurements::cpu);
        ROWS.put("full", FullWindowMeasurements::fullWindows);
        ROWS.put("ring", FullWindowMeasurements::ring);
        ROWS.put("instances", CheckMeasurements::instances);
        ROWS.put("connections", CheckMeasurements::connections);
        ROWS.put("overload", CheckMeasurements::overload);
        ROWS.put("cold", CheckMeasurements::cold);
        ROWS.put("proxy", GatewayMeasurements::proxy);
        ROWS.put("script", RedisMeasurements::sortedSet);
        ROWS.put("parts", Microbenchmarks::parts);
    }

    @Test
    void run() throws Exception {
        var figures = new ArrayList<BenchmarkResult>();
        String machine;
        try (var lab = new BenchmarkEnvironment()) {
            machine = Report.machine(lab.redisVersion());
            System.out.println(machine);
            for (var row : ROWS.entrySet()) {
                if (BenchmarkSettings.wants(row.getKey())) {
                    var measured = row.getValue().measure(lab);
                    measured.forEach(Report::print);
                    figures.addAll(measured);
                }
            }
        }
        Report.results(machine, figures);
        if (BenchmarkSettings.all()) {
            Report.document(machine, figures);
        }
    }
}
