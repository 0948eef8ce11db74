package dev.sluice.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;

/** A limited endpoint against the same one without a limit, and against a peer. */
final class HttpRows {

    private HttpRows() {
    }

    static List<Figure> allAllowed(Lab lab) {
        var requests = Lab.requests("/ok", "allowed");
        var pairs = Pairs.measure(seconds -> lab.load(Lab.target(lab.limited(), requests), seconds, 200),
                seconds -> lab.load(Lab.target(lab.off(), requests), seconds, 200));
        return List.of(pairs.ratio("1", "limited endpoint, all allowed, against RATE_LIMIT_ENABLED=false",
                HttpLoad.Outcome::perSecond).atLeast(0.80).noting("1000/minute").noting(lab.loaderCpu()));
    }

    static List<Figure> allRefused(Lab lab) {
        var requests = Lab.requests("/full", "refused");
        HttpLoad.once(Lab.target(lab.limited(), requests)).expecting(200);
        var pairs = Pairs.measure(seconds -> lab.load(Lab.target(lab.limited(), requests), seconds, 429),
                seconds -> lab.load(Lab.target(lab.off(), requests), seconds, 200));
        return List.of(pairs.ratio("2", "the same, every request over the limit", HttpLoad.Outcome::perSecond).atLeast(0.95)
                .noting("1/day").noting(lab.loaderCpu()));
    }

    static List<Figure> bucket4j(Lab lab) {
        var ours = Lab.requests("/ok", "ours");
        var theirs = Lab.requests("/bare/bucket4j", "theirs");
        var pairs = Pairs.measure(seconds -> lab.load(Lab.target(lab.limited(), ours), seconds, 200),
                seconds -> lab.load(Lab.target(lab.off(), theirs), seconds, 200));
        return List.of(pairs.ratio("3", "limited endpoint against Bucket4j's asynchronous Lettuce proxy",
                HttpLoad.Outcome::perSecond).atLeast(2.0).noting("1000 a minute on both sides").noting(lab.loaderCpu()));
    }

    static List<Figure> latency(Lab lab) {
        var requests = Lab.requests("/ok", "latency");
        var limited = Lab.target(lab.limited(), requests);
        var off = Lab.target(lab.off(), requests);
        lab.load(limited, Settings.WARMUP, 200);
        double half = lab.load(limited, Settings.SECONDS, 200).perSecond() / 2;
        lab.loaderCpu();
        var pairs = Pairs.measure(seconds -> lab.seen(HttpLoad.open(limited, seconds, half).expecting(200)),
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

    static List<Figure> allocation(Lab lab) {
        var limited = Lab.requests("/ok", "allocating");
        var bare = Lab.requests("/bare/ok", "allocating");
        var pairs = Pairs.measure(seconds -> allocated(lab, limited, seconds), seconds -> allocated(lab, bare, seconds));
        return List.of(pairs.difference("12", "allocation per limited request on top of the bare one", bytes -> bytes)
                .in("bytes", "bytes").atMost(4096));
    }

    private static double allocated(Lab lab, List<byte[]> requests, double seconds) {
        long before = Long.parseLong(Lab.get(lab.limited(), "/process/allocated"));
        var outcome = lab.load(Lab.target(lab.limited(), requests), seconds, 200);
        return (double) (Long.parseLong(Lab.get(lab.limited(), "/process/allocated")) - before) / outcome.ok();
    }
}
