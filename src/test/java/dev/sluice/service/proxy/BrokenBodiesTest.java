package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.testing.RawExchange;
import dev.sluice.testing.RawUpstream.Script;
import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Http2Wire;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireConnection;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** A body that the upstream breaks off, or stops sending, looks broken to every client. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class BrokenBodiesTest extends HopTestBase {

    private static final String LENGTH = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello";
    private static final String CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    private static final String UNTIL_CLOSED = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello";

    private record Cut(String start, Script ending) {
    }

    private static Map<String, Cut> cuts() {
        Script finish = RawExchange::finish;
        Script reset = RawExchange::reset;
        var cuts = new LinkedHashMap<String, Cut>();
        cuts.put("Content-Length, FIN", new Cut(LENGTH, finish));
        cuts.put("Content-Length, RST", new Cut(LENGTH, reset));
        cuts.put("chunked, FIN", new Cut(CHUNKED, finish));
        cuts.put("chunked, RST", new Cut(CHUNKED, reset));
        cuts.put("within a chunk", new Cut(CHUNKED, thenFinish("a\r\nhell")));
        cuts.put("within a chunk size", new Cut(CHUNKED, thenFinish("a")));
        cuts.put("before the empty line after the last chunk", new Cut(CHUNKED, thenFinish("0\r\n")));
        cuts.put("within the trailers", new Cut(CHUNKED, thenFinish("0\r\nX-Sum: 1")));
        cuts.put("bad chunk size", new Cut(CHUNKED, thenFinish("ZZ\r\n\r\n0\r\n\r\n")));
        cuts.put("negative chunk size", new Cut(CHUNKED, thenFinish("-5\r\nhello\r\n0\r\n\r\n")));
        cuts.put("huge chunk size", new Cut(CHUNKED, thenFinish("fffffffffffffffff\r\nhello\r\n0\r\n\r\n")));
        cuts.put("endless chunk size line",
                new Cut(CHUNKED, thenFinish("5;" + "x".repeat(200_000) + "\r\nhello\r\n0\r\n\r\n")));
        cuts.put("until closed, RST", new Cut(UNTIL_CLOSED, reset));
        return cuts;
    }

    private static Script thenFinish(String bytes) {
        return exchange -> {
            exchange.send(bytes);
            exchange.finish();
        };
    }

    static Stream<Arguments> cutsOnEveryWire() {
        return cuts().entrySet().stream()
                .flatMap(cut -> Stream.of(Wire.values()).map(wire -> Arguments.of(cut.getKey(), wire, cut.getValue())));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cutsOnEveryWire")
    void cutBodyLooksBroken(String name, Wire wire, Cut cut) throws IOException {
        var received = new CountDownLatch(1);
        upstream.on("/cut", exchange -> {
            exchange.send(cut.start());
            exchange.await(received);
            cut.ending().respond(exchange);
        });
        try (var client = wire.open(port)) {
            client.send(WireRequest.get("/cut"));
            var response = readHello(client);
            received.countDown();
            assertBroken(wire, client.readToEnd(response));
            assertThat(response.text()).startsWith("hello");
        }
        assertServed(wire);
    }

    private static WireResponse readHello(WireConnection client) throws IOException {
        var response = client.readHead();
        assertThat(response.status()).isEqualTo(200);
        while (!response.text().equals("hello")) {
            assertThat(client.readMore(response)).as("%s", response).isTrue();
        }
        return response;
    }

    @ParameterizedTest
    @EnumSource
    void bodyUntilClosedIsCompleteWhenTheUpstreamCloses(Wire wire) {
        upstream.on("/closed", exchange -> {
            exchange.send(UNTIL_CLOSED);
            exchange.finish();
        });
        var response = wire.exchange(port, WireRequest.get("/closed"));
        assertThat(response.isComplete()).as("%s", response).isTrue();
        assertThat(response.text()).isEqualTo("hello");
    }

    /** The client may get 502 instead if nothing has been sent to it yet. */
    @ParameterizedTest
    @EnumSource
    void responseCutAfterItsHeadIsBrokenOr502(Wire wire) {
        upstream.on("/cut", exchange -> {
            exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
            exchange.finish();
        });
        var response = wire.exchange(port, WireRequest.get("/cut"));
        if (response.status() == 502) {
            assertError(response, 502, "RATE_5021");
        } else {
            assertBroken(wire, response);
        }
    }

    /** An HTTP/2 connection carries the other streams on. */
    @Test
    void cutBodyBreaksItsStreamOnly() throws IOException {
        var received = new CountDownLatch(1);
        upstream.on("/cut", exchange -> {
            exchange.send(CHUNKED);
            exchange.await(received);
            exchange.reset();
        });
        upstream.on("/goes-on", exchange -> {
            exchange.send(CHUNKED);
            exchange.await(received);
            exchange.send("5\r\nworld\r\n0\r\n\r\n");
        });
        try (var client = new Http2Wire(port, "127.0.0.1")) {
            var cut = client.open(WireRequest.get("/cut"), true);
            var goesOn = client.open(WireRequest.get("/goes-on"), true);
            var first = cut.readHead();
            var second = goesOn.readHead();
            received.countDown();
            assertBroken(Wire.HTTP_2, cut.readToEnd(first));
            assertThat(goesOn.readToEnd(second).text()).isEqualTo("helloworld");
            assertThat(second.isComplete()).isTrue();
        }
    }

    @Test
    void silenceWithinABodyBreaksIt() {
        var starts = Map.of("/length", LENGTH, "/chunked", CHUNKED, "/until-closed", UNTIL_CLOSED);
        starts.forEach((path, start) -> upstream.on(path, exchange -> {
            exchange.send(start);
            exchange.awaitClosed();
        }));
        onEveryWire(List.copyOf(starts.keySet()), (wire, path) -> wire.exchange(port, WireRequest.get(path)))
                .forEach((path, responses) -> responses.forEach((wire, response) -> {
                    assertThat(response.text()).as(path).isEqualTo("hello");
                    assertBroken(wire, response);
                }));
    }

    /** The event streams begin first and are silent for longer than the other response, which is aborted. */
    @Test
    void eventStreamMayBeSilent() {
        var begun = new CountDownLatch(Wire.values().length);
        var aborted = new CountDownLatch(1);
        upstream.on("/events", exchange -> {
            exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            exchange.sendChunk("data: 1\n\n");
            begun.countDown();
            exchange.await(aborted);
            exchange.sendChunk("data: 2\n\n");
            exchange.send("0\r\n\r\n");
        });
        upstream.on("/silent", exchange -> {
            exchange.await(begun);
            exchange.send(CHUNKED);
            exchange.awaitClosed();
        });
        var silent = inBackground(() -> {
            var response = Wire.HTTP_1_1.exchange(port, WireRequest.get("/silent"));
            aborted.countDown();
            return response;
        });
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/events").field("Accept", "text/event-stream")))
                .forEach((wire, events) -> {
                    assertThat(events.text()).as("%s", wire).isEqualTo("data: 1\n\ndata: 2\n\n");
                    assertThat(events.isComplete()).as("%s", events).isTrue();
                });
        assertBroken(Wire.HTTP_1_1, silent.join());
    }

    /** The client reads nothing for longer than the upstream may be silent: this is not silence of the upstream. */
    @Test
    void slowClientIsNoSilenceOfTheUpstream() throws IOException {
        int size = 30_000_000;
        upstream.on("/large", exchange -> {
            exchange.send("HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\n\r\n");
            exchange.send(new byte[size]);
        });
        upstream.on("/silent", exchange -> {
            exchange.send(CHUNKED);
            exchange.awaitClosed();
        });
        try (var http1 = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_1);
                var http10 = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_0);
                var http2 = new Http2Wire(port, "127.0.0.1", 65535)) {
            http1.send(WireRequest.get("/large"));
            http10.send(WireRequest.get("/large"));
            var stream = http2.open(WireRequest.get("/large"), true);
            assertBroken(Wire.HTTP_1_1, Wire.HTTP_1_1.exchange(port, WireRequest.get("/silent")));
            stream.extendWindow(size);
            for (var response : new WireResponse[]{http1.readToEnd(http1.readHead()), http10.readToEnd(http10.readHead()),
                    stream.readToEnd(stream.readHead())}) {
                assertThat(response.isComplete()).as("%s", response).isTrue();
                assertThat(response.body()).hasSize(size);
            }
        }
    }

    /** Clients that leave take their upstream connection along. */
    @ParameterizedTest
    @EnumSource
    void clientThatLeavesEndsTheRequestAtTheUpstream(Wire wire) {
        upstream.on("/endless", exchange -> {
            exchange.send(CHUNKED);
            while (true) {
                exchange.sendChunk("x".repeat(10_000));
            }
        });
        upstream.on("/silent", RawExchange::awaitClosed);
        for (int i = 0; i < 2 * HopProfile.CONNECTIONS; i++) {
            try (var client = wire.open(port)) {
                client.send(WireRequest.get(i % 2 == 0 ? "/endless" : "/silent"));
                if (i % 2 == 0) {
                    readHello(client, 1);
                }
                client.abort();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static void readHello(WireConnection client, int reads) throws IOException {
        var response = client.readHead();
        for (int i = 0; i < reads; i++) {
            client.readMore(response);
        }
        assertThat(response.text()).startsWith("hello");
    }
}
