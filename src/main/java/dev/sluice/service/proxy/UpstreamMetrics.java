package dev.sluice.service.proxy;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import dev.sluice.service.proxy.connection.UpstreamConnections;
import dev.sluice.service.proxy.connection.UpstreamException.Cause;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;

/** Meters of one upstream. All of them are registered at start, so that a request only looks them up. Thread-safe. */
final class UpstreamMetrics {

    /** The response was forwarded completely. */
    static final String SUCCESS = "success";
    /** The same, with a status of 500 or more. */
    static final String SERVER_ERROR = "server_error";
    /** The client disconnected first. */
    static final String CLIENT_ABORTED = "client_aborted";

    /** The response could not be forwarded, by a defect of Sluice. */
    static final String ERROR = "error";

    /** Outcome of a request whose response has begun, the value of the tag of the latency. */
    private static final String RESPONSE = "response";
    /** Class of the status of a request without a response. */
    private static final String NO_STATUS = "none";
    private static final int STATUS_CLASSES = 5;
    private static final Duration[] BUCKETS = {Duration.ofMillis(1), Duration.ofMillis(5), Duration.ofMillis(25),
            Duration.ofMillis(100), Duration.ofMillis(500), Duration.ofMillis(2500), Duration.ofSeconds(10),
            Duration.ofSeconds(60)};

    private final Map<String, Counter> outcomes = new HashMap<>();
    private final Counter retries;
    /** Latency of requests with a response, by the class of its status: 1xx to 5xx. */
    private final Timer[] latencyByStatus = new Timer[STATUS_CLASSES];
    /** Latency of requests that failed by the upstream before a response began, by outcome. */
    private final Map<String, Timer> latencyOfFailures = new HashMap<>();

    UpstreamMetrics(MeterRegistry registry, String name, UpstreamConnections connections, ExchangesInFlight inFlight) {
        for (var outcome : new String[]{SUCCESS, SERVER_ERROR, CLIENT_ABORTED, ERROR}) {
            register(registry, name, outcome);
        }
        for (var cause : Cause.values()) {
            register(registry, name, cause.outcome());
            if (!cause.outcome().equals(CLIENT_ABORTED)) {
                latencyOfFailures.computeIfAbsent(cause.outcome(), outcome -> latency(registry, name, NO_STATUS, outcome));
            }
        }
        for (int i = 0; i < STATUS_CLASSES; i++) {
            latencyByStatus[i] = latency(registry, name, (i + 1) + "xx", RESPONSE);
        }
        retries = Counter.builder("rate_limit_upstream_retries").tag("upstream", name)
                .description("Requests sent again because the upstream had closed the kept connection").register(registry);
        Gauge.builder("rate_limit_upstream_in_flight", inFlight, ExchangesInFlight::count).tag("upstream", name)
                .description("Requests that are forwarded and not complete, without established WebSockets").register(registry);
        Gauge.builder("rate_limit_upstream_connections", connections, UpstreamConnections::connections).tag("upstream", name)
                .tag("type", "request").description("Open connections to the upstream").register(registry);
        Gauge.builder("rate_limit_upstream_connections", connections, UpstreamConnections::streams).tag("upstream", name)
                .tag("type", "stream").description("Open connections to the upstream").register(registry);
    }

    private void register(MeterRegistry registry, String name, String outcome) {
        outcomes.computeIfAbsent(outcome, value -> Counter.builder("rate_limit_upstream_requests").tag("upstream", name)
                .tag("outcome", value).description("Requests sent to the upstream").register(registry));
    }

    private static Timer latency(MeterRegistry registry, String name, String status, String outcome) {
        return Timer.builder("rate_limit_upstream").tag("upstream", name).tag("status", status).tag("outcome", outcome)
                .description("Time from the admission of a request to the head of the upstream's response, or to the failure")
                .serviceLevelObjectives(BUCKETS).register(registry);
    }

    /**
     * The response has begun.
     *
     * @param status status code; above 599, which no class of RFC 9110 covers, it counts as a 5xx
     */
    void onHead(int status, long nanos) {
        latencyByStatus[Math.min(Math.max(status / 100, 1), STATUS_CLASSES) - 1].record(nanos, TimeUnit.NANOSECONDS);
    }

    /** The request has failed before a response began. A client that has disconnected says nothing about the latency. */
    void onNoHead(Cause cause, long nanos) {
        var timer = latencyOfFailures.get(cause.outcome());
        if (timer != null) {
            timer.record(nanos, TimeUnit.NANOSECONDS);
        }
    }

    void onRetry() {
        retries.increment();
    }

    void onComplete(String outcome) {
        outcomes.get(outcome).increment();
    }
}
