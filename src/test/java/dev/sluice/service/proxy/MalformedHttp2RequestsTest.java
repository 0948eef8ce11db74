package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.wire.Http2Wire;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse.Ending;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** A malformed request over HTTP/2 ends its own stream only (RFC 9113, section 8.1.1). */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class MalformedHttp2RequestsTest extends HopTestBase {

    private void assertResetAlone(WireRequest malformed) throws IOException {
        var release = new CountDownLatch(1);
        holdBody("/held", release);
        try (var connection = new Http2Wire(port, "127.0.0.1")) {
            var held = connection.open(WireRequest.get("/held"), true);
            awaiting("the request at the upstream").until(() -> upstream.inProgress() == 1);
            var reset = connection.open(malformed, true);
            assertThat(reset.readHead().ending()).isEqualTo(Ending.RESET);
            release.countDown();
            assertThat(held.readToEnd(held.readHead()).status()).isEqualTo(200);
        }
        assertThat(upstream.received("/malformed")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /a", "GE(T", "G:T", "GET\u00ff", "G\tT"})
    void methodThatIsNoTokenResetsTheStream(String method) throws IOException {
        assertResetAlone(WireRequest.of(method, "/malformed"));
    }

    @Test
    void severalHostFieldsResetTheStream() throws IOException {
        assertResetAlone(WireRequest.get("/malformed").field("host", "a.test").field("host", "b.test"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 6, 1000})
    void bodyOfAnotherLengthIsNotForwarded(int announced) {
        for (int i = 0; i < 2 * HopProfile.CONNECTIONS; i++) {
            var response = Wire.HTTP_2.exchange(port,
                    WireRequest.post("/malformed").body("hello".getBytes(StandardCharsets.US_ASCII), announced));
            assertThat(response.ending()).isEqualTo(Ending.RESET);
        }
        assertThat(upstream.received("/malformed")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://other.test/malformed", "ftp://other.test/q/metrics", "malformed"})
    void pathWithoutSlashIs400(String path) {
        var response = Wire.HTTP_2.exchange(port, WireRequest.get(path));
        assertError(response, 400, "RATE_4001");
        assertThat(upstream.received()).isEmpty();
    }
}
