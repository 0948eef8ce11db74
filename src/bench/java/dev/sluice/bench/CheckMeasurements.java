package dev.sluice.bench;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

import dev.sluice.testing.Instance;

/** Measures {@code POST /v1/check} of the packaged service: CPU time, several instances, many connections, overload, cold start. */
final class CheckMeasurements {

    private static final String SERVICE = "check";
    private static final int INSTANCES = 4;
    private static final int CONNECTION_COUNT = 2000;
    private static final int OVERLOAD_CONNECTIONS = 1000;
    private static final double COLD_SECONDS = 5;
    private static final double COLD_RATE = 3000;
    private static final String UNAVAILABLE_LOG_LINE = "Redis is unavailable";

    /** CPU time per decision, in microseconds. */
    private record Cost(double server, double redis, double perCall) {
    }

    private CheckMeasurements() {
    }

    private static Instance service(BenchmarkEnvironment environment, String name) {
        return environment.instance(name, BenchmarkSettings.SERVICE, Map.of());
    }

    static List<byte[]> checks(String users, int limit, int seconds) {
        return IntStream.range(0, BenchmarkEnvironment.IDENTITIES).mapToObj(i -> {
            var body = "{\"identifier\":\"" + users + i + "\",\"resource\":\"bench\",\"limit\":" + limit
                    + ",\"window_seconds\":" + seconds + "}";
            return ("POST /v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
                    + body.length() + "\r\n\r\n" + body).getBytes(StandardCharsets.US_ASCII);
        }).toList();
    }

    static List<BenchmarkResult> cpu(BenchmarkEnvironment environment) {
        var service = service(environment, SERVICE);
        var allowed = BenchmarkEnvironment.target(service, checks("cpu", 1000, 60));
        var denied = BenchmarkEnvironment.target(service, checks("denied", 1, 86_400));
        HttpLoad.once(denied).expecting(200);
        try (var baseline = BaselineServer.start()) {
            var baselineTarget = new HttpLoad.Target(baseline.port(), BenchmarkEnvironment.CONNECTIONS, allowed.requests());
            DoubleFunction<Cost> baselineCost = seconds -> baselineCost(environment, baseline, baselineTarget, seconds);
            var whenAllowed = PairedMeasurement.measure(seconds -> cost(environment, List.of(service), seconds,
                    time -> environment.load(allowed, time, 200)), baselineCost);
            var whenDenied = PairedMeasurement.measure(seconds -> cost(environment, List.of(service), seconds,
                    time -> environment.load(denied, time, 429)), baselineCost);
            var note = "second side: bare Vert.x server";
            return List.of(
                    micros(whenAllowed, "CPU time of the server per check, all allowed", Cost::server).atMost(26)
                            .withNote(note),
                    micros(whenAllowed, "CPU time of Redis per check, all allowed", Cost::redis).atMost(8)
                            .withNote(String.format(Locale.ROOT, "%.1f decisions per call", perCall(whenAllowed.first()))),
                    micros(whenDenied, "CPU time of server and Redis per check, all denied",
                            cost -> cost.server() + cost.redis()).atMost(16).withNote(note));
        }
    }

    private static BenchmarkResult micros(PairedMeasurement<Cost> comparison, String description,
            ToDoubleFunction<Cost> metric) {
        return comparison.firstSide("cpu", description, metric).withUnits("µs", "µs");
    }

    private static double perCall(List<Cost> costs) {
        return BenchmarkResult.median(costs.stream().map(Cost::perCall).toList());
    }

    private static Cost cost(BenchmarkEnvironment environment, List<Instance> instances, double seconds,
            DoubleFunction<HttpLoad.Outcome> load) {
        double server = instances.stream().mapToDouble(environment::cpuMicros).sum();
        double redis = BenchmarkEnvironment.redisCpuMicros(environment.redis());
        double calls = BenchmarkEnvironment.scriptCalls(environment.redis());
        double responses = load.apply(seconds).responses();
        return new Cost((instances.stream().mapToDouble(environment::cpuMicros).sum() - server) / responses,
                (BenchmarkEnvironment.redisCpuMicros(environment.redis()) - redis) / responses,
                responses / (BenchmarkEnvironment.scriptCalls(environment.redis()) - calls));
    }

    private static Cost baselineCost(BenchmarkEnvironment environment, ServerProcess baseline, HttpLoad.Target target,
            double seconds) {
        double before = baseline.cpuMicros();
        double responses = environment.load(target, seconds, 200).responses();
        return new Cost((baseline.cpuMicros() - before) / responses, 0, 0);
    }

    static List<BenchmarkResult> instances(BenchmarkEnvironment environment) {
        var all = new ArrayList<>(List.of(service(environment, SERVICE)));
        for (int i = 1; i < INSTANCES; i++) {
            all.add(service(environment, SERVICE + i));
        }
        var requests = checks("instances", 1000, 60);
        var one = BenchmarkEnvironment.target(all.get(0), requests);
        var four = new HttpLoad.Target(all.stream().map(Instance::port).toList(), BenchmarkEnvironment.CONNECTIONS, requests);
        environment.load(one, BenchmarkSettings.WARMUP, 200);
        environment.load(four, BenchmarkSettings.WARMUP, 200);
        double half = environment.load(one, BenchmarkSettings.SECONDS, 200).perSecond() / 2;
        var open = PairedMeasurement.measure(
                seconds -> cost(environment, all, seconds, time -> HttpLoad.open(four, time, half).expecting(200)),
                seconds -> cost(environment, all, seconds, time -> HttpLoad.open(one, time, half).expecting(200)));
        var closed = PairedMeasurement.measure(
                seconds -> cost(environment, all, seconds, time -> environment.load(four, time, 200)),
                seconds -> cost(environment, all, seconds, time -> environment.load(one, time, 200)));
        for (int i = 1; i < INSTANCES; i++) {
            environment.stop(SERVICE + i);
        }
        return List.of(
                redisCpuTime(open, "Redis's CPU time per check, four instances against one, at half load of one")
                        .withNote(String.format(Locale.ROOT, "open loop at %.0f/s", half)),
                redisCpuTime(closed, "the same with as many requests as 64 connections take"));
    }

