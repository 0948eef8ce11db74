package dev.sluice.service.traffic;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

/** Counts of decisions on one instance. */
class TrafficRecorderTest {

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final TrafficRecorder recorder = new TrafficRecorder(true, meters);

    private static RateLimitRequest request(String identifier, String label, String tier, long cost) {
        return new RateLimitRequest(identifier, tier, label, List.of(new ResourceCheck(label, Rate.parse("5/minute"), cost)));
    }

    private static Decision decision(boolean denied) {
        return new Decision(!denied, denied, DecisionMode.REDIS, Instant.EPOCH, List.of());
    }

    private void decide(String identifier, String label, boolean denied) {
        recorder.onDecision(request(identifier, label, "free", 1), decision(denied), 1);
    }

    @Test
    void countsByRuleTierAndCallerSinceTheLastCollection() {
        decide("user:a", "api:/x", false);
        decide("user:a", "api:/x", true);
        decide("user:b", "api:/x", false);
        recorder.onFailure(request("user:a", "api:/y", null, 1), DecisionMode.CLOSED, 1);

        var counts = recorder.collect();

        assertThat(counts.rules()).containsOnly(Map.entry(new RuleTier("api:/x", "free"), new RuleCounts(2, 1, 0)),
                Map.entry(new RuleTier("api:/y", "none"), new RuleCounts(0, 0, 1)));
        assertThat(counts.denied()).containsOnly(Map.entry(new TopCaller("user:a", "api:/x", "free"), 1L));
        assertThat(counts.allowed()).hasSize(2);
        assertThat(recorder.collect().isEmpty()).isTrue();
    }

    @Test
    void queriesAreNotCounted() {
        recorder.onDecision(request("user:a", "api:/x", "free", 0), decision(false), 1);
        assertThat(recorder.collect().isEmpty()).isTrue();
    }

    @Test
    void nothingIsCountedWithoutAReader() {
        var inactive = new TrafficRecorder(false, meters);
        inactive.onDecision(request("user:a", "api:/x", "free", 1), decision(false), 1);
        assertThat(inactive.collect().isEmpty()).isTrue();
    }

    @Test
    void callersAreBoundedAndTheMostFrequentAreReported() {
        IntStream.range(0, 100).forEach(i -> decide("user:frequent", "api:/x", true));
        IntStream.range(0, 3 * TrafficRecorder.MAX_IDENTIFIERS).forEach(i -> decide("user:" + i, "api:/x", true));

        var counts = recorder.collect();

        assertThat(counts.total().denied()).isEqualTo(100 + 3 * TrafficRecorder.MAX_IDENTIFIERS);
        assertThat(counts.denied()).hasSize(TrafficRecorder.REPORTED_IDENTIFIERS)
                .containsEntry(new TopCaller("user:frequent", "api:/x", "free"), 100L);
    }

    @Test
    void ratesThatCameWithRequestsAreReportedForTheirCallers() {
        var checks = IntStream.range(0, 100).mapToObj(i -> new ResourceCheck("r" + i, Rate.parse("5/minute"), 1)).toList();
        checks.forEach(check -> recorder.onDecision(
                RateLimitRequest.of("customer", check.resource(), check.rate(), 1), decision(false), 1));
        recorder.onDecision(RateLimitRequest.of("customer", "r0", Rate.parse("  0009 / hours"), 1), decision(true), 1);
        recorder.onDecision(RateLimitRequest.of("customer", "none", Rate.BLOCKED, 1), decision(true), 1);
        for (var rate : List.of(Rate.parse("5/minute"), Rate.BLOCKED)) {
            recorder.onDecision(RateLimitRequest.of("blocked", "r0", rate, 1), decision(true), 1);
        }
        decide("user:a", "api:/x", false);

        var rates = recorder.collect().rates();

        assertThat(rates).hasSizeBetween(1, 20).containsEntry(new GivenRate("customer", "r0"), "9/3600s")
                .containsEntry(new GivenRate("customer", "r1"), "5/60s")
                .doesNotContainKey(new GivenRate("blocked", "r0"));
        assertThat(recorder.collect().rates()).isEmpty();
    }

