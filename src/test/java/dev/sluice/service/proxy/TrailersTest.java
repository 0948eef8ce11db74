package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Http2Wire;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Trailers pass where both protocols have them, and framing is right where they have not. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class TrailersTest extends HopTestBase {

    private static final String TRAILERS = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-Sign\r\n\r\n"
            + "2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Sign: a\r\nX-Sign: b\r\n\r\n";

    @ParameterizedTest
    @EnumSource(names = {"HTTP_1_1", "HTTP_2"})
    void trailersOfTheUpstreamPass(Wire wire) throws IOException {
        upstream.respond("/trailers", TRAILERS);
        try (var client = wire.open(port)) {
            for (int i = 0; i < 2 * HopProfile.CONNECTIONS; i++) {
                var response = client.exchange(WireRequest.get("/trailers").field("TE", "trailers"));
                assertThat(response.isComplete()).as("%s", response).isTrue();
                assertThat(response.text()).isEqualTo("ok");
                assertThat(response.trailers("x-sum")).containsExactly("1");
                assertThat(response.trailers("x-sign")).containsExactly("a", "b");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HTTP_1_1", "HTTP_2"})
    void trailersPassAfterAnEmptyBody(Wire wire) {
        upstream.respond("/trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 0\r\n\r\n");
        var response = wire.exchange(port, WireRequest.get("/trailers").field("TE", "trailers"));
        assertThat(response.isComplete()).as("%s", response).isTrue();
        assertThat(response.body()).isEmpty();
        assertThat(response.trailers("x-sum")).containsExactly("0");
    }

    /** Fields that frame a message or name the connection are not allowed in trailers (RFC 9110, section 6.5.1). */
    @ParameterizedTest
    @EnumSource
    void trailersCannotChangeTheFraming(Wire wire) {
        upstream.respond("/trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
                + "Content-Length: 100\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nX-RateLimit-Limit: 1\r\n\r\n");
        for (int i = 0; i < 2 * HopProfile.CONNECTIONS; i++) {
            var response = wire.exchange(port, WireRequest.get("/trailers"));
            assertThat(response.text()).isEqualTo("ok");
            for (var name : List.of("content-length", "transfer-encoding", "connection")) {
                assertThat(response.trailers(name)).as(name).isEmpty();
            }
        }
    }

    /** Trailers of a request may be lost, but neither its body nor the next request. */
    @Test
    void requestWithTrailersArrivesWhole() throws IOException {
        try (var client = new Http1Wire(port, "127.0.0.1", Wire.HTTP_1_1)) {
            for (int i = 0; i < 3; i++) {
                client.send(
                        "POST /request-" + i + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                                + "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
                assertThat(client.readToEnd(client.readHead()).status()).isEqualTo(200);
                assertThat(upstream.only("/request-" + i).receivedBody())
                        .isEqualTo("hello".getBytes(StandardCharsets.US_ASCII));
            }
        }
        try (var client = new Http2Wire(port, "127.0.0.1")) {
            var stream = client.open(WireRequest.post("/request-h2").field("trailer", "x-sum"), false);
            stream.send("hello", false);
            stream.sendTrailers("x-sum", "1");
            assertThat(stream.readToEnd(stream.readHead()).status()).isEqualTo(200);
            assertThat(upstream.only("/request-h2").receivedBody()).isEqualTo("hello".getBytes(StandardCharsets.US_ASCII));
        }
    }
}
