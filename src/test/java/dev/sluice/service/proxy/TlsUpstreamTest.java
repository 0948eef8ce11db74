package dev.sluice.service.proxy;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.security.cert.X509Certificate;
import java.util.logging.Level;

import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLPeerUnverifiedException;

import jakarta.enterprise.event.Event;
import jakarta.inject.Inject;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.RawExchange;
import dev.sluice.testing.TestCertificates;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.quarkus.tls.CertificateUpdatedEvent;
import io.quarkus.tls.TlsConfigurationRegistry;

/** An upstream with a certificate of a private authority, which requires a client certificate. */
@QuarkusTest
@TestProfile(TlsHopProfile.class)
@WithTestResource(TlsUpstreamResource.class)
class TlsUpstreamTest extends TlsHopTestBase {

    @Inject
    TlsConfigurationRegistry registry;
    @Inject
    Event<CertificateUpdatedEvent> updates;

    private LogRecorder warnings;

    /** A failure is logged only if the upstream has recovered from those of the tests before. */
    @BeforeEach
    void recover() {
        var log = LogRecorder.start(Level.INFO, false);
        upstream.on("/fails", RawExchange::finish);
        Wire.HTTP_1_1.exchange(port, WireRequest.get("/fails"));
        awaiting("recovery").until(() -> {
            assertServed(Wire.HTTP_1_1);
            return log.records().stream().anyMatch(line -> line.contains("Upstream has recovered"));
        });
        log.close();
        upstream.clear();
        warnings = LogRecorder.start(Level.WARNING, true);
    }

    @AfterEach
    void stopRecording() {
        warnings.close();
    }

    /** Asserts that requests fail, and that one line, without a stack trace, has the cause. */
    private void assertFails(String cause) {
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/x")))
                .forEach((wire, response) -> assertError(response, 502, "RATE_5021"));
        assertError(Wire.HTTP_1_1.exchange(port, WireRequest.post("/x").body("body")), 502, "RATE_5021");
        assertThat(upstream.received()).isEmpty();
        assertThat(warnings.records()).singleElement().asString()
                .contains("Upstream fails: upstream=api, url=https://localhost:")
                .contains(cause).endsWith(" null");
    }

    @Test
    void certificatesAreExchangedAndTheHostIsNamed() throws SSLPeerUnverifiedException {
        assertServed(Wire.HTTP_1_1);
        var session = upstream.only("/ordinary").tlsSession();
        assertThat(subject(upstream.only("/ordinary"))).isEqualTo("CN=" + TlsUpstreamResource.CLIENT);
        assertThat(session.getRequestedServerNames()).containsExactly(new SNIHostName("localhost"));
        assertThat(upstream.only("/ordinary").fields("host")).containsExactly("sluice.test");
    }

    /** Kept connections have the old certificate until they are closed. */
    @Test
    void renewedClientCertificateIsUsed() throws Exception {
        renew("renewed");
        try {
            upstream.closeIdleConnections();
            assertServed(Wire.HTTP_1_1);
            assertThat(subject(upstream.only("/ordinary"))).isEqualTo("CN=renewed");
        } finally {
            renew(TlsUpstreamResource.CLIENT);
        }
    }

    /** Does what Quarkus does after {@code quarkus.tls.upstream.reload-period}. */
    private void renew(String certificate) throws IOException {
        var certificates = TlsUpstreamResource.certificates;
        Files.copy(certificates.certificate(certificate), TlsUpstreamResource.clientCertificate, REPLACE_EXISTING);
        Files.copy(certificates.key(certificate), TlsUpstreamResource.clientKey, REPLACE_EXISTING);
        var configuration = registry.get("upstream").orElseThrow();
        assertThat(configuration.reload()).isTrue();
        updates.fire(new CertificateUpdatedEvent("upstream", configuration));
    }

    private static String subject(RawExchange exchange) throws SSLPeerUnverifiedException {
        return ((X509Certificate) exchange.tlsSession().getPeerCertificates()[0]).getSubjectX500Principal().getName();
    }

    @Test
    void unknownAuthorityIsNamed() {
        secureUpstream(TlsUpstreamResource.STRANGER, TestCertificates.AUTHORITY);
        assertFails("cause=the TLS handshake failed (unable to find valid certification path to requested target)");
    }

    @Test
    void certificateOfAnotherHostIsNamed() {
        secureUpstream(TlsUpstreamResource.OTHER_HOST, TestCertificates.AUTHORITY);
        assertFails("cause=the TLS handshake failed (No subject alternative DNS name matching localhost found.)");
    }

    /** With TLS 1.3, the upstream rejects the certificate after the handshake has ended for Sluice. */
    @Test
    void missingClientCertificateIsNamed() {
        secureUpstream(TlsUpstreamResource.SERVER, TlsUpstreamResource.STRANGER);
        assertFails("cause=the TLS handshake failed (Received fatal alert: ");
    }

    @Test
    void upstreamWithoutTlsIsNamed() {
        upstream.secure(null, false);
        upstream.otherwise(exchange -> exchange.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/x")))
                .forEach((wire, response) -> assertError(response, 502, "RATE_5021"));
        assertThat(warnings.records()).singleElement().asString().contains("cause=the TLS handshake failed (")
                .endsWith(" null");
    }
}
