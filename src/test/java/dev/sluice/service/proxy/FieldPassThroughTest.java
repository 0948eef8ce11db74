package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Fields of the upstream and of the client pass as they are, except those of the connection. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class FieldPassThroughTest extends HopTestBase {

    private static final String UTF_8 = "caf\u00c3\u00a9 \u00e2\u0082\u00ac";
    private static final String LATIN_1 = "caf\u00e9 \u00ff";
    private static final List<Map.Entry<String, String>> ODD = List.of(
            Map.entry("Cache-Control", "max-age=31536000000"), Map.entry("Cache-Control", "max-age=-1, max-age=x"),
            Map.entry("Expires", "0"), Map.entry("Expires", "-1"), Map.entry("Last-Modified", "yesterday"),
            Map.entry("Age", "99999999999999999999"), Map.entry("Vary", "*, ,,"), Map.entry("ETag", "no quotes"),
            Map.entry("Set-Cookie", "a=1; Expires=Wed, 09 Jun 2100 10:18:14 GMT"), Map.entry("Set-Cookie", "b=2"),
            Map.entry("Set-Cookie", "a=1"), Map.entry("X-Utf8", UTF_8), Map.entry("X-Latin1", LATIN_1),
            Map.entry("X-Empty", ""), Map.entry("X-Tab", "a\tb"), Map.entry("X_Underscore", "kept"),
            Map.entry("Content-Type", "???"), Map.entry("Location", "http://[bad"), Map.entry("Via", "1.0 other"),
            Map.entry("Server", "odd/1"), Map.entry("Warning", "299 - \"old\""), Map.entry("Content-Encoding", "gzip"),
            Map.entry("Retry-After", "soon"), Map.entry("WWW-Authenticate", "Basic realm=\"a\", Digest realm=\"b\""));

    private static String lines(List<Map.Entry<String, String>> fields) {
        var lines = new StringBuilder();
        fields.forEach(field -> lines.append(field.getKey()).append(": ").append(field.getValue()).append("\r\n"));
        return lines.toString();
    }

    private static void assertSame(WireResponse response, List<Map.Entry<String, String>> sent) {
        for (var field : sent) {
            var values = sent.stream().filter(other -> other.getKey().equals(field.getKey())).map(Map.Entry::getValue).toList();
            assertThat(response.fields(field.getKey())).as(field.getKey()).isEqualTo(values);
        }
    }

    @ParameterizedTest
    @EnumSource
    void basicCredentialsPassUnlessOneIsAKeyOfSluice(Wire wire) { // whether or not this instance knows keys
        for (var pair : List.of("sk-sluice-0123456789abcdefghijkl:", "user:sk-sluice-0123456789abcdefghijkl")) {
            assertThat(authorized(wire, pair)).doesNotContainIgnoringCase("authorization");
        }
        assertThat(authorized(wire, "user:password")).containsIgnoringCase("authorization: Basic dXNlcjpwYXNzd29yZA==");
    }

    private String authorized(Wire wire, String pair) {
        var encoded = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
        var response = wire.exchange(port, WireRequest.get("/basic").field("Authorization", "Basic " + encoded));
        assertThat(response.status()).isEqualTo(200);
        return response.text();
    }

    @ParameterizedTest
    @EnumSource
    void fieldsOfTheUpstreamPass(Wire wire) {
        var body = "z".repeat(3_000_000);
        for (var framing : List.of("Content-Length: 3000000\r\n\r\n" + body,
                "Transfer-Encoding: Chunked\r\n\r\n" + Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n")) {
            upstream.respond("/odd", "HTTP/1.1 200 OK\r\n" + lines(ODD) + framing);
            for (int i = 0; i <= HopProfile.CONNECTIONS; i++) {
                var response = wire.exchange(port, WireRequest.get("/odd"));
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.isComplete()).as("%s", response.ending()).isTrue();
                assertThat(response.body()).hasSize(3_000_000);
                assertSame(response, ODD);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "Sat, 28 Nov 2026 01:00:00 GMT", "yesterday", "0", "Sun, 06 Nov 1994 08:49:37 +0100"})
    void dateOfTheUpstreamIsNotRewritten(String date) {
        upstream.respond("/date", "HTTP/1.1 200 OK\r\nDate: " + date
                + "\r\nCache-Control: public\r\nExpires: 0\r\nContent-Length: 2\r\n\r\nok");
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/date")))
                .forEach((wire, response) -> assertThat(response.fields("date")).as("%s", wire).containsExactly(date));
    }

    @ParameterizedTest
    @EnumSource
    void largeHeaderSectionsPass(Wire wire) {
        var many = new ArrayList<Map.Entry<String, String>>();
        for (int i = 0; i < 60; i++) {
            many.add(Map.entry("X-Many-" + i, Integer.toString(i % 10).repeat(1000)));
        }
        for (var sent : List.of(many, List.of(Map.entry("X-Large", "x".repeat(60_000))))) {
            upstream.respond("/large", "HTTP/1.1 200 OK\r\n" + lines(sent) + "Content-Length: 2\r\n\r\nok");
            var response = wire.exchange(port, WireRequest.get("/large"));
            assertThat(response.status()).isEqualTo(200);
            assertSame(response, sent);
        }
        var request = WireRequest.get("/large-request");
        many.subList(0, 28).forEach(field -> request.field(field.getKey(), field.getValue()));
        assertThat(wire.exchange(port, request).status()).isEqualTo(200);
        many.subList(0, 28).forEach(field -> assertThat(upstream.only("/large-request").fields(field.getKey()))
                .containsExactly(field.getValue()));
    }

    @ParameterizedTest
    @EnumSource
    void fieldsOfTheClientPass(Wire wire) {
        var sent = List.of(Map.entry("X-Utf8", UTF_8), Map.entry("X-Latin1", LATIN_1), Map.entry("X-Empty", ""),
                Map.entry("X-Two", "1"), Map.entry("X-Two", "2"), Map.entry("If-Modified-Since", "yesterday"),
                Map.entry("Accept-Encoding", "gzip, br;q=odd"), Map.entry("Cache-Control", "max-age=31536000000"),
                Map.entry("X_Custom", "kept"), Map.entry("Range", "bytes=9-1"), Map.entry("Date", "0"));
        var request = WireRequest.get("/fields");
        sent.forEach(field -> request.field(field.getKey(), field.getValue()));
        assertThat(wire.exchange(port, request).status()).isEqualTo(200);
        var received = upstream.only("/fields");
        sent.forEach(field -> assertThat(received.fields(field.getKey())).as(field.getKey()).contains(field.getValue()));
        assertThat(received.fields("X-Two")).containsExactly("1", "2");
    }

    /** HTTP/2 clients may send cookies in several fields; HTTP/1 servers expect one (RFC 9113, section 8.2.3). */
    @Test
    void cookiesOfHttp2AreJoined() {
        Wire.HTTP_2.exchange(port, WireRequest.get("/cookies").field("Cookie", "a=1").field("Cookie", "b=2"));
        assertThat(upstream.only("/cookies").fields("cookie")).containsExactly("a=1; b=2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Chunked", "CHUNKED", "chunked"})
    void caseOfTransferEncodingDoesNotMatter(String coding) throws IOException {
        var body = "5\r\nhello\r\n0\r\n\r\n";
        upstream.respond("/coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + coding + "\r\n\r\n" + body);
        try (var client = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_1)) {
            for (int i = 0; i < 3; i++) {
                client.send("POST /coding HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + "\r\n\r\n" + body);
                assertThat(client.readToEnd(client.readHead()).text()).isEqualTo("hello");
            }
        }
        assertThat(upstream.received("/coding")).hasSize(3)
                .allSatisfy(
                        request -> assertThat(request.receivedBody()).isEqualTo("hello".getBytes(StandardCharsets.US_ASCII)));
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/coding"))).forEach((wire, response) -> {
            assertThat(response.isComplete()).as("%s", response).isTrue();
            assertThat(response.text()).isEqualTo("hello");
        });
    }

    @ParameterizedTest
    @EnumSource
    void fieldsOfTheConnectionToTheUpstreamEndThere(Wire wire) throws IOException {
        upstream.respond("/hop", "HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade, X-Hop, keep-alive\r\n"
                + "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nX-Hop: 1\r\nX-End: 2\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        var response = wire.exchange(port, WireRequest.get("/hop"));
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.isComplete()).as("%s", response).isTrue();
        assertThat(response.text()).isEqualTo("ok");
        assertThat(response.field("x-end")).isEqualTo("2");
        for (var name : List.of("Keep-Alive", "Proxy-Connection", "X-Hop")) {
            assertThat(response.fields(name)).as(name).isEmpty();
        }
        if (wire == Wire.HTTP_2) {
            for (var name : List.of("Upgrade", "Connection", "TE", "Transfer-Encoding")) {
                assertThat(response.fields(name)).as(name).isEmpty();
            }
        }
    }

    @Test
    void fieldsOfTheConnectionOfTheClientEndAtSluice() throws IOException {
        RawHttpConnection.exchange(port, "GET /hop HTTP/1.1\r\nHost: x\r\nConnection: X-Hop, keep-alive, TE\r\nX-Hop: 1\r\n"
                + "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nX-End: 2\r\n"
                + "Upgrade: odd\r\nProxy-Authorization: Basic eDp5\r\n\r\n");
        var received = upstream.only("/hop");
        assertThat(received.fields("x-end")).containsExactly("2");
        for (var name : List.of("X-Hop", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade")) {
            assertThat(received.fields(name)).as(name).isEmpty();
        }
    }

    /** Such a request is malformed (RFC 9113, section 8.2.2): it is refused or loses the field, but never forwards it. */
    @ParameterizedTest
    @ValueSource(strings = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
    void fieldsOfAConnectionDoNotGetFromHttp2ToTheUpstream(String name) {
        Wire.HTTP_2.exchange(port, WireRequest.get("/h2-hop").field(name, "x-odd"));
        assertThat(upstream.received("/h2-hop")).allSatisfy(
                received -> assertThat(String.join("\n", received.head())).doesNotContain("x-odd"));
    }
}
