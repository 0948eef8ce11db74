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

/** {@code POST /v1/check} of the packaged service: its cost, and what many instances, connections and requests do to it. */
final class CheckMeasurements {

    private static final String SERVICE = "check";
    private static final int INSTANCES = 4;
    private static final int MANY_CONNECTIONS = 2000;
    private static final int OVERLOAD_CONNECTIONS = 1000;
    private static final double COLD_SECONDS = 5;
    private static final double COLD_RATE = 3000;
    private static final String OUT_OF_REACH = "Redis is unavailable";

    /** CPU time per decision, in microseconds. */
    private record Cost(double server, double redis, double perCall) {
    }

    private CheckMeasurements() {
    }

    private static Instance service(BenchmarkEnvironment lab, String name) {
        return lab.instance(name, BenchmarkSettings.SERVICE, Map.of());
    }

    private static List<byte[]> checks(String users, int limit, int seconds) {
        return IntStream.range(0, BenchmarkEnvironment.IDENTITIES).mapToObj(i -> {
            var body = "{\"identifier\":\"" + users + i + "\",\"resource\":\"bench\",\"limit\":" + limit
                    + ",\"window_seconds\":" + seconds + "}";
            return ("POST /v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
                    + body.length() + "\r\n\r\n" + body).getBytes(StandardCharsets.US_ASCII);
        }).toList();
    }

    static List<BenchmarkResult> cpu(BenchmarkEnvironment lab) {
        var service = service(lab, SERVICE);
        var allowed = BenchmarkEnvironment.target(service, checks("cpu", 1000, 60));
        var denied = BenchmarkEnvironment.target(service, checks("denied", 1, 86_400));
        HttpLoad.once(denied).expecting(200);
        try (var bare = BaselineServer.start()) {
            var yardstick = new HttpLoad.Target(bare.port(), BenchmarkEnvironment.CONNECTIONS, allowed.requests());
            DoubleFunction<Cost> bareCost = seconds -> bareCost(lab, bare, yardstick, seconds);
            var whenAllowed = PairedMeasurement.measure(seconds -> cost(lab, List.of(service), seconds,
                    time -> lab.load(allowed, time, 200)), bareCost);
            var whenDenied = PairedMeasurement.measure(seconds -> cost(lab, List.of(service), seconds,
                    time -> lab.load(denied, time, 429)), bareCost);
            var note = "second side: bare Vert.x server";
            return List.of(
                    micros(whenAllowed, "CPU time of the server per check, all allowed", Cost::server).atMost(26).noting(note),
                    micros(whenAllowed, "CPU time of Redis per check, all allowed", Cost::redis).atMost(8)
                            .noting(String.format(Locale.ROOT, "%.1f decisions per call", perCall(whenAllowed.a()))),
                    micros(whenDenied, "CPU time of server and Redis per check, all denied",
                            cost -> cost.server() + cost.redis()).atMost(16).noting(note));
        }
    }

    private static BenchmarkResult micros(PairedMeasurement<Cost> pairs, String what, ToDoubleFunction<Cost> reading) {
        return pairs.first("cpu", what, reading).in("µs", "µs");
    }

    private static double perCall(List<Cost> costs) {
        return BenchmarkResult.median(costs.stream().map(Cost::perCall).toList());
    }

    private static Cost cost(BenchmarkEnvironment lab, List<Instance> instances, double seconds,
            DoubleFunction<HttpLoad.Outcome> load) {
        double server = instances.stream().mapToDouble(lab::cpuMicros).sum();
        double redis = BenchmarkEnvironment.redisCpuMicros(lab.redis());
        double calls = BenchmarkEnvironment.scriptCalls(lab.redis());
        double answers = load.apply(seconds).answers();
        return new Cost((instances.stream().mapToDouble(lab::cpuMicros).sum() - server) / answers,
                (BenchmarkEnvironment.redisCpuMicros(lab.redis()) - redis) / answers,
                answers / (BenchmarkEnvironment.scriptCalls(lab.redis()) - calls));
    }

    private static Cost bareCost(BenchmarkEnvironment lab, BaselineServer bare, HttpLoad.Target target, double seconds) {
        double before = bare.cpuMicros();
        double answers = lab.load(target, seconds, 200).answers();
        return new Cost((bare.cpuMicros() - before) / answers, 0, 0);
    }

    static List<BenchmarkResult> instances(BenchmarkEnvironment lab) {
        var all = new ArrayList<>(List.of(service(lab, SERVICE)));
        for (int i = 1; i < INSTANCES; i++) {
            all.add(service(lab, SERVICE + i));
        }
        var requests = checks("instances", 1000, 60);
        var one = BenchmarkEnvironment.target(all.get(0), requests);
        var four = new HttpLoad.Target(all.stream().map(Instance::port).toList(), BenchmarkEnvironment.CONNECTIONS, requests);
        lab.load(one, BenchmarkSettings.WARMUP, 200);
        lab.load(four, BenchmarkSettings.WARMUP, 200);
        double half = lab.load(one, BenchmarkSettings.SECONDS, 200).perSecond() / 2;
        var open = PairedMeasurement.measure(
                seconds -> cost(lab, all, seconds, time -> HttpLoad.open(four, time, half).expecting(200)),
                seconds -> cost(lab, all, seconds, time -> HttpLoad.open(one, time, half).expecting(200)));
        var closed = PairedMeasurement.measure(seconds -> cost(lab, all, seconds, time -> lab.load(four, time, 200)),
                seconds -> cost(lab, all, seconds, time -> lab.load(one, time, 200)));
        for (int i = 1; i < INSTANCES; i++) {
            lab.stop(SERVICE + i);
        }
        return List.of(
                redisTime(open, "Redis's CPU time per check, four instances against one, at half load of one")
                        .noting(String.format(Locale.ROOT, "open loop at %.0f/s", half)),
                redisTime(closed, "the same with as many requests as 64 connections take"));
    }

