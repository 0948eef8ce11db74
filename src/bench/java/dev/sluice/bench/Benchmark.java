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

    private static final Map<String, Row> ROWS = new LinkedHashMap<>();

    static {
        ROWS.put("1", HttpRows::allAllowed);
        ROWS.put("2", HttpRows::allRefused);
        ROWS.put("3", HttpRows::bucket4j);
        ROWS.put("4", RedisRows::inProcess);
        ROWS.put("5", RedisRows::hot);
        ROWS.put("6", RedisRows::memoryPerRequest);
        ROWS.put("7", RedisRows::memoryOfLargeLimit);
        ROWS.put("8", RedisRows::largeLimit);
        ROWS.put("9", PartRows::memoryStore);
        ROWS.put("10", HttpRows::latency);
        ROWS.put("11", GatewayRows::llm);
        ROWS.put("12", HttpRows::allocation);
        ROWS.put("cpu", CheckRows::cpu);
        ROWS.put("full", FullWindowRows::fullWindows);
        ROWS.put("ring", FullWindowRows::ring);
        ROWS.put("instances", CheckRows::instances);
        ROWS.put("connections", CheckRows::connections);
        ROWS.put("overload", CheckRows::overload);
        ROWS.put("cold", CheckRows::cold);
        ROWS.put("proxy", GatewayRows::proxy);
        ROWS.put("script", RedisRows::sortedSet);
        ROWS.put("parts", PartRows::parts);
    }

    @Test
    void run() throws Exception {
        var figures = new ArrayList<Figure>();
        String machine;
        try (var lab = new Lab()) {
            machine = Report.machine(lab.redisVersion());
            System.out.println(machine);
            for (var row : ROWS.entrySet()) {
                if (Settings.wants(row.getKey())) {
                    var measured = row.getValue().measure(lab);
                    measured.forEach(Report::print);
                    figures.addAll(measured);
                }
            }
        }
        Report.results(machine, figures);
        if (Settings.all()) {
            Report.document(machine, figures);
        }
    }
}
