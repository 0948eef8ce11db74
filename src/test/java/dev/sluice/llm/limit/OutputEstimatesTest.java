package dev.sluice.llm.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.sluice.llm.ledger.OutputHistogram;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

/** Tests the estimate of outputs with a ledger and a time that are set by hand. */
class OutputEstimatesTest {

    private static final long UNKNOWN = 4096;
    private static final long NOTHING_CONFIGURED = -1;

    private record Read(String identifier, String provider, String model, long fromHour, long toHour,
            UniEmitter<? super OutputHistogram> reply) {
    }

    private final List<Read> reads = new ArrayList<>();
    private long hour = 500_000;
    private long nanos = 7;
    private final OutputEstimates estimates = new OutputEstimates((identifier, provider, model, from, to) -> Uni.createFrom()
            .emitter(reply -> reads.add(new Read(identifier, provider, model, from, to, reply))), () -> hour, () -> nanos);

    private ModelOutputs.Call begin(String identifier, String model, int choices) {
        return estimates.begin(new LlmCallEstimate(Provider.OPENAI, identifier, "pro", model, 10, -1, choices),
                NOTHING_CONFIGURED, UNKNOWN);
    }

    private ModelOutputs.Call begin() {
        return begin("user:a", "gpt-4o", 1);
    }

    private static void end(ModelOutputs.Call call, long output) {
        assertThat(call.end(TokenUsage.of(10, output), false)).isEqualTo(output);
    }

    private long estimate(String identifier, String model) {
        var call = begin(identifier, model, 1);
        call.cancel();
        return call.estimatedTokens();
    }

    private long estimate() {
        return estimate("user:a", "gpt-4o");
    }

    private void call(int times, long output) {
        for (int i = 0; i < times; i++) {
            end(begin(), output);
        }
    }

    private static OutputHistogram outputs(int calls, long output) {
        var outputs = new OutputHistogram();
        IntStream.range(0, calls).forEach(i -> outputs.add(output));
        return outputs;
    }

    private void reply(OutputHistogram outputs) {
        reads.remove(0).reply().complete(outputs);
    }

    @Test
    void estimateIsLowerThanWithoutAHistoryOnlyAfterTwentyCalls() {
        assertThat(estimate()).isEqualTo(UNKNOWN);
        call(19, 100);
        assertThat(estimate()).isEqualTo(UNKNOWN);
        call(1, 100);
        assertThat(estimate()).isEqualTo(107);
    }

    @Test
    void estimateIsLearntPerIdentifierAndModel() {
        call(20, 100);
        assertThat(estimate("user:a", "gpt-4o")).isEqualTo(107);
        assertThat(estimate("user:b", "gpt-4o")).isEqualTo(UNKNOWN);
        assertThat(estimate("user:a", "gpt-4o-mini")).isEqualTo(UNKNOWN);
        end(begin("user:b", "gpt-4o", 1), 30_000);
        assertThat(estimate("user:b", "gpt-4o")).isEqualTo(32_768);
        assertThat(estimate("user:a", "gpt-4o")).isEqualTo(107);
    }

    /** A thousand short outputs do not hide that outputs have become long. */
    @Test
    void oneLongOutputRaisesTheEstimateAtOnce() {
        call(1000, 10);
        assertThat(estimate()).isEqualTo(16);
        call(1, 60_000);
        assertThat(estimate()).isEqualTo(60_000);
        call(19, 10);
        assertThat(estimate()).isEqualTo(60_000);
        call(1, 10);
        assertThat(estimate()).as("one in a thousand").isEqualTo(16);
    }

    @Test
    void onlySixteenCallsInFlightMayReserveLessThanWithoutAHistory() {
        call(1000, 10);
        var first = IntStream.range(0, 100).mapToObj(i -> begin()).toList();
        assertThat(first.stream().map(ModelOutputs.Call::estimatedTokens)).hasSize(100).startsWith(16L)
                .filteredOn(tokens -> tokens == 16).hasSize(CallsInFlight.MAXIMUM);
        assertThat(first.subList(16, 100)).allMatch(call -> call.estimatedTokens() == UNKNOWN);
        first.get(50).cancel(); // was not one of the sixteen
        assertThat(estimate()).isEqualTo(UNKNOWN);
        end(first.get(3), 10);
        assertThat(begin().estimatedTokens()).isEqualTo(16);
        assertThat(begin().estimatedTokens()).isEqualTo(UNKNOWN);
        first.get(4).cancel();
        assertThat(begin().estimatedTokens()).isEqualTo(16);
    }

    @Test
    void callThatIsNeverReportedIsInFlightForTenMinutes() {
        call(20, 10);
        var first = IntStream.range(0, 16).mapToObj(i -> begin()).toList();
        nanos += TimeUnit.MINUTES.toNanos(10) - 1;
        assertThat(estimate()).isEqualTo(UNKNOWN);
        nanos++;
        var next = IntStream.range(0, 16).mapToObj(i -> begin()).toList();
        assertThat(next).allMatch(call -> call.estimatedTokens() == 16);
        first.forEach(ModelOutputs.Call::cancel); // must not end those that took their places
        assertThat(estimate()).isEqualTo(UNKNOWN);
    }

