package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** The latency of the upstream is reported by the class of its status or by its failure, and the requests in flight are counted. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class UpstreamMetricsTest extends HopTestBase {

    @Inject
    MeterRegistry registry;

    private long latencies(String status, String outcome) {
        return registry.get("rate_limit_upstream").tag("upstream", "api").tag("status", status).tag("outcome", outcome).timer()
                .count();
    }

    private long allLatencies() {
        return registry.get("rate_limit_upstream").tag("upstream", "api").timers().stream().mapToLong(timer -> timer.count())
                .sum();
    }

    private double inFlight() {
        return registry.get("rate_limit_upstream_in_flight").tag("upstream", "api").gauge().value();
    }

    private void assertMeasured(String status, String outcome, int expectedStatus) {
        long before = latencies(status, outcome);
        long all = allLatencies();
        assertThat(Wire.HTTP_1_1.exchange(port, WireRequest.get("/measured")).status()).isEqualTo(expectedStatus);
        assertThat(latencies(status, outcome)).isEqualTo(before + 1);
        assertThat(allLatencies()).isEqualTo(all + 1);
        awaiting("the end of the request").until(() -> inFlight() == 0);
    }

    @Test
    void latencyIsReportedByClassOfStatus() {
        for (int status : new int[]{200, 204, 302, 404, 500, 503, 599, 600, 999}) {
            upstream.respond("/measured", "HTTP/1.1 " + status + " Any\r\n"
                    + (status == 204 ? "" : "Content-Length: 0\r\n") + "\r\n");
            assertMeasured(Math.min(status / 100, 5) + "xx", "response", status);
        }
    }

    @Test
    void latencyOfFailuresIsReportedByOutcome() {
        upstream.on("/measured", exchange -> {
            exchange.body();
            exchange.finish();
        });
        assertMeasured("none", "aborted", 502);
        upstream.respond("/measured", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: odd\r\n\r\n");
        assertMeasured("none", "aborted", 502);
        upstream.on("/measured", exchange -> exchange.awaitClosed());
        assertMeasured("none", "timeout", 504);
        upstream.stopListening();
        try {
            assertMeasured("none", "connect_failed", 502);
        } finally {
            upstream.startListening();
        }
    }

    @Test
    void requestsInFlightAreCountedOnEveryWire() {
        var release = new CountDownLatch(1);
        upstream.on("/held", exchange -> {
            exchange.await(release);
            RawUpstream.echo(exchange);
        });
        var held = Wire.values();
        var responses = inBackground(() -> onEveryWire(wire -> wire.exchange(port, WireRequest.get("/held"))));
        awaiting("the requests").until(() -> inFlight() == held.length);
        release.countDown();
        responses.join().forEach((wire, response) -> assertThat(response.status()).as("%s", wire).isEqualTo(200));
        awaiting("the end of the requests").until(() -> inFlight() == 0);
    }
}
