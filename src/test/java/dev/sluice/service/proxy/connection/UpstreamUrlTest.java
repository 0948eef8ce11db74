package dev.sluice.service.proxy.connection;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of an upstream in URL, certificate and TLS handshake. */
class UpstreamUrlTest {

    @ParameterizedTest
    @CsvSource({"https://localhost, localhost, true", "https://api.internal, api.internal, true",
            "https://api.internal.:8443, api.internal, true", "https://my_app, my_app, false",
            "https://-a.test, -a.test, false",
            "https://a..b, a..b, false", "https://127.0.0.1, 127.0.0.1, false", "https://[::1], ::1, false"})
    void hostIsNamedToTheServerWherePossible(String text, String certificateName, boolean serverName) {
        var url = UpstreamUrl.parse(text);
        assertThat(url.certificateName()).isEqualTo(certificateName);
        assertThat(url.isServerName()).isEqualTo(serverName);
    }
}