    @Test
    void ratesOfRequestsThatWereDecidedTogetherAreReportedForEach() {
        var requests = Stream.of("org", "team", "user").map(
                identifier -> RateLimitRequest.of(identifier, "export", Rate.parse("5/minute"), 1)).toList();
        recorder.onDecision(requests.get(0), decision(false), 1);
        recorder.onDecidedTogether(requests);
        recorder.onDecidedTogether(List.of(request("a", "api:/x", "free", 1), request("b", "api:/y", "free", 1),
                RateLimitRequest.of("query", "export", Rate.parse("5/minute"), 0)));

        var counts = recorder.collect();

        assertThat(counts.rates()).containsOnlyKeys(new GivenRate("org", "export"), new GivenRate("team", "export"),
                new GivenRate("user", "export"));
        assertThat(counts.total()).isEqualTo(new RuleCounts(1, 0, 0));
        assertThat(counts.allowed()).hasSize(1);

        recorder.onDecidedTogether(requests); // after the collection that had the decision
        assertThat(recorder.collect().isEmpty()).isFalse();
        assertThat(recorder.collect().isEmpty()).isTrue();

        IntStream.range(0, 3 * TrafficRecorder.MAX_IDENTIFIERS).forEach(i -> recorder.onDecidedTogether(
                List.of(requests.get(0), RateLimitRequest.of("user:" + i, "export", Rate.parse("5/minute"), 1))));
        decide("user:counted", RateLimitRequest.CUSTOM_LABEL, false);
        var many = recorder.collect();
        assertThat(many.rates()).hasSize(TrafficRecorder.REPORTED_IDENTIFIERS + 1);
        assertThat(many.allowed()).containsOnlyKeys(new TopCaller("user:counted", RateLimitRequest.CUSTOM_LABEL, "free"));
        var inactive = new TrafficRecorder(false, meters);
        inactive.onDecidedTogether(requests);
        assertThat(inactive.collect().isEmpty()).isTrue();
    }

    @Test
    void rulesAreBounded() {
        IntStream.range(0, TrafficRecorder.MAX_CELLS + 10).forEach(i -> decide("user:a", "api:/" + i, false));
        var counts = recorder.collect();
        assertThat(counts.rules()).hasSize(TrafficRecorder.MAX_CELLS + 1)
                .containsEntry(new RuleTier(TrafficRecorder.OTHER, TrafficRecorder.OTHER), new RuleCounts(10, 0, 0));
    }

    @Test
    void durationsAreThoseOfTheMetrics() {
        var timer = Timer.builder("rate_limit_check")
                .serviceLevelObjectives(Duration.ofMillis(1), Duration.ofMillis(5)).register(meters);
        IntStream.range(0, 98).forEach(i -> timer.record(500, TimeUnit.MICROSECONDS));
        timer.record(3, TimeUnit.MILLISECONDS);
        timer.record(3, TimeUnit.SECONDS);

        var counts = recorder.collect();

        assertThat(counts.latencies()).containsOnly(Map.entry(1_000_000L, 98L), Map.entry(5_000_000L, 1L),
                Map.entry(Long.MAX_VALUE, 1L));
        assertThat(counts.latency(0.5)).isBetween(500_000L, 520_000L);
        assertThat(counts.latency(0.99)).isEqualTo(5_000_000L);
        assertThat(counts.latency(1)).isEqualTo(5_000_000L); // at least
        assertThat(new TrafficCounts().latency(0.5)).isNull();
        assertThat(recorder.collect().latencies()).isEmpty();
    }

    /** A shadow rule and a dry run admit the requests that they would deny. */
    @Test
    void admittedRequestsAreNotRefused() {
        recorder.onDecision(request("user:a", "api:/new", "free", 1), decision(true).asDryRun(), 1);
        var counts = recorder.collect();
        assertThat(counts.total().denied()).isZero();
        assertThat(counts.total().allowed()).isEqualTo(1);
    }
}
