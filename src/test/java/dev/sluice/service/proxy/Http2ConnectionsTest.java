package dev.sluice.service.proxy;

import static dev.sluice.service.proxy.HopTestBase.awaiting;
import static dev.sluice.service.proxy.HopTestBase.inBackground;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.wire.RawHttp2Upstream;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireConnection;
import dev.sluice.testing.wire.WireRequest;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Exception;

/** Connections of HTTP/2 to an upstream: how event loops share them, and when they end. */
class Http2ConnectionsTest extends Http2ProxyTestBase {

    private final List<WireConnection> clients = new ArrayList<>();

    @AfterEach
    void closeClients() throws IOException {
        for (var client : clients) {
            client.close();
        }
    }

    private void startProxy(int eventLoops, int maxConnections) {
        proxy = ProxyServer.start(eventLoops, upstream.url(), maxConnections, true);
    }

    private WireConnection connect(Wire wire) throws IOException {
        var client = wire.open(proxy.port());
        clients.add(client);
        return client;
    }

    private static void assertServed(WireConnection client, WireRequest request) throws IOException {
        assertServed(client.exchange(request));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void idleConnectionPassesToAnotherEventLoop(int maxConnections) throws IOException {
        startProxy(4, maxConnections);
        for (int i = 0; i < 8; i++) {
            connect(Wire.HTTP_1_1);
        }
        for (int round = 0; round < 5; round++) {
            for (var client : clients) {
                assertServed(client, WireRequest.get("/"));
            }
        }
        awaiting("the upstream to have closed the others").until(() -> upstream.openConnections() <= maxConnections);
    }

    @Test
    void allEventLoopsAreServedThoughThereIsOneConnection() throws IOException {
        startProxy(4, 1);
        var all = new ArrayList<CompletableFuture<Boolean>>();
        for (int i = 0; i < 8; i++) {
            var client = connect(Wire.HTTP_1_1);
            all.add(inBackground(() -> {
                for (int request = 0; request < 15; request++) {
                    assertServed(client, WireRequest.post("/").body("x"));
                }
                return true;
            }));
        }
        assertThat(all).allSatisfy(served -> assertThat(served.join()).isTrue());
        awaiting("the upstream to have closed the others").until(() -> upstream.openConnections() <= 1);
    }

    /** A response follows as soon as the next request has arrived, so that the connection would never be idle. */
    @Test
    void busyConnectionPassesToAnotherEventLoop() throws IOException {
        startProxy(2, 1);
        var pending = new AtomicReference<RawHttp2Upstream.Stream>();
        upstream.setScript(stream -> {
            respond(pending.getAndSet(stream));
            CompletableFuture.delayedExecutor(200, TimeUnit.MILLISECONDS).execute(() -> {
                if (pending.compareAndSet(stream, null)) {
                    respond(stream);
                }
            });
        });
        var done = new AtomicBoolean();
        var load = new ArrayList<CompletableFuture<Boolean>>();
        var waiting = new ArrayList<WireConnection>();
        for (int i = 0; i < 6; i++) { // the event loops get the connections in turn
            var client = connect(Wire.HTTP_1_1);
            if (i % 2 == 1) {
                waiting.add(client);
            } else {
                load.add(inBackground(() -> {
                    while (!done.get()) {
                        assertServed(client, WireRequest.get("/"));
                    }
                    return true;
                }));
            }
        }
        awaiting("the load").until(() -> upstream.received().size() > 10);
        try {
            assertServed(waiting.get(0), WireRequest.get("/"));
        } finally {
            done.set(true);
        }
        assertThat(load).allSatisfy(served -> assertThat(served.join()).isTrue());
    }

    private static void respond(RawHttp2Upstream.Stream stream) {
        try {
            if (stream != null) {
                stream.respond("ok");
            }
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    /** With HTTP/1.1 it is the same. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void closedUpstreamCompletesItsResponses(boolean http2) throws Exception {
        try (var http1 = new RawUpstream()) {
            var held = new CompletableFuture<Void>();
            http1.otherwise(exchange -> {
                exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
                held.join();
                exchange.send("k");
            });
            upstream.setScript(stream -> {
                stream.sendHead(200, false);
                stream.send("o", false);
                held.thenRun(() -> {
                    try {
                        stream.send("k", true);
                    } catch (IOException e) {
                        throw new CompletionException(e);
                    }
                });
            });
            proxy = ProxyServer.start(1, http2 ? upstream.url() : "http://127.0.0.1:" + http1.port(), 2, http2);
            var client = connect(Wire.HTTP_1_1);
            client.send(WireRequest.get("/"));
            var response = client.readHead();
            while (response.body().length < 1) {
                assertThat(client.readMore(response)).isTrue();
            }
            proxy.upstream().close();
            proxy.awaitEventLoop();
            held.complete(null);
            assertThat(client.readToEnd(response).text()).isEqualTo("ok");
            assertThat(response.isComplete()).as("%s", response).isTrue();
            awaiting("the connections to be closed")
                    .until(() -> upstream.openConnections() == 0 && http1.openConnections() == 0);
        }
    }

    @Test
    void connectionThatGoesAwayIsClosedAfterItsLastStream() throws IOException {
        startProxy(1, 1);
        upstream.setScript(stream -> {
            stream.sendHead(200, false);
            stream.goAway(stream.id());
            stream.send("ok", true);
        });
        var client = connect(Wire.HTTP_1_1);
        for (int i = 1; i <= 20; i++) {
            assertServed(client, WireRequest.post("/").body("x"));
        }
        assertThat(upstream.acceptedConnections()).isEqualTo(20);
        upstream.setScript(stream -> {
            stream.respond("ok");
            stream.goAway(stream.id()); // when no stream is open
        });
        for (int i = 1; i <= 20; i++) {
            assertServed(client, WireRequest.get("/"));
        }
        awaiting("the connections to be closed").until(() -> upstream.openConnections() == 0);
    }

    /** A connection has 2^30 streams (RFC 9113, section 5.1.1). */
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void connectionWithoutFurtherStreamsIsReplaced(int concurrent) throws IOException {
        startProxy(1, 1);
        var client = connect(Wire.HTTP_1_1);
        assertServed(client, WireRequest.post("/").body("x"));
        useStreams(Integer.MAX_VALUE - 4);
        for (int i = 0; i < 10 / concurrent; i++) {
            var all = HopTestBase.concurrently(concurrent,
                    () -> Wire.HTTP_1_1.exchange(proxy.port(), WireRequest.post("/").body("x")));
            assertThat(all).allSatisfy(response -> assertThat(response.status()).as("%s", response).isEqualTo(200));
        }
        assertThat(upstream.acceptedConnections()).isEqualTo(2);
        awaiting("the connection to be closed").until(() -> upstream.openConnections() == 1);
    }

    /** Uses up the stream identifiers of the connection to the upstream up to the given one. */
    private void useStreams(int last) {
        proxy.onConnection(connection -> {
            try {
                ((Http2ConnectionHandler) connection.http().channel().pipeline().get("handler")).connection().local()
                        .createStream(last, false).close();
            } catch (Http2Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** Interim responses are optional for an intermediary; those that it does not know must not end the exchange. */
    @ParameterizedTest
    @EnumSource
    void interimResponsesPrecedeTheFinalOne(Wire wire) throws IOException {
        startProxy(1, 1);
        upstream.setScript(stream -> {
            for (int status : new int[]{102, 100, 103, 104, 199, 102}) {
                stream.sendHead(status, Map.of("link", "</style.css>"), false);
            }
            stream.sendHead(203, Map.of("x-final", "1"), false);
            stream.send("final", true);
        });
        for (var request : List.of(WireRequest.get("/"), WireRequest.post("/").body("x"), WireRequest.get("/"))) {
            var response = wire.exchange(proxy.port(), request);
            assertThat(response.status()).as("%s", response).isEqualTo(203);
            assertThat(response.field("x-final")).isEqualTo("1");
            assertThat(response.field("link")).isNull();
            assertThat(response.text()).isEqualTo("final");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {101, 102, 103, 199})
    void interimResponseThatEndsTheStreamIs502(int status) throws IOException {
        startProxy(1, 1);
        upstream.setScript(stream -> stream.sendHead(status, true));
        assertThat(connect(Wire.HTTP_1_1).exchange(WireRequest.post("/").body("x")).status()).isEqualTo(502);
        upstream.setScript(stream -> stream.respond("ok"));
        assertServed(connect(Wire.HTTP_1_1), WireRequest.get("/"));
    }

    /** Nothing of this belongs to an exchange; the test ends with an error if any is logged. */
    @Test
    void framesAfterTheEndOfAnExchangeHarmNothing() throws IOException {
        startProxy(1, 1);
        var late = List.<RawHttp2Upstream.Script>of(stream -> stream.send("surplus", true), stream -> stream.reset(2),
                stream -> stream.sendHead(200, true), stream -> stream.goAway(0), RawHttp2Upstream.Stream::finish);
        for (var script : late) {
            upstream.setScript(stream -> {
                stream.respond("ok");
                script.respond(stream);
            });
            assertServed(connect(Wire.HTTP_1_1), WireRequest.get("/"));
            upstream.setScript(stream -> stream.respond("ok"));
            for (int i = 0; i < 3; i++) {
                assertServed(connect(Wire.HTTP_1_1), WireRequest.get("/"));
            }
        }
    }

    /** A stream that the client has reset may still get frames, and its connection may end. */
    @Test
    void framesForAClientThatLeftHarmNothing() throws IOException {
        startProxy(1, 1);
        var left = new ArrayList<RawHttp2Upstream.Stream>();
        upstream.setScript(stream -> {
            stream.sendHead(200, false);
            left.add(stream);
        });
        for (int i = 1; i <= 10; i++) {
            var client = connect(Wire.HTTP_2);
            client.send(WireRequest.get("/"));
            assertThat(client.readHead().status()).isEqualTo(200);
            client.abort();
        }
        upstream.setScript(stream -> {
            for (var each : left) {
                each.send("late", false);
                each.send("late", true);
            }
            stream.respond("ok");
            stream.goAway(stream.id());
            stream.finish();
        });
        assertServed(connect(Wire.HTTP_1_1), WireRequest.get("/"));
        upstream.setScript(stream -> stream.respond("ok"));
        assertServed(connect(Wire.HTTP_1_1), WireRequest.get("/"));
    }
}
