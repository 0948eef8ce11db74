package dev.sluice.service.observability;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.LongTaskTimer;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.distribution.CountAtBucket;
import io.micrometer.core.instrument.distribution.HistogramSnapshot;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.DoublePointData;
import io.opentelemetry.sdk.metrics.data.GaugeData;
import io.opentelemetry.sdk.metrics.data.HistogramData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.metrics.data.SumData;
import io.opentelemetry.sdk.metrics.export.MetricProducer;
import io.opentelemetry.sdk.resources.Resource;

/**
 * Reads the meters of a Micrometer registry when metrics are exported, so that the export costs nothing when something is measured.
 * The names are those of the registry: in the service, the ones of {@code /q/metrics}. Counters and histograms are cumulative since
 * the start. Thread-safe.
 */
final class MeterSnapshots implements MetricProducer {

    private static final String SECONDS = "s";
    private static final String NO_UNIT = "";

    private final Supplier<MeterRegistry> registry;
    private final long startNanos = now();

    /** @param registry is called when metrics are exported */
    MeterSnapshots(Supplier<MeterRegistry> registry) {
        this.registry = registry;
    }

    private static long now() {
        return TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    }

    @Override
    public Collection<MetricData> produce(Resource resource) {
        var export = new Export(resource, registry.get());
        export.registry.forEachMeter(export::add);
        return export.metrics();
    }

    /** The points of a metric, which several meters with different tags share. */
    private record Points(String description, String unit, MetricDataType type, List<DoublePointData> values,
            List<HistogramPointData> histograms) {
    }

    /** One export. */
    private final class Export {

        private final Resource resource;
        private final MeterRegistry registry;
        private final long time = now();
        private final Map<String, Points> points = new LinkedHashMap<>();

        Export(Resource resource, MeterRegistry registry) {
            this.resource = resource;
            this.registry = registry;
        }

        void add(Meter meter) {
            meter.use(gauge -> addGauge(meter, "", NO_UNIT, gauge.value()), counter -> addSum(meter, counter.count()),
                    timer -> addHistogram(meter, SECONDS, timer.takeSnapshot(), bucket -> bucket.bucket(TimeUnit.SECONDS),
                            timer.totalTime(TimeUnit.SECONDS), timer.max(TimeUnit.SECONDS)),
                    summary -> addHistogram(meter, unit(meter), summary.takeSnapshot(), CountAtBucket::bucket,
                            summary.totalAmount(), summary.max()),
                    this::addLongTasks, gauge -> addGauge(meter, "", SECONDS, gauge.value(TimeUnit.SECONDS)),
                    counter -> addSum(meter, counter.count()), this::addFunctionTimer, this::addOther);
        }

        private void addLongTasks(LongTaskTimer timer) {
            addGauge(timer, "_active_count", NO_UNIT, timer.activeTasks());
            addGauge(timer, "_duration_sum", SECONDS, timer.duration(TimeUnit.SECONDS));
            addGauge(timer, "_max", SECONDS, timer.max(TimeUnit.SECONDS));
        }

        private void addFunctionTimer(FunctionTimer timer) {
            addHistogramPoint(timer, SECONDS, timer.totalTime(TimeUnit.SECONDS), List.of(), List.of((long) timer.count()));
        }

        private void addOther(Meter meter) {
            for (var measurement : meter.measure()) {
                addGauge(meter, '_' + measurement.getStatistic().getTagValueRepresentation(), NO_UNIT, measurement.getValue());
            }
        }

        private void addGauge(Meter meter, String suffix, String unit, double value) {
            if (!Double.isNaN(value)) {
                points(meter, suffix, unit.isEmpty() ? unit(meter) : unit, MetricDataType.DOUBLE_GAUGE).values()
                        .add(DoublePointData.create(startNanos, time, attributes(meter), value, List.of()));
            }
        }

        private void addSum(Meter meter, double count) {
            points(meter, "", unit(meter), MetricDataType.DOUBLE_SUM).values()
                    .add(DoublePointData.create(startNanos, time, attributes(meter), count, List.of()));
        }

        private void addHistogram(Meter meter, String unit, HistogramSnapshot snapshot, ToDoubleFunction<CountAtBucket> bound,
                double sum, double max) {
            var bounds = new ArrayList<Double>();
            var counts = new ArrayList<Long>();
            long below = 0;
            for (var bucket : snapshot.histogramCounts()) { // cumulative
                double upper = bound.applyAsDouble(bucket);
                if (upper < Double.MAX_VALUE) {
                    bounds.add(upper);
                    counts.add(Math.max(0, (long) bucket.count() - below));
                    below = Math.max(below, (long) bucket.count());
                }
            }
            counts.add(Math.max(0, snapshot.count() - below));
            addHistogramPoint(meter, unit, sum, bounds, counts);
            addGauge(meter, "_max", unit, max);
        }

        private void addHistogramPoint(Meter meter, String unit, double sum, List<Double> bounds, List<Long> counts) {
            points(meter, "", unit, MetricDataType.HISTOGRAM).histograms().add(HistogramPointData.create(startNanos, time,
                    attributes(meter), sum, false, 0, false, 0, bounds, counts));
        }

        private Points points(Meter meter, String suffix, String unit, MetricDataType type) {
            var id = meter.getId();
            var name = registry.config().namingConvention().name(id.getName(), id.getType(), id.getBaseUnit()) + suffix;
            var description = id.getDescription() == null ? "" : id.getDescription();
            var found = points.computeIfAbsent(name,
                    key -> new Points(description, unit, type, new ArrayList<>(), new ArrayList<>()));
            // a name that stands for meters of two kinds has the points of the first
            return found.type() == type ? found : new Points(description, unit, type, new ArrayList<>(), new ArrayList<>());
        }

        private String unit(Meter meter) {
            var unit = meter.getId().getBaseUnit();
            return unit == null ? NO_UNIT : unit;
        }

        private Attributes attributes(Meter meter) {
            var convention = registry.config().namingConvention();
            var attributes = Attributes.builder();
            for (var tag : meter.getId().getTags()) {
                attributes.put(convention.tagKey(tag.getKey()), convention.tagValue(tag.getValue()));
            }
            return attributes.build();
        }

        Collection<MetricData> metrics() {
            var metrics = new ArrayList<MetricData>(points.size());
            points.forEach((name, all) -> metrics
                    .add(new ExportedMetric(resource, name, all.description(), all.unit(), all.type(), switch (all.type()) {
                        case HISTOGRAM -> HistogramData.create(AggregationTemporality.CUMULATIVE, all.histograms());
                        case DOUBLE_SUM ->
                            SumData.createDoubleSumData(true, AggregationTemporality.CUMULATIVE, all.values());
                        default -> GaugeData.createDoubleGaugeData(all.values());
                    })));
            return metrics;
        }
    }
}