    private static BenchmarkResult redisTime(PairedMeasurement<Cost> pairs, String what) {
        return pairs.ratio("instances", what, Cost::redis).in("", "µs").atMost(2).noting(String.format(Locale.ROOT,
                "%.1f and %.1f decisions per call", perCall(pairs.a()), perCall(pairs.b())));
    }

    static List<BenchmarkResult> connections(BenchmarkEnvironment lab) {
        var service = service(lab, SERVICE);
        var requests = checks("connections", 1000, 60);
        var many = new HttpLoad.Target(service.port(), MANY_CONNECTIONS, requests);
        var few = BenchmarkEnvironment.target(service, requests);
        var modes = new Modes(service);
        var pairs = PairedMeasurement.measure(seconds -> modes.count(lab.load(many, seconds, 200)),
                seconds -> modes.count(lab.load(few, seconds, 200)));
        return List.of(
                pairs.ratio("connections", "checks over 2,000 connections against 64", HttpLoad.Outcome::perSecond)
                        .atLeast(0.8).noting(lab.loaderCpu()),
                modes.figure("connections"));
    }

    static List<BenchmarkResult> overload(BenchmarkEnvironment lab) {
        var service = service(lab, SERVICE);
        var target = new HttpLoad.Target(service.port(), OVERLOAD_CONNECTIONS, checks("overload", 1000, 60));
        lab.load(target, BenchmarkSettings.WARMUP, 200);
        double full = lab.load(target, BenchmarkSettings.SECONDS, 200).perSecond();
        var modes = new Modes(service);
        var figures = new ArrayList<BenchmarkResult>();
        for (int times : List.of(2, 4)) {
            var pairs = PairedMeasurement.measure(
                    seconds -> modes.count(lab.seen(HttpLoad.overload(target, seconds, times * full).expecting(200))),
                    seconds -> modes.count(lab.seen(HttpLoad.overload(target, seconds, full).expecting(200))));
            figures.add(pairs
                    .ratio("overload", "checks answered at " + times + " times the load that the service can answer, against 1",
                            HttpLoad.Outcome::perSecond)
                    .atLeast(0.9).noting(String.format(Locale.ROOT, "1: %.0f/s, open loop, 1,000 connections", full))
                    .noting(lab.loaderCpu()));
        }
        figures.add(modes.figure("overload"));
        return figures;
    }

    static List<BenchmarkResult> cold(BenchmarkEnvironment lab) {
        return List.of(cold(lab, true), cold(lab, false));
    }

    /** An instance's first seconds after it is ready, against the same process when it is warm. */
    private static BenchmarkResult cold(BenchmarkEnvironment lab, boolean warmUp) {
        var requests = checks("cold", 1000, 60);
        var first = new ArrayList<Double>();
        var warm = new ArrayList<Double>();
        long fallback = 0;
        long answers = 0;
        for (int i = 0; i < BenchmarkSettings.PAIRS; i++) {
            try (var instance = lab.start(BenchmarkSettings.SERVICE, Map.of("RATE_LIMIT_WARM_UP", Boolean.toString(warmUp)))) {
                var target = BenchmarkEnvironment.target(instance, requests);
                var cold = HttpLoad.open(target, COLD_SECONDS, COLD_RATE).expecting(200);
                fallback += cold.fallback();
                answers += cold.answers();
                first.add(cold.micros(99) / 1000);
                HttpLoad.closed(target, 2 * BenchmarkSettings.WARMUP);
                warm.add(HttpLoad.open(target, COLD_SECONDS, COLD_RATE).expecting(200).micros(99) / 1000);
            }
        }
        return new PairedMeasurement<>(first, warm)
                .ratio("cold", "p99 of checks in the first 5 s after start against the warm process, "
                        + (warmUp ? "with warm-up" : "without warm-up"), millis -> millis)
                .in("", "ms").noting(String.format(Locale.ROOT, "open loop at %.0f/s", COLD_RATE))
                .noting(fallback + " of " + answers + " not decided by Redis");
    }

    /** Responses that Redis did not decide, and outages in the log, since this was made. */
    private static final class Modes {

        private final Instance service;
        private final long outages;
        private long fallback;

        Modes(Instance service) {
            this.service = service;
            this.outages = outages();
        }

        private long outages() {
            return service.log().lines().filter(line -> line.contains(OUT_OF_REACH)).count();
        }

        HttpLoad.Outcome count(HttpLoad.Outcome outcome) {
            fallback += outcome.fallback();
            return outcome;
        }

        BenchmarkResult figure(String row) {
            return new BenchmarkResult(row, "the same: responses with X-RateLimit-Mode and outages in the log",
                    List.of((double) fallback + outages() - outages)).atMost(0);
        }
    }
}
