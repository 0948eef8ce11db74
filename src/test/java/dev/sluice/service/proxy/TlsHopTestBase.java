package dev.sluice.service.proxy;

import java.net.URI;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

import dev.sluice.testing.TestCertificates;
import io.quarkus.test.common.http.TestHTTPResource;

/** Base class of tests with TLS on both sides; each test begins with an upstream that requires Sluice's client certificate. */
abstract class TlsHopTestBase extends HopTestBase {

    @TestHTTPResource(value = "/", tls = true)
    URI tls;

    @BeforeEach
    @AfterEach
    void secureUpstream() {
        secureUpstream(TlsUpstreamResource.SERVER, TestCertificates.AUTHORITY);
    }

    /**
     * @param certificate that the upstream shows
     * @param authority of the client certificates that the upstream accepts
     */
    void secureUpstream(String certificate, String authority) {
        upstream.secure(TlsUpstreamResource.certificates.server(certificate, authority), true);
    }
}
