package dev.sluice.service.traffic;

import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

/** Counts a decision for the console. */
@State(Scope.Thread)
public class TrafficMicrobenchmark {

    private final TrafficRecorder recorder = new TrafficRecorder(true, new SimpleMeterRegistry());
    private final Decision decision = new Decision(true, false, DecisionMode.REDIS, Instant.EPOCH, List.of());
    private final List<RateLimitRequest> requests = IntStream.range(0, 256).mapToObj(i -> new RateLimitRequest(
            "user:" + i, "free", "api:/" + i % 8, List.of(new ResourceCheck("api:/" + i % 8, Rate.parse("10/minute"), 1))))
            .toList();
    private int next;

    @Benchmark
    public void count() {
        recorder.onDecision(requests.get(next++ & 255), decision, 1);
    }
}
