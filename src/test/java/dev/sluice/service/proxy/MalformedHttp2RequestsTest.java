package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Malformed requests over HTTP/2. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class MalformedHttp2RequestsTest extends HopTestBase {

    @ParameterizedTest
    @ValueSource(strings = {"http://other.test/malformed", "ftp://other.test/q/metrics", "malformed"})
    void pathWithoutSlashIs400(String path) {
        var response = Wire.HTTP_2.exchange(port, WireRequest.get(path));
        assertError(response, 400, "RATE_4001");
        assertThat(upstream.received()).isEmpty();
    }
}
