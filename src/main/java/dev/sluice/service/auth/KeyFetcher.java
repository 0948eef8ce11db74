package dev.sluice.service.auth;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

import dev.sluice.fetch.DocumentFetcher;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.util.ResourceUtils;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.net.PemTrustOptions;

/** Fetches the keys of JWTs from an http(s) URL, with the TLS and proxy settings of SmallRye JWT. */
final class KeyFetcher {

    static final int MAX_BYTES = 1 << 20;
    private static final String ACCEPT = "application/jwk-set+json, application/json, */*;q=0.8";

    private final DocumentFetcher fetcher;

    /**
     * @param location URL of the keys
     * @param settings TLS and proxy settings of SmallRye JWT
     * @param timeout time limit
     */
    KeyFetcher(Vertx vertx, URI location, JWTAuthContextInfo settings, Duration timeout) {
        var options = new HttpClientOptions().setVerifyHost(!trustsHost(settings, location.getHost()));
        certificate(settings).ifPresent(
                pem -> options.setTrustOptions(new PemTrustOptions().addCertValue(Buffer.buffer(pem))));
        fetcher = new DocumentFetcher(vertx, location, options,
                new DocumentFetcher.Bounds(timeout, "rate-limit.jwt.timeout", MAX_BYTES), ACCEPT, settings.getHttpProxyHost(),
                settings.getHttpProxyPort());
    }

    private static boolean trustsHost(JWTAuthContextInfo settings, String host) {
        return settings.isTlsTrustAll()
                || settings.getTlsTrustedHosts() != null && settings.getTlsTrustedHosts().contains(host);
    }

    private static Optional<String> certificate(JWTAuthContextInfo settings) {
        if (settings.getTlsCertificate() != null || settings.getTlsCertificatePath() == null) {
            return Optional.ofNullable(settings.getTlsCertificate());
        }
        try {
            return Optional.ofNullable(ResourceUtils.readResource(settings.getTlsCertificatePath()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Fetches the document; fails within the time limit. Completes on the event loop of the fetcher. */
    Future<KeyDocument> fetch() {
        return fetcher.fetch().map(
                document -> new KeyDocument(new String(document.toBytes(), StandardCharsets.UTF_8), document.cacheControl()));
    }

    void close() {
        fetcher.close();
    }
}
