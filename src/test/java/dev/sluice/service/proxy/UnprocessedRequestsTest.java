package dev.sluice.service.proxy;

import static dev.sluice.service.proxy.HopTestBase.awaiting;
import static dev.sluice.service.proxy.HopTestBase.inBackground;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.wire.Http2Wire;
import dev.sluice.testing.wire.RawHttp2Upstream.Script;
import dev.sluice.testing.wire.RawHttp2Upstream.Stream;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;

/** Requests on connections that the upstream is just closing: which ones are sent again. */
class UnprocessedRequestsTest extends Http2ProxyTestBase {

    private static final int REFUSED_STREAM = 7;
    /** One for each event loop, so that no other request is on the connection that the upstream closes. */
    private static final int CLIENTS = 2;
    private static final int REQUESTS = 1000;

    /** How an upstream says over HTTP/2 that it does not process a request. */
    enum Refusal {
        RESET {
            @Override
            void send(Stream stream) throws IOException {
                stream.reset(REFUSED_STREAM);
            }
        },
        GOAWAY {
            @Override
            void send(Stream stream) throws IOException {
                stream.goAway(Math.max(0, stream.id() - 2));
            }
        },
        GOAWAY_AND_CLOSE {
            @Override
            void send(Stream stream) throws IOException {
                stream.goAway(Math.max(0, stream.id() - 2));
                stream.finish();
            }
        };

        abstract void send(Stream stream) throws IOException;
    }

    @BeforeEach
    void startProxy() {
        proxy = ProxyServer.start(2, upstream.url(), 4, true);
    }

    @AfterEach
    void eventLoopsStillServe() {
        for (int i = 0; i < 4; i++) { // both event loops
            assertThat(Wire.HTTP_1_1.exchange(proxy.port(), WireRequest.get("/last")).status()).isEqualTo(200);
        }
    }

    private List<Stream> received(String path) {
        return upstream.received().stream().filter(stream -> stream.path().equals(path)).toList();
    }

    /** Refuses the first request to the path, and responds to all others. */
    private void refuseOnce(Refusal refusal, String path) {
        upstream.setScript(stream -> {
            if (stream.path().equals(path) && received(path).size() == 1) {
                refusal.send(stream);
            } else {
                stream.respond("ok");
            }
        });
    }

