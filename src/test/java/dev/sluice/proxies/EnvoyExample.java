package dev.sluice.proxies;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.RawHttpConnection;

/** The examples for Envoy's filter ext_authz. */
abstract class EnvoyExample extends ProxyExample {

    private final String file;

    EnvoyExample(String file) {
        super("envoy", "envoy");
        this.file = file;
    }

    @Override
    List<String> command(Path program) {
        return List.of(program.toString(), "-c", file, "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error");
    }

    @Override
    int statusWithoutSluice() {
        return 200;
    }

    @Test
    void keysOfSluiceDoNotReachTheApi() {
        var answer = http.get("/api/v1/users", "X-API-Key", "key-of-bob", "X-Other", "kept");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(EchoUpstream.receivedHeader(answer, "x-api-key")).isNull();
        assertThat(EchoUpstream.receivedHeader(answer, "x-other")).isEqualTo("kept");
        assertThat(header(answer, "X-User-Id")).isNull();
        assertThat(header(answer, "x-envoy-auth-headers-to-remove")).isNull();
    }

    /** The test's HTTP client would normalize the paths. */
    @Test
    void pathsAreReadInAllWays() throws IOException {
        var paths = List.of("//campaigns", "/x/../campaigns", "/%63ampaigns", "/campaigns;a=b", "/api/v1//campaigns/7",
                "/x/%2e%2e/campaigns", "/api%2fv1%2fcampaigns");
        for (var path : paths) {
            assertThat(get(path).status()).as(path).isEqualTo(200);
        }
        assertThat(windows("ip:127.0.0.1")).contains("\"api:/campaigns\":" + paths.size());

        // An error instead of a decision would let the request pass, because of failure_mode_allow.
        var malformed = get("/campaigns/%zz");
        assertThat(malformed.status()).isEqualTo(400);
        assertThat(malformed.text()).contains("RATE_4001");
    }

    private RawHttpConnection.Response get(String path) throws IOException {
        return RawHttpConnection.exchange(port(), "GET " + path + " HTTP/1.1\r\nHost: api\r\n\r\n");
    }
}
