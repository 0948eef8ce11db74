package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.testing.RawExchange;
import dev.sluice.testing.RawUpstream.Script;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Whatever an upstream does instead of a response, the client gets an error in Sluice's format. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class UpstreamFailuresTest extends HopTestBase {

    private static final String OK = "HTTP/1.1 200 OK\r\n";

    private static Script sending(String bytes) {
        return exchange -> {
            exchange.body();
            exchange.send(bytes);
            exchange.finish();
        };
    }

    private static Map<String, Script> noResponse() {
        var scripts = new LinkedHashMap<String, Script>();
        scripts.put("closed before the response", RawExchange::finish);
        scripts.put("closed without reading the body", exchange -> exchange.reset());
        scripts.put("reset after the request", exchange -> {
            exchange.body();
            exchange.reset();
        });
        scripts.put("closed within the status line", sending("HTTP/1.1 20"));
        scripts.put("closed within the fields", sending(OK + "Content-Length: 5\r\nX-A: b"));
        scripts.put("reset within the fields", exchange -> {
            exchange.body();
            exchange.send(OK + "Content-Length: 5\r\nX-A: b");
            exchange.reset();
        });
        scripts.put("garbage", sending("\u0000\u0001garbage\u00ff\r\n\r\n"));
        scripts.put("another protocol", sending("SSH-2.0-OpenSSH_9.6\r\n"));
        scripts.put("response of TLS", sending("\u0015\u0003\u0003\u0000\u0002\u0002\u0032"));
        scripts.put("status that is no number", sending("HTTP/1.1 OK 200\r\nContent-Length: 0\r\n\r\n"));
        scripts.put("status of four digits", sending("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"));
        scripts.put("switch of protocols nobody asked for",
                sending("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: odd\r\n\r\n"));
        scripts.put("too large header section", exchange -> {
            exchange.body();
            exchange.send(OK + ("X-Large: " + "x".repeat(1000) + "\r\n").repeat(300) + "\r\n");
            exchange.finish();
        });
        scripts.put("too long field", sending(OK + "X-Large: " + "x".repeat(300_000) + "\r\n\r\n"));
        for (var length : List.of("abc", "-1", "5x", "0x5", "99999999999999999999")) {
            scripts.put("Content-Length: " + length, sending(OK + "Content-Length: " + length + "\r\n\r\nhello"));
        }
        scripts.put("two lengths", sending(OK + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"));
        for (var coding : List.of("xchunked", "gzip", "gzip, chunked", "chunked\r\nTransfer-Encoding: gzip", "")) {
            scripts.put("Transfer-Encoding: " + coding,
                    sending(OK + "Transfer-Encoding: " + coding + "\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n"));
        }
        scripts.put("list of two lengths", sending(OK + "Content-Length: 5, 6\r\n\r\nhello!"));
        return scripts;
    }

    static Stream<Arguments> noResponseOnEveryWire() {
        return onEveryWire(noResponse());
    }

    private static Stream<Arguments> onEveryWire(Map<String, Script> scripts) {
        return scripts.entrySet().stream().flatMap(
                script -> Stream.of(Wire.values()).map(wire -> Arguments.of(script.getKey(), wire, script.getValue())));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("noResponseOnEveryWire")
    void missingResponseIs502(String name, Wire wire, Script script) throws IOException {
        upstream.on("/fails", script);
        for (var request : List.of(WireRequest.get("/fails"), WireRequest.post("/fails").body("some body"),
                WireRequest.of("DELETE", "/fails"))) {
            assertError(wire.exchange(port, request), 502, "RATE_5021");
        }
        var head = wire.exchange(port, WireRequest.head("/fails"));
        assertThat(head.status()).isEqualTo(502);
        assertThat(head.body()).isEmpty();
        assertThat(head.isComplete()).as("%s", head).isTrue();
        assertServed(wire);
    }

    /** A failure of the upstream is none of the client's connection. */
    @ParameterizedTest
    @EnumSource(names = {"HTTP_1_1", "HTTP_2"})
    void clientConnectionOutlivesFailures(Wire wire) throws IOException {
        try (var client = wire.open(port)) {
            for (var script : noResponse().entrySet()) {
                upstream.on("/fails", script.getValue());
                var failed = client.exchange(WireRequest.get("/fails"));
                assertThat(failed.status()).as(script.getKey()).isEqualTo(502);
                assertThat(client.exchange(WireRequest.get("/ordinary")).status()).as("after " + script.getKey())
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void refusedConnectionIs502() {
        upstream.stopListening();
        try {
            onEveryWire(wire -> wire.exchange(port, WireRequest.get("/x")))
                    .forEach((wire, response) -> assertError(response, 502, "RATE_5021"));
        } finally {
            upstream.startListening();
        }
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/x")))
                .forEach((wire, response) -> assertThat(response.status()).as("%s", wire).isEqualTo(200));
    }

    @Test
    void silenceBeforeTheResponseIs504() {
        upstream.on("/silent", RawExchange::awaitClosed);
        upstream.on("/silent-head", exchange -> {
            exchange.send(OK + "X-A: ");
            exchange.awaitClosed();
        });
        upstream.on("/silent-interim", exchange -> {
            exchange.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
            exchange.awaitClosed();
        });
        onEveryWire(List.of("/silent", "/silent-head", "/silent-interim"),
                (wire, path) -> wire.exchange(port, WireRequest.get(path)))
                .forEach((path, responses) -> responses
                        .forEach((wire, response) -> assertError(response, 504, "RATE_5041")));
        onEveryWire(wire -> wire.exchange(port, WireRequest.post("/silent").body("x")))
                .forEach((wire, response) -> assertError(response, 504, "RATE_5041"));
    }

    static Stream<Arguments> oddHeads() {
        var scripts = new LinkedHashMap<String, Script>();
        for (var line : List.of("no colon", "Name with space: x", "X-Colon : x", "X(Y): x", ": no name", "X-Nul: a\u0000b",
                "X-Bell: a\u0007b", "X-Cr: a\rb", "X-Folded: a\r\n  b", "X-Del: \u007f", "\u00e4: x",
                "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
                "Transfer-Encoding: identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                "Content-Length: 5\r\nContent-Length: 5", "Content-Length: +5", "Content-Length: 5,5",
                "Connection: \u00ff,,")) {
            scripts.put(line.replaceAll("\\p{Cntrl}+", "?"), sending(OK + line + "\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
        }
        scripts.put("lines end with LF", sending("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"));
        scripts.put("no reason", sending("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello"));
        scripts.put("odd reason", sending("HTTP/1.1 200 \u00e4\u0007\r\nContent-Length: 5\r\n\r\nhello"));
        scripts.put("unknown status", sending("HTTP/1.1 799 Odd\r\nContent-Length: 5\r\n\r\nhello"));
        scripts.put("HTTP/1.0", sending("HTTP/1.0 200 OK\r\n\r\nhello"));
        scripts.put("HTTP/1.9", sending("HTTP/1.9 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
        scripts.put("HTTP/2.0", sending("HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
        scripts.put("empty lines first", sending("\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
        return onEveryWire(scripts);
    }

    /** A header section that may be read in several ways passes, is refused or breaks off, but never leaves the client waiting. */
    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("oddHeads")
    void oddHeaderSectionIsPassedOrRefused(String name, Wire wire, Script script) {
        upstream.on("/odd", script);
        var response = wire.exchange(port, WireRequest.get("/odd"));
        assertThat(response.ending()).isNotNull();
        if (response.status() == 502) {
            assertError(response, 502, "RATE_5021");
        } else if (response.isComplete()) {
            assertThat(response.status()).as("%s", response).isIn(200, 799);
            assertThat(response.text()).contains("hello");
        } else {
            assertThat(response.status()).as("%s", response).isIn(200, 799);
            assertBroken(wire, response);
        }
        assertServed(wire);
    }
}