    private static BenchmarkResult redisCpuTime(PairedMeasurement<Cost> comparison, String description) {
        return comparison.ratio("instances", description, Cost::redis).withUnits("", "µs").atMost(2)
                .withNote(String.format(Locale.ROOT,
                        "%.1f and %.1f decisions per call", perCall(comparison.first()), perCall(comparison.second())));
    }

    static List<BenchmarkResult> connections(BenchmarkEnvironment environment) {
        var service = service(environment, SERVICE);
        var requests = checks("connections", 1000, 60);
        var many = new HttpLoad.Target(service.port(), CONNECTION_COUNT, requests);
        var few = BenchmarkEnvironment.target(service, requests);
        var fallbacks = new FallbackCounter(service);
        var comparison = PairedMeasurement.measure(seconds -> fallbacks.count(environment.load(many, seconds, 200)),
                seconds -> fallbacks.count(environment.load(few, seconds, 200)));
        return List.of(
                comparison.ratio("connections", "checks over 2,000 connections against 64", HttpLoad.Outcome::perSecond)
                        .atLeast(0.8).withNote(environment.loaderCpu()),
                fallbacks.result("connections"));
    }

    static List<BenchmarkResult> overload(BenchmarkEnvironment environment) {
        var service = service(environment, SERVICE);
        var target = new HttpLoad.Target(service.port(), OVERLOAD_CONNECTIONS, checks("overload", 1000, 60));
        environment.load(target, BenchmarkSettings.WARMUP, 200);
        double full = environment.load(target, BenchmarkSettings.SECONDS, 200).perSecond();
        var fallbacks = new FallbackCounter(service);
        var figures = new ArrayList<BenchmarkResult>();
        for (int times : List.of(2, 4)) {
            var comparison = PairedMeasurement.measure(
                    seconds -> fallbacks.count(
                            environment.recordLoaderCpu(HttpLoad.overload(target, seconds, times * full).expecting(200))),
                    seconds -> fallbacks
                            .count(environment.recordLoaderCpu(HttpLoad.overload(target, seconds, full).expecting(200))));
            figures.add(comparison
                    .ratio("overload", "checks handled at " + times + " times the load that the service can handle, against 1",
                            HttpLoad.Outcome::perSecond)
                    .atLeast(0.9).withNote(String.format(Locale.ROOT, "1: %.0f/s, open loop, 1,000 connections", full))
                    .withNote(environment.loaderCpu()));
        }
        figures.add(fallbacks.result("overload"));
        return figures;
    }

    static List<BenchmarkResult> cold(BenchmarkEnvironment environment) {
        return List.of(cold(environment, true), cold(environment, false));
    }

    /** Compares the first seconds of an instance after it is ready with the same process when it is warm. */
    private static BenchmarkResult cold(BenchmarkEnvironment environment, boolean warmUp) {
        var requests = checks("cold", 1000, 60);
        var first = new ArrayList<Double>();
        var warm = new ArrayList<Double>();
        long fallback = 0;
        long responses = 0;
        for (int i = 0; i < BenchmarkSettings.PAIRS; i++) {
            try (var instance = environment.start(BenchmarkSettings.SERVICE,
                    Map.of("RATE_LIMIT_WARM_UP", Boolean.toString(warmUp)))) {
                var target = BenchmarkEnvironment.target(instance, requests);
                var cold = HttpLoad.open(target, COLD_SECONDS, COLD_RATE).expecting(200);
                fallback += cold.fallback();
                responses += cold.responses();
                first.add(cold.micros(99) / 1000);
                HttpLoad.closed(target, 2 * BenchmarkSettings.WARMUP);
                warm.add(HttpLoad.open(target, COLD_SECONDS, COLD_RATE).expecting(200).micros(99) / 1000);
            }
        }
        return new PairedMeasurement<>(first, warm)
                .ratio("cold", "p99 of checks in the first 5 s after start against the warm process, "
                        + (warmUp ? "with warm-up" : "without warm-up"), millis -> millis)
                .withUnits("", "ms").withNote(String.format(Locale.ROOT, "open loop at %.0f/s", COLD_RATE))
                .withNote(fallback + " of " + responses + " not decided by Redis");
    }

    /** Counts responses that Redis did not decide, and outages in the log. */
    private static final class FallbackCounter {

        private final Instance service;
        private final long outages;
        private long fallback;

        FallbackCounter(Instance service) {
            this.service = service;
            this.outages = outages();
        }

        private long outages() {
            return service.log().lines().filter(line -> line.contains(UNAVAILABLE_LOG_LINE)).count();
        }

        HttpLoad.Outcome count(HttpLoad.Outcome outcome) {
            fallback += outcome.fallback();
            return outcome;
        }

        BenchmarkResult result(String row) {
            return new BenchmarkResult(row, "the same: responses with X-RateLimit-Mode and outages in the log",
                    List.of((double) fallback + outages() - outages)).atMost(0);
        }
    }
}
