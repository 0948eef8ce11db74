package dev.sluice.service.proxy;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import dev.sluice.service.proxy.connection.UpstreamConnections;
import dev.sluice.service.proxy.connection.UpstreamException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;

/** Meters of one upstream. */
final class UpstreamMetrics {

    /** The response was forwarded completely. */
    static final String SUCCESS = "success";
    /** The same, with a status of 500 or more. */
    static final String SERVER_ERROR = "server_error";
    /** The client disconnected first. */
    static final String CLIENT_ABORTED = "client_aborted";

    /** The response could not be forwarded, by a defect of Sluice. */
    static final String ERROR = "error";

    private final Map<String, Counter> outcomes = new HashMap<>();
    private final Counter retries;
    private final Timer latency;

    UpstreamMetrics(MeterRegistry registry, String name, UpstreamConnections connections) {
        for (var outcome : new String[]{SUCCESS, SERVER_ERROR, CLIENT_ABORTED, ERROR}) {
            register(registry, name, outcome);
        }
        for (var cause : UpstreamException.Cause.values()) {
            register(registry, name, cause.outcome());
        }
        retries = Counter.builder("rate_limit_upstream_retries").tag("upstream", name)
                .description("Requests sent again because the upstream had closed the kept connection").register(registry);
        latency = Timer.builder("rate_limit_upstream").tag("upstream", name)
                .description("Time from the admission of a request to the head of the upstream's response")
                .serviceLevelObjectives(Duration.ofMillis(1), Duration.ofMillis(5), Duration.ofMillis(25),
                        Duration.ofMillis(100),
                        Duration.ofMillis(500), Duration.ofMillis(2500), Duration.ofSeconds(10), Duration.ofSeconds(60))
                .register(registry);
        Gauge.builder("rate_limit_upstream_connections", connections, UpstreamConnections::connections).tag("upstream", name)
                .tag("type", "request").description("Open connections to the upstream").register(registry);
        Gauge.builder("rate_limit_upstream_connections", connections, UpstreamConnections::streams).tag("upstream", name)
                .tag("type", "stream").description("Open connections to the upstream").register(registry);
    }

    private void register(MeterRegistry registry, String name, String outcome) {
        outcomes.computeIfAbsent(outcome, value -> Counter.builder("rate_limit_upstream_requests").tag("upstream", name)
                .tag("outcome", value).description("Requests sent to the upstream").register(registry));
    }

    void onHead(long nanos) {
        latency.record(nanos, TimeUnit.NANOSECONDS);
    }

    void onRetry() {
        retries.increment();
    }

    void onComplete(String outcome) {
        outcomes.get(outcome).increment();
    }
}
