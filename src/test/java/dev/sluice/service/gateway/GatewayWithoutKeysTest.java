package dev.sluice.service.gateway;

import static dev.sluice.testing.EchoUpstream.receivedHeader;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;

/** The gateway of an instance that has neither keys nor tokens, beside another one that may have. */
@QuarkusTest
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class GatewayWithoutKeysTest extends HttpTestBase {

    private static String basic(String pair) {
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(strings = {"user:sk-sluice-0123456789", "sk-sluice-0123456789:", "sk-sluice-0123456789"})
    void keyInBasicCredentialsIsNotForwarded(String pair) {
        var response = http.get("/plain", "Authorization", basic(pair), "Proxy-Authorization", basic(pair));
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(receivedHeader(response, "authorization")).isNull();
        assertThat(receivedHeader(response, "proxy-authorization")).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"user:sk-other", "user:", ":"})
    void otherBasicCredentialsAreThoseOfTheUpstream(String pair) {
        var response = http.get("/plain", "Authorization", basic(pair));
        assertThat(receivedHeader(response, "authorization")).isEqualTo(basic(pair));
    }
}
