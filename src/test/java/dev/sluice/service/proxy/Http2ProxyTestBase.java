package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.wire.RawHttp2Upstream;
import dev.sluice.testing.wire.WireResponse;

/** Base class of tests of a proxy with an upstream of HTTP/2: after each test, no error has been logged. */
abstract class Http2ProxyTestBase {

    RawHttp2Upstream upstream;
    /** Started by the test class. */
    ProxyServer proxy;
    private LogRecorder log;

    @BeforeEach
    void startUpstream() {
        log = LogRecorder.start(LogRecorder.ERROR, false);
        upstream = new RawHttp2Upstream(stream -> stream.respond("ok"));
    }

    @AfterEach
    void stop() throws IOException {
        proxy.close();
        upstream.close();
        log.close();
        assertThat(log.records()).isEmpty();
    }

    static void assertServed(WireResponse response) {
        assertThat(response.status()).as("%s", response).isEqualTo(200);
        assertThat(response.isComplete()).as("%s", response).isTrue();
        assertThat(response.text()).isEqualTo("ok");
    }
}