    /** Any method may be sent again, on a new connection too, if it was not processed (RFC 9110, section 9.2.2). */
    @ParameterizedTest
    @EnumSource
    void refusedRequestWithoutABodyIsSentAgain(Refusal refusal) {
        for (var wire : Wire.values()) {
            for (var method : List.of("GET", "POST", "PUT", "PATCH")) {
                var path = "/" + method + wire;
                refuseOnce(refusal, path);
                assertServed(wire.exchange(proxy.port(), WireRequest.of(method, path)));
                assertThat(received(path)).hasSize(2);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void refusedRequestWhoseBodyHasBegunIs502(Refusal refusal) {
        for (var wire : Wire.values()) {
            for (var body : List.of("x", "x".repeat(100_000))) {
                var path = "/body" + wire + body.length();
                refuseOnce(refusal, path);
                var response = wire.exchange(proxy.port(), WireRequest.post(path).body(body));
                assertThat(response.status()).as("%s", response).isEqualTo(502);
                assertThat(response.isComplete()).as("%s", response).isTrue();
                assertThat(received(path)).hasSize(1);
            }
        }
    }

    /** The length is unknown, so that the header section is sent before the body has begun. */
    @ParameterizedTest
    @EnumSource
    void refusedRequestWhoseBodyHasNotBegunIsSentAgain(Refusal refusal) throws IOException {
        refuseOnce(refusal, "/late");
        try (var client = new Http2Wire(proxy.port(), "127.0.0.1")) {
            var stream = client.open(WireRequest.post("/late"), false);
            awaiting("the request to be sent again").until(() -> received("/late").size() == 2);
            stream.send("body", true);
            assertServed(stream.readToEnd(stream.readHead()));
        }
    }

    /** The length is known, so that the header section waits for the body, which comes after the connection has been lost. */
    @ParameterizedTest
    @EnumSource
    void requestOfWhichNothingWasSentUsesAnotherConnection(Refusal refusal) throws IOException {
        proxy.close();
        proxy = ProxyServer.start(1, upstream.url(), 1, true);
        try (var client = new Http2Wire(proxy.port(), "127.0.0.1")) {
            assertServed(client.exchange(WireRequest.get("/first")));
            var stream = client.open(WireRequest.post("/late").field("Content-Length", "4"), false);
            upstream.setScript(refused -> {
                if (received("/refused").size() == 1) {
                    refusal.send(refused);
                } else {
                    refused.respond("ok");
                }
            });
            assertServed(client.exchange(WireRequest.get("/refused")));
            stream.send("body", true);
            assertServed(stream.readToEnd(stream.readHead()));
            assertThat(received("/late")).hasSize(1);
        }
    }

    @Test
    void refusalIsRepeatedOnce() {
        upstream.setScript(stream -> stream.reset(REFUSED_STREAM));
        assertThat(Wire.HTTP_1_1.exchange(proxy.port(), WireRequest.get("/")).status()).isEqualTo(502);
        assertThat(upstream.received()).hasSize(2);
        upstream.setScript(stream -> stream.respond("ok"));
    }

    /** An interim response is the beginning of a response. */
    @ParameterizedTest
    @EnumSource
    void requestWithAnInterimResponseIsNotSentAgain(Wire wire) {
        assertServed(wire.exchange(proxy.port(), WireRequest.get("/first")));
        for (int status : new int[]{100, 102, 103}) {
            var path = "/interim" + status;
            upstream.setScript(stream -> {
                if (stream.ordinal() > 1 && stream.path().equals(path)) {
                    stream.sendHead(status, false);
                    stream.finish();
                } else {
                    stream.respond("ok");
                }
            });
            for (int i = 0; i < 4 && received(path).stream().noneMatch(stream -> stream.ordinal() > 1); i++) {
                int before = received(path).size();
                assertThat(wire.exchange(proxy.port(), WireRequest.get(path)).status()).isIn(200, 502);
                assertThat(received(path)).hasSize(before + 1);
            }
        }
    }

    /** Lets several clients send requests, and returns how many of them were served. */
    private long served(int port) {
        var clients = new ArrayList<CompletableFuture<Integer>>();
        for (int i = 0; i < CLIENTS; i++) {
            var wire = i % 2 == 0 ? Wire.HTTP_1_1 : Wire.HTTP_2;
            clients.add(inBackground(() -> {
                int served = 0;
                try (var client = wire.open(port)) {
                    for (int request = 0; request < REQUESTS / CLIENTS; request++) {
                        var response = client.exchange(WireRequest.get("/"));
                        served += response.status() == 200 && response.isComplete() ? 1 : 0;
                    }
                }
                return served;
            }));
        }
        return clients.stream().mapToInt(CompletableFuture::join).sum();
    }

    @Test
    void allRequestsAreServedThoughHttp2ConnectionsCloseAfterEachResponse() {
        var endings = List.<Script>of(Stream::finish, stream -> {
            stream.goAway(stream.id());
            stream.finish();
        }, stream -> {
            stream.goAway(Integer.MAX_VALUE);
            stream.finish();
        }, stream -> stream.goAway(stream.id()));
        var next = new AtomicInteger();
        upstream.setScript(stream -> {
            stream.respond("ok");
            endings.get(next.getAndIncrement() % endings.size()).respond(stream);
        });
        assertThat(served(proxy.port())).isEqualTo(REQUESTS);
        upstream.setScript(stream -> stream.respond("ok"));
    }

    @Test
    void allRequestsAreServedThoughHttp1ConnectionsCloseAfterEachResponse() {
        try (var http1 = new RawUpstream();
                var http1Proxy = ProxyServer.start(2, "http://127.0.0.1:" + http1.port(), 4, false)) {
            var next = new AtomicInteger();
            http1.otherwise(exchange -> {
                exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                if (next.getAndIncrement() % 2 == 0) {
                    exchange.close();
                } else {
                    exchange.finish();
                }
            });
            assertThat(served(http1Proxy.port())).isEqualTo(REQUESTS);
        }
    }
}