    @Test
    void reportedUsageIsLearntAndEndsNoOtherCall() {
        call(20, 10);
        var first = begin();
        IntStream.range(1, 16).forEach(i -> begin());
        estimates.add("user:a", Provider.OPENAI, "gpt-4o", 500);
        assertThat(begin().estimatedTokens()).as("all sixteen are in flight").isEqualTo(UNKNOWN);
        first.cancel();
        assertThat(begin().estimatedTokens()).isEqualTo(500);
        estimates.add("user:z", Provider.OPENAI, "gpt-4o", 9000); // unknown here: is read when it is needed
        assertThat(estimate("user:z", "gpt-4o")).isEqualTo(UNKNOWN);
    }

    @Test
    void configuredEstimateIsTheLowerBound() {
        call(20, 10);
        var estimate = new LlmCallEstimate(Provider.OPENAI, "user:a", "pro", "gpt-4o", 10, -1);
        assertThat(estimates.begin(estimate, 100, 100).estimatedTokens()).isEqualTo(100);
        call(1, 300);
        assertThat(estimates.begin(estimate, 100, 100).estimatedTokens()).isEqualTo(300);
    }

    @Test
    void outputIsThatOfOneChoice() {
        for (int i = 0; i < 20; i++) {
            assertThat(begin("user:a", "gpt-4o", 4).end(TokenUsage.of(10, 397), false)).isEqualTo(100);
        }
        assertThat(estimate()).isEqualTo(107);
        assertThat(begin("user:a", "gpt-4o", 128).estimatedTokens()).isEqualTo(128 * 107);
    }

    /** Calls that are broken off must not lower the estimate, but what they have already used raises it. */
    @Test
    void estimatedUsageOnlyRaisesTheEstimate() {
        call(20, 500);
        assertThat(begin().end(TokenUsage.of(10, 512), true)).isNegative();
        assertThat(estimate()).isEqualTo(512);
        assertThat(begin().end(TokenUsage.of(10, 900), true)).isEqualTo(900);
        assertThat(estimate()).isEqualTo(900);
    }

    @Test
    void ledgerIsReadOnceAMinuteAndItsOlderHoursOnceAnHour() {
        estimate();
        estimate();
        assertThat(reads).singleElement().satisfies(read -> {
            assertThat(read.identifier() + read.provider() + read.model()).isEqualTo("user:aopenaigpt-4o");
            assertThat(read.fromHour()).isEqualTo(hour - 1);
            assertThat(read.toHour()).isEqualTo(hour);
        });
        reply(outputs(20, 100));
        assertThat(reads).singleElement().satisfies(read -> {
            assertThat(read.fromHour()).isEqualTo(hour - 23);
            assertThat(read.toHour()).isEqualTo(hour - 2);
        });
        reply(outputs(20, 1000));
        assertThat(estimate()).isEqualTo(1024);
        nanos += TimeUnit.SECONDS.toNanos(60) - 1;
        estimate();
        assertThat(reads).isEmpty();
        nanos++;
        estimate();
        assertThat(reads).hasSize(1);
        reply(outputs(1000, 100));
        assertThat(reads).isEmpty();
        assertThat(estimate()).isEqualTo(107);
        hour++;
        nanos += TimeUnit.SECONDS.toNanos(60);
        estimate();
        reply(outputs(0, 0));
        reply(outputs(30, 200));
        assertThat(estimate()).isEqualTo(215);
    }

    /** Entries booked before the read are in its reply; entries booked meanwhile count in addition. */
    @Test
    void callThatEndsDuringAReadCountsOnce() {
        call(20, 100); // has begun the first read
        reply(outputs(19, 100));
        call(80, 100);
        reply(outputs(0, 0));
        nanos += TimeUnit.MINUTES.toNanos(1);
        call(2, 3000); // during the second read
        reply(outputs(100, 100));
        call(20, 100);
        assertThat(estimate()).as("2 of 122").isEqualTo(107);
        call(5, 3000);
        call(20, 100);
        assertThat(estimate()).as("7 of 147").isEqualTo(107);
        call(1, 3000);
        call(20, 100);
        assertThat(estimate()).as("8 of 168").isEqualTo(107);
        call(2, 3000);
        assertThat(estimate()).as("10 of 170").isEqualTo(3444);
    }

    @Test
    void instanceLearnsItselfWhileTheLedgerCannotBeRead() {
        call(19, 100);
        reads.remove(0).reply().fail(new IllegalStateException("Redis is unavailable"));
        call(1, 100);
        assertThat(estimate()).isEqualTo(107);
        assertThat(reads).as("not before a minute has passed").isEmpty();
        nanos += TimeUnit.MINUTES.toNanos(1);
        assertThat(estimate()).isEqualTo(107);
        assertThat(reads).hasSize(1);
        reads.remove(0).reply().fail(new IllegalStateException("Redis is unavailable"));
        assertThat(estimate()).isEqualTo(107);
    }
}
