package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

import jakarta.inject.Inject;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.WebSocketBytes;
import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireConnection;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Requests beyond the maximum of concurrent ones wait for a while; streams do not count. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class ConnectionLimitTest extends HopTestBase {

    private final AtomicInteger most = new AtomicInteger();

    @Inject
    MeterRegistry registry;

    @BeforeEach
    void awaitEndOfStreams() {
        awaiting("the streams of other tests to end").until(() -> registry.get("rate_limit_upstream_connections")
                .tag("upstream", "api").tag("type", "stream").gauge().value() == 0);
    }

    /** Asserts that no further stream is accepted, while the connections of requests are not used up. */
    private void assertStreamsAreUsedUp(Callable<WireResponse> request) throws Exception {
        double rejected = rejected();
        for (int i = 1; i <= HopProfile.CONNECTIONS; i++) {
            var response = request.call();
            assertError(response, 503, "RATE_5032");
            assertThat(Integer.parseInt(response.field("retry-after"))).isPositive();
            assertThat(rejected()).isEqualTo(rejected + i);
        }
        assertAllConnectionsUsable();
    }

    private double rejected() {
        return registry.get("rate_limit_upstream_requests").tag("upstream", "api").tag("outcome", "rejected").counter().count();
    }

    /** Lets requests to the path wait at the upstream until the latch is opened. */
    private void hold(String path, CountDownLatch release) {
        upstream.on(path, exchange -> {
            most.accumulateAndGet(upstream.inProgress(), Math::max);
            exchange.await(release);
            RawUpstream.echo(exchange);
        });
    }

    private List<CompletableFuture<WireResponse>> holdAll(String path) {
        var held = new ArrayList<CompletableFuture<WireResponse>>();
        for (int i = 0; i < HopProfile.CONNECTIONS; i++) {
            held.add(inBackground(() -> Wire.HTTP_1_1.exchange(port, WireRequest.get(path))));
        }
        awaiting("the requests").until(() -> upstream.inProgress() == HopProfile.CONNECTIONS);
        return held;
    }

    /** Idle connections of another event loop must not keep a request waiting, however many connections may still be opened. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void allConnectionsCanBeUsedAtOnceOnAnyEventLoop(int closed) {
        upstream.on("/closes", exchange -> {
            exchange.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
            exchange.finish();
        });
        for (int round = 0; round < 20; round++) {
            assertAllConnectionsUsable();
            concurrently(closed, () -> Wire.HTTP_1_1.exchange(port, WireRequest.get("/closes")));
        }
    }

    @Test
    void requestWaitsUntilAnotherEnds() {
        var release = new CountDownLatch(1);
        hold("/held", release);
        var held = holdAll("/held");
        var waiting = new ArrayList<CompletableFuture<WireResponse>>();
        for (var wire : Wire.values()) {
            waiting.add(inBackground(() -> wire.exchange(port, WireRequest.get("/held"))));
            waiting.add(inBackground(() -> wire.exchange(port, WireRequest.post("/held").body("x".repeat(100_000)))));
        }
        // answered without the upstream, after the waiting requests have been sent
        assertThat(Wire.HTTP_1_1.exchange(port, WireRequest.get(HopProfile.DENIED)).status()).isEqualTo(429);
        release.countDown();
        for (var response : held) {
            assertThat(response.join().status()).isEqualTo(200);
        }
        for (var response : waiting) {
            assertThat(response.join().status()).as("%s", response.join()).isEqualTo(200);
        }
        assertThat(most.get()).isLessThanOrEqualTo(HopProfile.CONNECTIONS);
    }

    @Test
    void requestThatWaitsTooLongIs503WithRetryAfter() {
        var release = new CountDownLatch(1);
        holdBody("/held", release);
        var held = holdAll("/held");
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/waits"))).forEach((wire, response) -> {
            assertError(response, 503, "RATE_5032");
            assertThat(Integer.parseInt(response.field("retry-after"))).isPositive();
        });
        assertThat(upstream.received("/waits")).isEmpty();
        release.countDown();
        for (var response : held) {
            assertThat(response.join().isComplete()).isTrue();
        }
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/waits")))
                .forEach((wire, response) -> assertThat(response.status()).isEqualTo(200));
    }

    @Test
    void requestOfAClientThatLeftGivesUpItsPlace() throws IOException {
        var release = new CountDownLatch(1);
        hold("/held", release);
        var held = holdAll("/held");
        for (var wire : Wire.values()) {
            for (int i = 0; i < HopProfile.CONNECTIONS; i++) {
                try (var client = wire.open(port)) {
                    client.send(WireRequest.get("/left"));
                    client.abort();
                }
            }
        }
        var last = inBackground(() -> Wire.HTTP_1_1.exchange(port, WireRequest.get("/last")));
        release.countDown();
        assertThat(last.join().status()).isEqualTo(200);
        for (var response : held) {
            assertThat(response.join().status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @EnumSource
    void eventStreamsDoNotUseUpTheConnections(Wire wire) throws Exception {
        var release = new CountDownLatch(1);
        upstream.on("/events", exchange -> {
            exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n");
            exchange.sendChunk("data: 1\n\n");
            exchange.await(release);
            exchange.send("0\r\n\r\n");
        });
        var clients = new ArrayList<WireConnection>();
        var responses = new ArrayList<WireResponse>();
        try {
            for (int i = 0; i < HopProfile.STREAMS; i++) {
                var client = wire.open(port);
                clients.add(client);
                client.send(WireRequest.get("/events"));
                responses.add(client.readHead());
                assertThat(responses.get(i).status()).as("stream %d", i).isEqualTo(200);
                client.readMore(responses.get(i));
            }
            assertStreamsAreUsedUp(() -> wire.exchange(port, WireRequest.get("/events")));
            release.countDown();
            for (int i = 0; i < HopProfile.STREAMS; i++) {
                assertThat(clients.get(i).readToEnd(responses.get(i)).isComplete()).isTrue();
            }
        } finally {
            release.countDown();
            for (var client : clients) {
                client.close();
            }
        }
    }

    @Test
    void webSocketsDoNotUseUpTheConnections() throws Exception {
        upstream.on("/ws", exchange -> {
            exchange.send(WebSocketBytes.accept(exchange));
            exchange.awaitClosed();
        });
        var clients = new ArrayList<Http1Wire>();
        try {
            for (int i = 0; i < HopProfile.STREAMS; i++) {
                var client = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_1);
                clients.add(client);
                client.send(WebSocketBytes.handshake("/ws"));
                assertThat(client.readHead().status()).as("socket %d", i).isEqualTo(101);
            }
            assertStreamsAreUsedUp(() -> {
                try (var client = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_1)) {
                    client.send(WebSocketBytes.handshake("/ws"));
                    return client.readToEnd(client.readHead());
                }
            });
            assertThat(upstream.received("/ws")).as("handshakes that the upstream has accepted").hasSize(HopProfile.STREAMS);
        } finally {
            for (var client : clients) {
                client.close();
            }
        }
    }
}
