package dev.sluice.service.observability;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.LongTaskTimer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheus.PrometheusConfig;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.resources.Resource;

@SuppressWarnings("deprecation") // the registry that Quarkus uses
class MeterSnapshotsTest {

    private final MeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final MeterSnapshots snapshots = new MeterSnapshots(() -> registry);

    private MetricData metric(String name) {
        return snapshots.produce(Resource.getDefault()).stream().filter(metric -> metric.getName().equals(name)).findAny()
                .orElseThrow();
    }

    private double gauge(String name) {
        return metric(name).getDoubleGaugeData().getPoints().iterator().next().getValue();
    }

    @Test
    void countersAreCumulativeSumsWithTheirTags() {
        Counter.builder("calls").description("Calls made").tag("kind", "a").register(registry).increment(3);
        Counter.builder("calls").description("Calls made").tag("kind", "b").register(registry);

        var metric = metric("calls_total");
        assertThat(metric.getDescription()).isEqualTo("Calls made");
        assertThat(metric.getDoubleSumData().isMonotonic()).isTrue();
        assertThat(metric.getDoubleSumData().getAggregationTemporality()).isEqualTo(AggregationTemporality.CUMULATIVE);
        assertThat(metric.getDoubleSumData().getPoints()).hasSize(2).anySatisfy(point -> {
            assertThat(point.getAttributes().get(AttributeKey.stringKey("kind"))).isEqualTo("a");
            assertThat(point.getValue()).isEqualTo(3);
            assertThat(point.getStartEpochNanos()).isPositive().isLessThanOrEqualTo(point.getEpochNanos());
        });
    }

    @Test
    void functionCountersAreSums() {
        FunctionCounter.builder("seen", new AtomicInteger(7), AtomicInteger::get).register(registry);
        assertThat(metric("seen_total").getDoubleSumData().getPoints()).singleElement()
                .satisfies(point -> assertThat(point.getValue()).isEqualTo(7));
    }

    @Test
    void gaugesWithoutAValueAreLeftOut() {
        Gauge.builder("memory", () -> 42).baseUnit("bytes").register(registry);
        Gauge.builder("absent", () -> Double.NaN).register(registry);
        assertThat(gauge("memory_bytes")).isEqualTo(42);
        assertThat(metric("memory_bytes").getUnit()).isEqualTo("bytes");
        assertThat(snapshots.produce(Resource.getDefault())).noneMatch(metric -> metric.getName().equals("absent"));
    }

    @Test
    void timersAreHistogramsInSeconds() {
        var timer = Timer.builder("wait").serviceLevelObjectives(Duration.ofMillis(10), Duration.ofSeconds(1))
                .register(registry);
        timer.record(5, TimeUnit.MILLISECONDS);
        timer.record(500, TimeUnit.MILLISECONDS);
        timer.record(600, TimeUnit.MILLISECONDS);
        timer.record(2, TimeUnit.SECONDS);

        var metric = metric("wait_seconds");
        assertThat(metric.getType()).isEqualTo(MetricDataType.HISTOGRAM);
        assertThat(metric.getUnit()).isEqualTo("s");
        var point = metric.getHistogramData().getPoints().iterator().next();
        assertThat(point.getBoundaries()).containsExactly(0.01, 1.0);
        assertThat(point.getCounts()).containsExactly(1L, 2L, 1L);
        assertThat(point.getCount()).isEqualTo(4);
        assertThat(point.getSum()).isEqualTo(3.105);
        assertThat(gauge("wait_seconds_max")).isEqualTo(2);
    }

    @Test
    void timersWithoutBucketsHaveOne() {
        Timer.builder("plain").register(registry).record(3, TimeUnit.SECONDS);
        FunctionTimer.builder("collected", this, any -> 2, any -> 5, TimeUnit.SECONDS).register(registry);
        for (var name : new String[]{"plain_seconds", "collected_seconds"}) {
            var point = metric(name).getHistogramData().getPoints().iterator().next();
            assertThat(point.getBoundaries()).isEmpty();
            assertThat(point.getCount()).isEqualTo(name.startsWith("plain") ? 1 : 2);
            assertThat(point.getSum()).isEqualTo(name.startsWith("plain") ? 3 : 5);
        }
    }

    @Test
    void summariesAreHistograms() {
        var summary = DistributionSummary.builder("size").serviceLevelObjectives(10, 100).register(registry);
        summary.record(10);
        summary.record(11);
        var point = metric("size").getHistogramData().getPoints().iterator().next();
        assertThat(point.getBoundaries()).containsExactly(10.0, 100.0);
        assertThat(point.getCounts()).containsExactly(1L, 1L, 0L);
    }

    @Test
    void longTasksAreGauges() {
        LongTaskTimer.builder("task").register(registry).start();
        assertThat(gauge("task_seconds_active_count")).isEqualTo(1);
        assertThat(gauge("task_seconds_duration_sum")).isNotNegative();
    }
}
