package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.RawExchange;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireConnection;
import dev.sluice.testing.wire.WireRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Kept upstream connections that are just being closed: idempotent requests without a body are sent once more, others never. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class StaleConnectionsTest extends HopTestBase {

    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /** As many servers do after their keep-alive timeout, but after each response. */
    @ParameterizedTest
    @EnumSource
    void idempotentRequestsSucceedThoughTheUpstreamClosesAfterEachResponse(Wire wire) throws IOException {
        upstream.on("/quick-close", exchange -> {
            exchange.send(OK);
            if (upstream.received().size() % 2 == 0) {
                exchange.close();
            } else {
                exchange.finish();
            }
        });
        var methods = List.of("GET", "HEAD", "OPTIONS", "DELETE");
        try (var client = wire == Wire.HTTP_1_0 ? null : wire.open(port)) {
            for (int i = 0; i < 300; i++) {
                var request = WireRequest.of(methods.get(i % methods.size()), "/quick-close?" + i);
                var response = client == null ? wire.exchange(port, request) : client.exchange(request);
                assertThat(response.status()).as("request %d: %s", i, response).isEqualTo(200);
            }
        }
    }

    /** Leaves connections open that the upstream closes at the next request, without a response, until one is let through. */
    private void keepConnectionsThatCloseOnce(String path, WireConnection client, boolean always) throws IOException {
        assertThat(client.exchange(WireRequest.get("/ordinary")).status()).isEqualTo(200);
        var closed = new AtomicBoolean();
        upstream.on(path, exchange -> {
            exchange.body();
            if (exchange.ordinal() > 1 && (always || !closed.getAndSet(true))) {
                exchange.finish();
            } else {
                exchange.send(OK);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "OPTIONS", "DELETE"})
    void idempotentRequestIsSentOnceMore(String method) throws IOException {
        for (var wire : List.of(Wire.HTTP_1_1, Wire.HTTP_2)) {
            try (var client = wire.open(port)) {
                upstream.clear();
                keepConnectionsThatCloseOnce("/stale", client, false);
                assertThat(client.exchange(WireRequest.of(method, "/stale")).status()).isEqualTo(200);
                assertThat(upstream.received("/stale")).hasSizeBetween(1, 2)
                        .allSatisfy(request -> assertThat(request.method()).isEqualTo(method));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PATCH"})
    void otherMethodIsNeverSentTwice(String method) throws IOException {
        assertSentOnce(WireRequest.of(method, "/stale"));
        assertSentOnce(WireRequest.of(method, "/stale").body("x"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "PUT", "DELETE"})
    void requestWithABodyIsNeverSentTwice(String method) throws IOException {
        assertSentOnce(WireRequest.of(method, "/stale").body("x"));
        assertSentOnce(WireRequest.of(method, "/stale").body("x".repeat(100_000)));
    }

    private void assertSentOnce(WireRequest request) throws IOException {
        for (var wire : List.of(Wire.HTTP_1_1, Wire.HTTP_2)) {
            try (var client = wire.open(port)) {
                upstream.clear();
                keepConnectionsThatCloseOnce("/stale", client, true);
                var response = client.exchange(request);
                assertThat(upstream.received("/stale")).hasSize(1);
                if (upstream.only("/stale").ordinal() > 1) {
                    assertError(response, 502, "RATE_5021");
                } else {
                    assertThat(response.status()).isEqualTo(200);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void failureIsRetriedAtMostOnce(Wire wire) {
        upstream.on("/fails", RawExchange::finish);
        for (int i = 1; i <= 10; i++) {
            assertError(wire.exchange(port, WireRequest.get("/fails")), 502, "RATE_5021");
            assertThat(upstream.received("/fails")).hasSizeLessThanOrEqualTo(2 * i);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
            "HTTP/1.1 103 Early Hints\r\n\r\n"})
    void responseThatHasBegunIsNeverRetried(String begin) throws IOException {
        for (var wire : List.of(Wire.HTTP_1_1, Wire.HTTP_2)) {
            try (var client = wire.open(port)) {
                upstream.clear();
                assertThat(client.exchange(WireRequest.get("/ordinary")).status()).isEqualTo(200);
                upstream.on("/begins", exchange -> {
                    exchange.send(begin);
                    exchange.finish();
                });
                var response = client.exchange(WireRequest.get("/begins"));
                assertThat(response.status() == 502 || !response.isComplete()).as("%s", response).isTrue();
                assertThat(upstream.received("/begins")).hasSize(1);
            }
        }
    }

    /** The time limit of a response is no reason to send its request again. */
    @Test
    void silenceIsNotRetried() {
        upstream.on("/silent", RawExchange::awaitClosed);
        assertError(Wire.HTTP_1_1.exchange(port, WireRequest.get("/silent")), 504, "RATE_5041");
        assertThat(upstream.received("/silent")).hasSize(1);
    }

    /** All connections are closed at once, as when the upstream restarts. */
    @Test
    void connectionsThatWereClosedWhileIdleAreNotUsed() {
        for (int i = 0; i < 20; i++) {
            assertAllConnectionsUsable();
            upstream.closeIdleConnections();
            onEveryWire(wire -> wire.exchange(port, WireRequest.get("/ordinary")))
                    .forEach((wire, response) -> assertThat(response.status()).as("%s", wire).isEqualTo(200));
        }
    }
}
