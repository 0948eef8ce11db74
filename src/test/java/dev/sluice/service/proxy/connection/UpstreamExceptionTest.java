package dev.sluice.service.proxy.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.ClosedChannelException;

import javax.net.ssl.SSLHandshakeException;

import org.junit.jupiter.api.Test;

class UpstreamExceptionTest {

    /** As from a server that accepts other versions of TLS only. */
    @Test
    void closedHandshakeNamesWhatTheUpstreamMayExpect() {
        var failure = new SSLHandshakeException("Failed to create SSL connection");
        failure.initCause(new ClosedChannelException());
        assertThat(UpstreamException.connecting(failure).describe())
                .startsWith(
                        "the TLS handshake failed (the upstream closed the connection; it may accept other TLS versions only");
    }

    @Test
    void failedHandshakeNamesTheInnermostCause() {
        var failure = new SSLHandshakeException("Failed to create SSL connection");
        failure.initCause(new SSLHandshakeException("no common cipher"));
        assertThat(UpstreamException.connecting(failure).describe()).isEqualTo("the TLS handshake failed (no common cipher)");
    }

    @Test
    void upstreamWithoutHttp2NamesTheSetting() {
        var failure = new IllegalStateException(
                "First received frame was not SETTINGS. Hex dump for first 5 bytes: 485454502f");
        assertThat(UpstreamException.exchanging(failure).describe()).contains("rate-limit.upstream.http2=true")
                .doesNotContain("Hex dump");
    }
}
