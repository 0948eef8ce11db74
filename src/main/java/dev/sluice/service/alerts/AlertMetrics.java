package dev.sluice.service.alerts;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** Counts alerts by their outcome. Thread-safe. */
final class AlertMetrics {

    static final String ALERTS = "rate_limit_alerts";

    private final Counter sent;
    private final Counter failed;
    private final Counter dropped;

    AlertMetrics(MeterRegistry meters) {
        sent = counter(meters, "sent");
        failed = counter(meters, "failed");
        dropped = counter(meters, "dropped");
    }

    private static Counter counter(MeterRegistry meters, String outcome) {
        return Counter.builder(ALERTS).tag("outcome", outcome).description("Alerts about limits, by outcome").register(meters);
    }

    /** Counts an alert that a receiver has accepted. */
    void sent() {
        sent.increment();
    }

    /** Counts an alert that was given up. */
    void failed() {
        failed.increment();
    }

    /** Counts observations that were dropped, because too many waited for Redis. */
    void dropped(int count) {
        dropped.increment(count);
    }
}
