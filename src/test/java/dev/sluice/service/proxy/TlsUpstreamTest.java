package dev.sluice.service.proxy;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.security.cert.X509Certificate;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Level;

import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLPeerUnverifiedException;

import jakarta.enterprise.event.Event;
import jakarta.inject.Inject;

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

    /** Lets the upstream recover from the failures of the tests before: only the first failure is logged. */
    private void recover() {
        var log = LogRecorder.start(Level.INFO, false);
        upstream.on("/fails", RawExchange::finish);
        Wire.HTTP_1_1.exchange(port, WireRequest.get("/fails"));
        awaiting("recovery").until(() -> {
            assertServed(Wire.HTTP_1_1);
            return log.records().stream().anyMatch(line -> line.contains("Upstream has recovered"));
        });
        log.close();
        upstream.clear();
    }

    /** Asserts that requests fail because of a change of the upstream, and that one line, without a stack trace, has the cause. */
    private void assertFails(Runnable change, String cause) {
        recover();
        change.run();
        var warnings = LogRecorder.start(Level.WARNING, true);
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/x")))
                .forEach((wire, response) -> assertError(response, 502, "RATE_5021"));
        assertError(Wire.HTTP_1_1.exchange(port, WireRequest.post("/x").body("body")), 502, "RATE_5021");
        warnings.close();
        assertThat(warnings.records()).singleElement().asString()
                .contains("Upstream fails: upstream=api, url=https://localhost:").contains(cause).endsWith(" null");
    }

    @Test
    void certificatesAreExchangedAndTheHostIsNamed() throws SSLPeerUnverifiedException {
        assertServed(Wire.HTTP_1_1);
        var session = upstream.only("/ordinary").tlsSession();
        assertThat(subject(upstream.only("/ordinary"))).isEqualTo("CN=" + TlsUpstreamResource.CLIENT);
        assertThat(session.getRequestedServerNames()).containsExactly(new SNIHostName("localhost"));
        assertThat(upstream.only("/ordinary").fields("host")).containsExactly("sluice.test");
    }

    /** With TLS 1.3, an upstream may wait for the other side to end TLS too before it closes the connection. */
    @Test
    void endOfTlsIsTheEndOfTheBodyAndOfTheConnection() {
        var closed = new CountDownLatch(1);
        upstream.on("/until-closed", exchange -> {
            exchange.send("HTTP/1.1 200 OK\r\n\r\nhello");
            exchange.endTls();
            closed.countDown();
        });
        onEveryWire(wire -> wire.exchange(port, WireRequest.get("/until-closed"))).forEach((wire, response) -> {
            assertThat(response.isComplete()).as("%s: %s", wire, response).isTrue();
            assertThat(response.text()).isEqualTo("hello");
        });
        assertThat(closed.getCount()).isZero();
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
        assertFails(() -> secureUpstream(TlsUpstreamResource.STRANGER, TestCertificates.AUTHORITY),
                "cause=the TLS handshake failed (unable to find valid certification path to requested target)");
        assertThat(upstream.received()).isEmpty();
    }

    @Test
    void certificateOfAnotherHostIsNamed() {
        assertFails(() -> secureUpstream(TlsUpstreamResource.OTHER_HOST, TestCertificates.AUTHORITY),
                "cause=the TLS handshake failed (No subject alternative DNS name matching localhost found.)");
        assertThat(upstream.received()).isEmpty();
    }

    /** With TLS 1.3, the upstream rejects the certificate after the handshake has ended for Sluice. */
    @Test
    void missingClientCertificateIsNamed() {
        assertFails(() -> secureUpstream(TlsUpstreamResource.SERVER, TlsUpstreamResource.STRANGER),
                "cause=the TLS handshake failed (Received fatal alert: ");
        assertThat(upstream.received()).isEmpty();
    }

    @Test
    void upstreamWithoutTlsIsNamed() {
        assertFails(() -> {
            upstream.secure(null, false);
            upstream.otherwise(exchange -> exchange.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
        }, "cause=the TLS handshake failed (");
    }
}
