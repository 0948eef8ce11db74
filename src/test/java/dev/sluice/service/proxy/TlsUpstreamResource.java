package dev.sluice.service.proxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.TestCertificates;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/**
 * Starts an upstream with TLS, named {@code localhost}, and issues the certificates: that of the authority, which Sluice trusts,
 * and Sluice's own ones for clients and for the upstream.
 */
public class TlsUpstreamResource implements QuarkusTestResourceLifecycleManager {

    /** Certificate of the upstream. */
    static final String SERVER = "server";
    /** Certificate that Sluice shows to the upstream. */
    static final String CLIENT = "client";
    /** Certificate of the same authority for another host. */
    static final String OTHER_HOST = "other";
    /** Certificate of no authority that Sluice trusts. */
    static final String STRANGER = "stranger";

    static volatile TestCertificates certificates;
    /** Files from which Sluice reads its client certificate. */
    static volatile Path clientCertificate;
    static volatile Path clientKey;

    private RawUpstream upstream;

    @Override
    public Map<String, String> start() {
        certificates = new TestCertificates().issue(SERVER, "dns:localhost,ip:127.0.0.1").issue(CLIENT, "dns:sluice")
                .issue("renewed", "dns:sluice").issue(OTHER_HOST, "dns:other.test").selfSigned(STRANGER, "dns:localhost");
        upstream = new RawUpstream();
        RawUpstreamResource.upstream = upstream;
        var settings = new HashMap<>(clientSettings(certificates));
        settings.put("rate-limit.upstream.url", "https://localhost:" + upstream.port());
        settings.put("quarkus.http.ssl.certificate.files", certificates.certificate(SERVER).toString());
        settings.put("quarkus.http.ssl.certificate.key-files", certificates.key(SERVER).toString());
        return settings;
    }

    /** Returns the TLS configuration named {@code upstream}. */
    static Map<String, String> clientSettings(TestCertificates certificates) {
        try {
            clientCertificate = Files.copy(certificates.certificate(CLIENT), Files.createTempDirectory("sluice-client")
                    .resolve("client.pem"));
            clientKey = Files.copy(certificates.key(CLIENT), clientCertificate.resolveSibling("client.key"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Map.of("quarkus.tls.upstream.trust-store.pem.certs",
                certificates.certificate(TestCertificates.AUTHORITY).toString(), "quarkus.tls.upstream.key-store.pem.0.cert",
                clientCertificate.toString(), "quarkus.tls.upstream.key-store.pem.0.key", clientKey.toString());
    }

    @Override
    public void stop() {
        if (upstream != null) {
            upstream.close();
        }
    }
}
