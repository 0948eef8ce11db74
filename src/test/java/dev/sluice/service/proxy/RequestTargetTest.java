package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Request targets reach the upstream as the client wrote them. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class RequestTargetTest extends HopTestBase {

    private static final String UTF_8 = "caf\u00c3\u00a9\u00e2\u0082\u00ac";

    static Stream<Arguments> targets() {
        return Stream.of("/x?filter={%22a%22:1}|b", "/{id}", "/a|b", "/a^b", "/a\\b", "/a`b", "/a\"b", "/a<b>", "/[x]",
                "/?{}|^\\`\"<>[]", "/x?a=100%", "/x?a=%zz", "/x?%", "/x?a=%u00e9", "/" + UTF_8, "/x?a=" + UTF_8,
                "/x?a=\u00ff\u00fe", "/x?a=%ff%00", "//a", "//a//b/", "/a/../b", "/a/./b", "/a/%2e%2e/b", "/%2F/a", "/a;b=c?d",
                "/x??a=?&&=&", "/x?", "/~!$&'()*+,;=:@-._", "/a%20b?c+d%2B", "/" + "x".repeat(8000),
                "/x?" + "y".repeat(8000))
                .flatMap(target -> Stream.of(Wire.values())
                        .map(wire -> Arguments.of(target, wire)));
    }

    @ParameterizedTest
    @MethodSource("targets")
    void targetArrivesAsSent(String target, Wire wire) {
        var response = wire.exchange(port, WireRequest.get(target));
        assertThat(response.status()).as("%s %s", response, response.text()).isEqualTo(200);
        assertThat(upstream.received()).hasSize(1);
        assertThat(upstream.received().get(0).target()).isEqualTo(target);
    }

    /** A path that is no text cannot be looked up: it passes as it is, or is refused with a reason. */
    @ParameterizedTest
    @ValueSource(strings = {"/\u00ff\u00fe", "/caf\u00e9", "/%ff%fe", "/a%00b"})
    void pathThatIsNotUtf8PassesOrIs400(String target) {
        onEveryWire(wire -> wire.exchange(port, WireRequest.get(target))).forEach((wire, response) -> {
            if (response.status() == 400) {
                assertError(response, 400, "RATE_4001");
                assertThat(response.text()).contains("\"field\"");
            } else {
                assertThat(response.status()).as("%s", response).isEqualTo(200);
            }
        });
        assertThat(upstream.received()).allSatisfy(
                received -> assertThat(received.target()).isEqualTo(target));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%", "/a%", "/%zz", "/a%2"})
    void pathThatCannotBeDecodedIs400(String target) {
        onEveryWire(wire -> wire.exchange(port, WireRequest.get(target)))
                .forEach((wire, response) -> assertError(response, 400, "RATE_4001"));
        assertThat(upstream.received()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void asteriskConcernsNoPathAndIs400(Wire wire) {
        assertError(wire.exchange(port, WireRequest.of("OPTIONS", "*")), 400, "RATE_4001");
        assertThat(upstream.received()).isEmpty();
    }

    /** The absolute form is for proxies; a server gets the origin form (RFC 9112, section 3.2). */
    @ParameterizedTest
    @EnumSource(names = {"HTTP_1_0", "HTTP_1_1"})
    void absoluteFormBecomesOriginForm(Wire wire) {
        wire.exchange(port, WireRequest.get("http://sluice.test/a/../b?c=%zz").field("Host", "sluice.test"));
        assertThat(upstream.received()).hasSize(1);
        assertThat(upstream.received().get(0).target()).isEqualTo("/a/../b?c=%zz");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a\u0000b", "/a\u007fb", "/a\tb", "x", "/a#b"})
    void targetThatIsNoneIs400WithABody(String target) {
        for (var wire : List.of(Wire.HTTP_1_1, Wire.HTTP_2)) {
            var response = wire.exchange(port, WireRequest.get(target));
            if (response.status() >= 0) { // HTTP/2 may reset the stream instead: the request is malformed
                assertError(response, 400, "RATE_4001");
            }
        }
        assertThat(upstream.received()).isEmpty();
    }

    @Test
    void tooLongTargetIs414WithABody() {
        assertError(Wire.HTTP_1_1.exchange(port, WireRequest.get("/" + "x".repeat(20_000))), 414, "RATE_4141");
        assertThat(upstream.received()).isEmpty();
    }

    @Test
    void tooLargeHeaderSectionIs431WithABody() {
        assertError(Wire.HTTP_1_1.exchange(port, WireRequest.get("/x").field("X-Large", "x".repeat(40_000))), 431, "RATE_4311");
        assertThat(upstream.received()).isEmpty();
    }

    @Test
    void malformedChunkIs400WithABody() throws IOException {
        upstream.on("/chunks", exchange -> exchange.body());
        try (var client = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_1)) {
            client.send("POST /chunks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n");
            assertError(client.readToEnd(client.readHead()), 400, "RATE_4001");
        }
        assertServed(Wire.HTTP_1_1);
    }
}
