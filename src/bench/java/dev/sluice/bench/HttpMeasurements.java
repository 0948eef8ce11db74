package dev.sluice.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;

/** A limited endpoint against the same one without a limit, and against a peer. */
final class HttpMeasurements {

    private HttpMeasurements() {
    }

    static List<BenchmarkResult> allAllowed(BenchmarkEnvironment lab) {
        var requests = BenchmarkEnvironment.requests("/ok", "allowed");
        var pairs = PairedMeasurement.measure(
                seconds -> lab.load(BenchmarkEnvironment.target(lab.limited(), requests), seconds, 200),
                seconds -> lab.load(BenchmarkEnvironment.target(lab.off(), requests), seconds, 200));
        return List.of(pairs.ratio("1", "limited endpoint, all allowed, against RATE_LIMIT_ENABLED=false",
                HttpLoad.Outcome::perSecond).atLeast(0.80).noting("1000/minute").noting(lab.loaderCpu()));
    }

    static List<BenchmarkResult> allRefused(BenchmarkEnvironment lab) {
        var requests = BenchmarkEnvironment.requests("/full", "refused");
        HttpLoad.once(BenchmarkEnvironment.target(lab.limited(), requests)).expecting(200);
        var pairs = PairedMeasurement.measure(
                seconds -> lab.load(BenchmarkEnvironment.target(lab.limited(), requests), seconds, 429),
                seconds -> lab.load(BenchmarkEnvironment.target(lab.off(), requests), seconds, 200));
        return List.of(pairs.ratio("2", "the same, every request over the limit", HttpLoad.Outcome::perSecond).atLeast(0.95)
                .noting("1/day").noting(lab.loaderCpu()));
    }

    static List<BenchmarkResult> bucket4j(BenchmarkEnvironment lab) {
        var ours = BenchmarkEnvironment.requests("/ok", "ours");
        var theirs = BenchmarkEnvironment.requests("/bare/bucket4j", "theirs");
        var pairs = PairedMeasurement.measure(
                seconds -> lab.load(BenchmarkEnvironment.target(lab.limited(), ours), seconds, 200),
                seconds -> lab.load(BenchmarkEnvironment.target(lab.off(), theirs), seconds, 200));
        return List.of(pairs.ratio("3", "limited endpoint against Bucket4j's asynchronous Lettuce proxy",
                HttpLoad.Outcome::perSecond).atLeast(2.0).noting("1000 a minute on both sides").noting(lab.loaderCpu()));
    }

    static List<BenchmarkResult> latency(BenchmarkEnvironment lab) {
        var requests = BenchmarkEnvironment.requests("/ok", "latency");
        var limited = BenchmarkEnvironment.target(lab.limited(), requests);
        var off = BenchmarkEnvironment.target(lab.off(), requests);
        lab.load(limited, BenchmarkSettings.WARMUP, 200);
        double half = lab.load(limited, BenchmarkSettings.SECONDS, 200).perSecond() / 2;
        lab.loaderCpu();
        var pairs = PairedMeasurement.measure(seconds -> lab.seen(HttpLoad.open(limited, seconds, half).expecting(200)),
                seconds -> lab.seen(HttpLoad.open(off, seconds, half).expecting(200)));
        var note = String.format(Locale.ROOT, "open loop at %.0f/s", half);
        var cpu = lab.loaderCpu();
        var targets = Map.of(50.0, 0.3, 99.0, 1.5);
        return DoubleStream.of(50, 90, 99, 99.9).mapToObj(percentile -> {
            var figure = pairs
                    .difference("10", "added latency at half load, p" + Report.plain(percentile),
                            at -> at.micros(percentile) / 1000)
                    .in("ms", "ms").noting(note).noting(cpu);
            return targets.containsKey(percentile) ? figure.atMost(targets.get(percentile)) : figure;
        }).toList();
    }

    static List<BenchmarkResult> allocation(BenchmarkEnvironment lab) {
        var limited = BenchmarkEnvironment.requests("/ok", "allocating");
        var bare = BenchmarkEnvironment.requests("/bare/ok", "allocating");
        var pairs = PairedMeasurement.measure(seconds -> allocated(lab, limited, seconds),
                seconds -> allocated(lab, bare, seconds));
        return List.of(pairs.difference("12", "allocation per limited request on top of the bare one", bytes -> bytes)
                .in("bytes", "bytes").atMost(4096));
    }

    private static double allocated(BenchmarkEnvironment lab, List<byte[]> requests, double seconds) {
        long before = Long.parseLong(BenchmarkEnvironment.get(lab.limited(), "/process/allocated"));
        var outcome = lab.load(BenchmarkEnvironment.target(lab.limited(), requests), seconds, 200);
        return (double) (Long.parseLong(BenchmarkEnvironment.get(lab.limited(), "/process/allocated")) - before) / outcome.ok();
    }
}
