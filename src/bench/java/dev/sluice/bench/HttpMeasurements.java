package dev.sluice.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;

/** Compares a limited endpoint with the same one without limits, and with Bucket4j. */
final class HttpMeasurements {

    private HttpMeasurements() {
    }

    static List<BenchmarkResult> allAllowed(BenchmarkEnvironment environment) {
        var requests = BenchmarkEnvironment.requests("/ok", "allowed");
        var comparison = PairedMeasurement.measure(
                seconds -> environment.load(BenchmarkEnvironment.target(environment.limitedApp(), requests), seconds, 200),
                seconds -> environment.load(BenchmarkEnvironment.target(environment.unlimitedApp(), requests), seconds, 200));
        return List.of(comparison.ratio("1", "limited endpoint, all allowed, against RATE_LIMIT_ENABLED=false",
                HttpLoad.Outcome::perSecond).atLeast(0.80).withNote("1000/minute").withNote(environment.loaderCpu()));
    }

    static List<BenchmarkResult> allDenied(BenchmarkEnvironment environment) {
        var requests = BenchmarkEnvironment.requests("/full", "denied");
        HttpLoad.once(BenchmarkEnvironment.target(environment.limitedApp(), requests)).expecting(200);
        var comparison = PairedMeasurement.measure(
                seconds -> environment.load(BenchmarkEnvironment.target(environment.limitedApp(), requests), seconds, 429),
                seconds -> environment.load(BenchmarkEnvironment.target(environment.unlimitedApp(), requests), seconds, 200));
        return List
                .of(comparison.ratio("2", "the same, every request over the limit", HttpLoad.Outcome::perSecond).atLeast(0.95)
                        .withNote("1/day").withNote(environment.loaderCpu()));
    }

    static List<BenchmarkResult> bucket4j(BenchmarkEnvironment environment) {
        var sluice = BenchmarkEnvironment.requests("/ok", "ours");
        var bucket4j = BenchmarkEnvironment.requests("/bare/bucket4j", "theirs");
        var comparison = PairedMeasurement.measure(
                seconds -> environment.load(BenchmarkEnvironment.target(environment.limitedApp(), sluice), seconds, 200),
                seconds -> environment.load(BenchmarkEnvironment.target(environment.unlimitedApp(), bucket4j), seconds, 200));
        return List.of(comparison.ratio("3", "limited endpoint against Bucket4j's asynchronous Lettuce proxy",
                HttpLoad.Outcome::perSecond).atLeast(2.0).withNote("1000 a minute on both sides")
                .withNote(environment.loaderCpu()));
    }

    static List<BenchmarkResult> latency(BenchmarkEnvironment environment) {
        var requests = BenchmarkEnvironment.requests("/ok", "latency");
        var limited = BenchmarkEnvironment.target(environment.limitedApp(), requests);
        var unlimited = BenchmarkEnvironment.target(environment.unlimitedApp(), requests);
        environment.load(limited, BenchmarkSettings.WARMUP, 200);
        double half = environment.load(limited, BenchmarkSettings.SECONDS, 200).perSecond() / 2;
        environment.loaderCpu();
        var comparison = PairedMeasurement.measure(
                seconds -> environment.recordLoaderCpu(HttpLoad.open(limited, seconds, half).expecting(200)),
                seconds -> environment.recordLoaderCpu(HttpLoad.open(unlimited, seconds, half).expecting(200)));
        var note = String.format(Locale.ROOT, "open loop at %.0f/s", half);
        var cpu = environment.loaderCpu();
        var targets = Map.of(50.0, 0.3, 99.0, 1.5);
        return DoubleStream.of(50, 90, 99, 99.9).mapToObj(percentile -> {
            var result = comparison
                    .difference("10", "added latency at half load, p" + Report.plain(percentile),
                            at -> at.micros(percentile) / 1000)
                    .withUnits("ms", "ms").withNote(note).withNote(cpu);
            return targets.containsKey(percentile) ? result.atMost(targets.get(percentile)) : result;
        }).toList();
    }

    static List<BenchmarkResult> allocation(BenchmarkEnvironment environment) {
        var limited = BenchmarkEnvironment.requests("/ok", "allocating");
        var baseline = BenchmarkEnvironment.requests("/bare/ok", "allocating");
        var comparison = PairedMeasurement.measure(seconds -> allocated(environment, limited, seconds),
                seconds -> allocated(environment, baseline, seconds));
        return List.of(comparison.difference("12", "allocation per limited request on top of the bare one", bytes -> bytes)
                .withUnits("bytes", "bytes").atMost(4096));
    }

    private static double allocated(BenchmarkEnvironment environment, List<byte[]> requests, double seconds) {
        long before = Long.parseLong(BenchmarkEnvironment.get(environment.limitedApp(), "/process/allocated"));
        var outcome = environment.load(BenchmarkEnvironment.target(environment.limitedApp(), requests), seconds, 200);
        return (double) (Long.parseLong(BenchmarkEnvironment.get(environment.limitedApp(), "/process/allocated")) - before)
                / outcome.ok();
    }
}
