package dev.sluice.service.auth;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.fetch.DocumentFetcher;
import dev.sluice.testing.RawExchange;
import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.TestCertificates;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.vertx.core.Vertx;

class KeyFetcherTest {

    private static final Duration SHORT = Duration.ofMillis(200);
    /** Longer than the test. */
    private static final Duration LONG = Duration.ofMinutes(1);

    private final Vertx vertx = Vertx.vertx();
    private final RawUpstream server = new RawUpstream();
    private final JWTAuthContextInfo settings = new JWTAuthContextInfo();

    @AfterEach
    void stop() throws Exception {
        server.close();
        vertx.close().toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
    }

    private KeyDocument fetch(String url, Duration timeout) throws Exception {
        try {
            return new KeyFetcher(vertx, URI.create(url), settings, timeout).fetch().toCompletionStage().toCompletableFuture()
                    .get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    private String url(String path) {
        return "http://localhost:" + server.port() + path;
    }

    private static String ok(String body) {
        return "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    @Test
    void returnsTheDocument() throws Exception {
        server.respond("/keys", ok("{\"keys\":[]}"));
        assertThat(fetch(url("/keys?tenant=1"), LONG)).isEqualTo(new KeyDocument("{\"keys\":[]}", "max-age=60"));
        var request = server.only("/keys");
        assertThat(request.target()).isEqualTo("/keys?tenant=1");
        assertThat(request.fields("Host")).containsExactly("localhost:" + server.port());
    }

    @Test
    void missingPathIsTheRoot() throws Exception {
        server.respond("/", ok("x"));
        assertThat(fetch(url(""), LONG).text()).isEqualTo("x");
    }

    /** Neither a server that never answers, nor one that answers slowly for ever, is waited for longer than the limit. */
    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"})
    void timeLimitCoversTheWholeResponse(String beginning) throws Exception {
        server.on("/keys", exchange -> trickle(exchange, beginning));
        assertThatThrownBy(() -> fetch(url("/keys"), SHORT)).hasMessageContaining("200 ms (rate-limit.jwt.timeout)");
        await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
    }

    private static void trickle(RawExchange exchange, String beginning) throws IOException {
        exchange.send(beginning);
        if (beginning.endsWith("{")) {
            for (int i = 0; i < 50_000; i++) {
                exchange.send("x"); // fails as soon as the connection is closed
                Thread.onSpinWait();
            }
        }
        exchange.awaitClosed();
    }

    @Test
    void otherStatusFails() {
        server.respond("/keys", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        assertThatThrownBy(() -> fetch(url("/keys"), LONG)).hasMessageContaining("status 503");
    }

    @Test
    void closedConnectionFails() {
        server.on("/keys", RawExchange::close);
        assertThatThrownBy(() -> fetch(url("/keys"), LONG)).isInstanceOf(Exception.class);
        server.stopListening();
        assertThatThrownBy(() -> fetch(url("/keys"), LONG)).isInstanceOf(Exception.class);
    }

    @Test
    void unknownHostFails() {
        assertThatThrownBy(() -> fetch("http://host.invalid/keys", LONG)).isInstanceOf(Exception.class);
    }

    @Test
    void largeResponseFails() {
        server.respond("/keys", ok("x".repeat(KeyFetcher.MAX_BYTES + 1)));
        assertThatThrownBy(() -> fetch(url("/keys"), LONG)).hasMessageContaining("bytes");
    }

    @Test
    void redirectsAreFollowed() throws Exception {
        server.respond("/old", "HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n");
        server.respond("/new", ok("found"));
        server.respond("/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
        assertThat(fetch(url("/old"), LONG).text()).isEqualTo("found");
        assertThatThrownBy(() -> fetch(url("/loop"), LONG)).hasMessageContaining("redirect");
        assertThat(server.received("/loop")).hasSize(4);
        server.respond("/bad", "HTTP/1.1 302 Found\r\nLocation: http://[::bad\r\nContent-Length: 0\r\n\r\n");
        assertThatThrownBy(() -> fetch(url("/bad"), LONG)).hasMessageContaining("redirect to an invalid URL");
    }

    @Test
    void certificateIsVerified() throws Exception {
        var certificates = new TestCertificates().issue("issuer", "dns:localhost").issue("other", "dns:other.example");
        server.secure(certificates.server("issuer", TestCertificates.AUTHORITY), false);
        server.respond("/keys", ok("secret"));
        var url = "https://localhost:" + server.port() + "/keys";
        assertThatThrownBy(() -> fetch(url, LONG)).as("unknown authority").isInstanceOf(Exception.class);
        settings.setTlsCertificate(Files.readString(certificates.certificate(TestCertificates.AUTHORITY)));
        assertThat(fetch(url, LONG).text()).isEqualTo("secret");

        server.secure(certificates.server("other", TestCertificates.AUTHORITY), false);
        assertThatThrownBy(() -> fetch(url, LONG)).as("certificate of another host").isInstanceOf(Exception.class);
        settings.setTlsTrustedHosts(Set.of("localhost"));
        assertThat(fetch(url, LONG).text()).isEqualTo("secret");
        settings.setTlsCertificate(null);
        settings.setTlsCertificatePath(certificates.certificate(TestCertificates.AUTHORITY).toString());
        assertThat(fetch(url, LONG).text()).isEqualTo("secret");
    }

    @Test
    void redirectFromHttpsToHttpIsNotFollowed() {
        var certificates = new TestCertificates().issue("issuer", "dns:localhost");
        server.secure(certificates.server("issuer", TestCertificates.AUTHORITY), false);
        settings.setTlsCertificatePath(certificates.certificate(TestCertificates.AUTHORITY).toString());
        server.respond("/keys", "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/keys\r\nContent-Length: 0\r\n\r\n");
        assertThatThrownBy(() -> fetch("https://localhost:" + server.port() + "/keys", LONG))
                .hasMessageContaining("redirect");
    }

    @Test
    void loggedLocationHasNoSecrets() {
        assertThat(DocumentFetcher.describe(URI.create("https://user:secret@issuer.example:8443/keys?token=secret")))
                .isEqualTo("https://issuer.example:8443/keys");
    }
}
