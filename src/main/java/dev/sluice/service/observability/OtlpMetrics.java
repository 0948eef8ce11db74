package dev.sluice.service.observability;

import jakarta.enterprise.inject.Instance;
import jakarta.inject.Singleton;

import dev.sluice.service.config.ServiceConfig;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdkBuilder;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentSelector;
import io.opentelemetry.sdk.metrics.View;
import io.quarkus.opentelemetry.runtime.AutoConfiguredOpenTelemetrySdkBuilderCustomizer;

/**
 * Exports all metrics by OTLP if {@code rate-limit.metrics.otlp} is set, beside {@code /q/metrics}.
 * <p>
 * The extension quarkus-micrometer-opentelemetry is not used: whether it is in effect is decided at build time, and each measurement
 * would then be recorded twice, also if nothing is exported.
 */
@Singleton
class OtlpMetrics implements AutoConfiguredOpenTelemetrySdkBuilderCustomizer {

    private final boolean enabled;
    private final Instance<MeterRegistry> registry;

    /** @param registry is not created before this object */
    OtlpMetrics(ServiceConfig settings, Instance<MeterRegistry> registry) {
        this.enabled = settings.metrics().otlp();
        this.registry = registry;
    }

    @Override
    public void customize(AutoConfiguredOpenTelemetrySdkBuilder sdk) {
        sdk.addMeterProviderCustomizer((provider, properties) -> {
            // OpenTelemetry's metrics of itself are not exported: with tracing alone, the collector may not take metrics
            provider.registerView(InstrumentSelector.builder().setName("*").build(),
                    View.builder().setAggregation(Aggregation.drop()).build());
            return enabled ? provider.registerMetricProducer(new MeterSnapshots(() -> leaf(registry.get()))) : provider;
        });
    }

    /** Returns the registry that measures: Quarkus injects a composite one, which has no naming convention of its own. */
    private static MeterRegistry leaf(MeterRegistry registry) {
        return registry instanceof CompositeMeterRegistry composite && !composite.getRegistries().isEmpty()
                ? leaf(composite.getRegistries().iterator().next())
                : registry;
    }
}
