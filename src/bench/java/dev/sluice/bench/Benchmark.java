package dev.sluice.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

import org.junit.jupiter.api.Test;

/**
 * Runs all measurements: {@code ./mvnw -Pbench verify}. Unexpected responses fail the build; results that miss their targets do
 * not.
 */
class Benchmark {

    private static final Map<String, Measurement> MEASUREMENTS = new LinkedHashMap<>();

    static {
        MEASUREMENTS.put("1", HttpMeasurements::allAllowed);
        MEASUREMENTS.put("2", HttpMeasurements::allDenied);
        MEASUREMENTS.put("3", HttpMeasurements::bucket4j);
        MEASUREMENTS.put("4", RedisMeasurements::decisionsInProcess);
        MEASUREMENTS.put("5", RedisMeasurements::hotIdentity);
        MEASUREMENTS.put("6", RedisMeasurements::memoryPerRequest);
        MEASUREMENTS.put("7", RedisMeasurements::memoryOfLargeLimit);
        MEASUREMENTS.put("8", RedisMeasurements::largeLimit);
        MEASUREMENTS.put("9", Microbenchmarks::memoryStore);
        MEASUREMENTS.put("10", HttpMeasurements::latency);
        MEASUREMENTS.put("11", LlmGatewayMeasurements::llm);
        MEASUREMENTS.put("12", HttpMeasurements::allocation);
        MEASUREMENTS.put("cpu", CheckMeasurements::cpu);
        MEASUREMENTS.put("full", FullWindowMeasurements::fullWindows);
        MEASUREMENTS.put("ring", FullWindowMeasurements::ring);
        MEASUREMENTS.put("instances", CheckMeasurements::instances);
        MEASUREMENTS.put("connections", CheckMeasurements::connections);
        MEASUREMENTS.put("overload", CheckMeasurements::overload);
        MEASUREMENTS.put("cold", CheckMeasurements::cold);
        MEASUREMENTS.put("hop", ApiGatewayMeasurements::hop);
        MEASUREMENTS.put("proxy", ApiGatewayMeasurements::proxy);
        MEASUREMENTS.put("envoy", ApiGatewayMeasurements::envoy);
        MEASUREMENTS.put("ratelimit", ApiGatewayMeasurements::rateLimit);
        MEASUREMENTS.put("rls", ProxyServiceMeasurements::allowed);
        MEASUREMENTS.put("rls-denied", ProxyServiceMeasurements::denied);
        MEASUREMENTS.put("forward-auth", ProxyServiceMeasurements::forwardAuth);
        MEASUREMENTS.put("chain", ChainMeasurements::chain);
        MEASUREMENTS.put("identities", IdentityMeasurements::identities);
        MEASUREMENTS.put("consoles", ConsoleMeasurements::consoles);
        MEASUREMENTS.put("denied", ApiGatewayMeasurements::denied);
        MEASUREMENTS.put("llm-hop", LlmGatewayMeasurements::llmHop);
        MEASUREMENTS.put("portkey", LlmGatewayMeasurements::portkey);
        MEASUREMENTS.put("first-byte", StreamMeasurements::firstByte);
        MEASUREMENTS.put("streams", StreamMeasurements::openStreams);
        MEASUREMENTS.put("idle", ApiGatewayMeasurements::idleClients);
        MEASUREMENTS.put("script", RedisMeasurements::sortedSetScript);
        MEASUREMENTS.put("parts", Microbenchmarks::parts);
    }

    @Test
    void run() throws Exception {
        var results = new ArrayList<BenchmarkResult>();
        String machine;
        try (var environment = new BenchmarkEnvironment()) {
            machine = Report.machine(environment.redisVersion());
            System.out.println(machine);
            for (var measurement : MEASUREMENTS.entrySet()) {
                if (BenchmarkSettings.isSelected(measurement.getKey())) {
                    var measured = measurement.getValue().measure(environment);
                    measured.forEach(Report::print);
                    results.addAll(measured);
                }
            }
        }
        Report.results(machine, results);
        if (BenchmarkSettings.isComplete()) {
            Report.document(machine, results);
        }
    }
}
