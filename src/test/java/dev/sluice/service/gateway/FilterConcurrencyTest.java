package dev.sluice.service.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.Rate;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.RichRulesProfile;
import dev.sluice.testing.app.SampleEndpoints;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Limits of requests in flight of JAX-RS methods. */
@QuarkusTest
@TestProfile(RichRulesProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(JwtKeys.class)
class FilterConcurrencyTest extends HttpTestBase {

    private long inFlight(String path) {
        var quota = limiter.check("ip:127.0.0.1", "api:" + path, Rate.concurrency(100), 0).await().indefinitely().quotas()
                .get(0);
        return 100 - quota.remaining();
    }

    private void awaitInFlight(String path, long expected) {
        Polling.await().untilAsserted(() -> assertThat(inFlight(path)).isEqualTo(expected));
    }

    @ParameterizedTest
    @ValueSource(strings = {"complete", "failure", "disconnect"})
    void slotIsFreeAfterTheRequest(String end) throws IOException {
        var result = new CompletableFuture<String>();
        SampleEndpoints.HELD.set(result);
        try (var connection = new RawHttpConnection(port)) {
            connection.send("GET /held HTTP/1.1\r\nHost: sluice.test\r\n\r\n");
            awaitInFlight("/held", 1);
            assertThat(http.get("/held").body()).contains("RATE_5003");
            switch (end) {
                case "complete" -> {
                    result.complete("done");
                    assertThat(connection.readResponse().text()).isEqualTo("done");
                }
                case "failure" -> {
                    result.completeExceptionally(new IllegalStateException("on purpose"));
                    assertThat(connection.readResponse().status()).isEqualTo(500);
                }
                default -> connection.reset();
            }
            awaitInFlight("/held", 0);
        }
        SampleEndpoints.HELD.set(CompletableFuture.completedFuture("next"));
        assertThat(http.get("/held").body()).isEqualTo("next");
    }

    @Test
    void slotIsFreeAfterAnException() {
        for (int i = 0; i < 3; i++) {
            assertThat(http.get("/held-then-fails").statusCode()).isEqualTo(500);
        }
        awaitInFlight("/held-then-fails", 0);
    }
}
