package dev.sluice.llm.pricing.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.TestCertificates;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.net.PemTrustOptions;

class PriceUrlTest {

    private static final int MAX_BYTES = 1000;

    private final Vertx vertx = Vertx.vertx();
    private final RawUpstream server = new RawUpstream();
    private final TestCertificates certificates = new TestCertificates().issue("server", "dns:localhost");

    @BeforeEach
    void secure() {
        server.secure(certificates.server("server", TestCertificates.AUTHORITY), false);
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        vertx.close().toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
    }

    private PriceUrl url(String path) {
        var trust = new PemTrustOptions().addCertPath(certificates.certificate(TestCertificates.AUTHORITY).toString());
        return new PriceUrl(vertx, URI.create("https://localhost:" + server.port() + path),
                new HttpClientOptions().setTrustOptions(trust), MAX_BYTES);
    }

    private static String ok(String body) {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    @Test
    void returnsTheDocument() throws Exception {
        server.respond("/prices.json", ok("x".repeat(MAX_BYTES)));
        assertThat(url("/prices.json?token=1").read()).hasSize(MAX_BYTES).containsOnly('x');
        assertThat(server.only("/prices.json").target()).isEqualTo("/prices.json?token=1");
    }

    @Test
    void tooLargeDocumentFails() {
        server.respond("/prices.json", ok("x".repeat(MAX_BYTES + 1)));
        assertThatThrownBy(url("/prices.json")::read).isInstanceOf(IOException.class)
                .hasMessage("response of more than 1000 bytes");
    }

    @Test
    void cutDocumentFails() {
        server.on("/prices.json", exchange -> {
            exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
            exchange.close();
        });
        assertThatThrownBy(url("/prices.json")::read).isInstanceOf(IOException.class);
    }

    @Test
    void otherStatusFails() {
        server.respond("/prices.json", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        assertThatThrownBy(url("/prices.json")::read).hasMessage("response with status 404");
    }

    @Test
    void redirectToHttpIsNotFollowed() {
        server.respond("/prices.json", "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\nContent-Length: 0\r\n\r\n");
        assertThatThrownBy(url("/prices.json")::read).hasMessage("redirect that is not followed");
    }

    @Test
    void certificateIsVerified() {
        server.respond("/prices.json", ok("{}"));
        var unknownAuthority = new PriceUrl(vertx, URI.create("https://localhost:" + server.port() + "/prices.json"),
                new HttpClientOptions(), MAX_BYTES);
        assertThatThrownBy(unknownAuthority::read).isInstanceOf(IOException.class);
        server.secure(certificates.issue("other", "dns:other.example").server("other", TestCertificates.AUTHORITY), false);
        assertThatThrownBy(url("/prices.json")::read).as("certificate of another host").isInstanceOf(IOException.class);
    }
}
