package dev.sluice.service.overview;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

import dev.sluice.service.traffic.RuleCounts;
import dev.sluice.service.traffic.TrafficCounts;
import dev.sluice.service.traffic.TrafficHistory;

/**
 * Computes decisions per second from successive readings of the last two minutes: the mean of the last few readings, because instances
 * add their counts once a second, at different times. For one event loop.
 */
final class LiveFigures {

    private static final int READINGS = 5;
    private static final double MILLIS = 1000;

    /** Counts between two readings. */
    private record Step(long millis, RuleCounts counts, TrafficCounts latencies) {
    }

    private final Deque<Step> steps = new ArrayDeque<>();
    private Map<Long, TrafficCounts> before = Map.of();
    private long beforeMillis;
    private boolean beforeAllInstances;

    /**
     * Figures at a time.
     *
     * @param allowed allowed decisions per second
     * @param denied denied decisions per second
     * @param errors failed decisions per second
     * @param p50Nanos median duration; null if nothing was decided
     * @param p99Nanos 99th percentile; null if nothing was decided
     */
    record Figures(double allowed, double denied, double errors, Long p50Nanos, Long p99Nanos) {
    }

    /** Forgets all readings: there will be none for a while. */
    void reset() {
        steps.clear();
        before = Map.of();
    }

    /** Adds a reading; null until there are two. */
    Figures add(TrafficHistory history) {
        if (history.allInstances() != beforeAllInstances) {
            reset();
        }
        var current = new HashMap<Long, TrafficCounts>();
        history.minutes().forEach(minute -> current.put(minute.minute(), minute.counts()));
        long elapsed = history.nowMillis() - beforeMillis;
        if (!before.isEmpty() && elapsed > 0) {
            steps.addLast(step(elapsed, current));
            if (steps.size() > READINGS) {
                steps.removeFirst();
            }
        }
        if (before.isEmpty() || elapsed != 0) {
            before = current;
            beforeMillis = history.nowMillis();
            beforeAllInstances = history.allInstances();
        }
        return steps.isEmpty() ? null : figures();
    }

    private Step step(long elapsed, Map<Long, TrafficCounts> current) {
        var counts = RuleCounts.NONE;
        var latencies = new TrafficCounts();
        for (var minute : current.entrySet()) {
            var earlier = before.getOrDefault(minute.getKey(), new TrafficCounts());
            counts = counts.plus(minute.getValue().total()).minus(earlier.total());
            minute.getValue().latencies().forEach((bound, count) -> latencies.latencies().merge(bound,
                    Math.max(0, count - earlier.latencies().getOrDefault(bound, 0L)), Long::sum));
        }
        return new Step(elapsed, counts, latencies);
    }

    private Figures figures() {
        var counts = RuleCounts.NONE;
        var latencies = new TrafficCounts();
        double seconds = 0;
        for (var step : steps) {
            seconds += step.millis() / MILLIS;
            counts = counts.plus(step.counts());
            latencies.add(step.latencies());
        }
        boolean isIdle = counts.total() <= 0; // the histogram has the durations of queries too
        return new Figures(Math.max(0, counts.allowed() / seconds), Math.max(0, counts.denied() / seconds),
                Math.max(0, counts.errors() / seconds), isIdle ? null : latencies.latency(0.5),
                isIdle ? null : latencies.latency(0.99));
    }
}
