package dev.sluice.service.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;

import com.standardwebhooks.Webhook;

import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.RedisTestResource;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** A running application sends alerts about its decisions. */
@QuarkusTest
@TestProfile(AlertServiceTest.Profile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(AlertServiceTest.Receiver.class)
class AlertServiceTest extends HttpTestBase {

    private static final String PATH = "/hook";

    /** Alerts over http. */
    public static class Profile implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("rate-limit.alerts.secret", AlertInstance.SECRET, "rate-limit.alerts.insecure", "true",
                    "rate-limit.alerts.thresholds", "50");
        }
    }

    /** Server that receives the alerts. */
    public static class Receiver implements QuarkusTestResourceLifecycleManager {

        private final RawUpstream server = new RawUpstream();

        @Override
        public Map<String, String> start() {
            server.respond(PATH, "HTTP/1.1 204 No Content\r\n\r\n");
            return Map.of("rate-limit.alerts.url", "http://localhost:" + server.port() + PATH);
        }

        @Override
        public void inject(TestInjector injector) {
            injector.injectIntoFields(this, field -> field.getType() == Receiver.class);
        }

        @Override
        public void stop() {
            server.close();
        }
    }

    @Inject
    MeterRegistry meters;

    Receiver receiver;

    @Test
    void decisionsLeadToOneSignedAlert() throws Exception {
        var request = new RateLimitRequest("user:alice", null, "api",
                List.of(new ResourceCheck("api", Rate.parse("4/day"), 1)));
        for (int i = 0; i < 4; i++) {
            limiter.check(request).await().indefinitely();
        }
        Polling.await().until(() -> !receiver.server.received(PATH).isEmpty());
        var received = receiver.server.only(PATH);
        Polling.await().until(() -> received.receivedBody() != null); // the server reads it
        var body = new String(received.receivedBody(), StandardCharsets.UTF_8);
        assertThat(new JsonObject(body).getJsonObject("data").getString("identifier")).isEqualTo("user:alice");
        new Webhook(AlertInstance.SECRET).verify(body, Map.of("webhook-id", received.fields("webhook-id"), "webhook-timestamp",
                received.fields("webhook-timestamp"), "webhook-signature", received.fields("webhook-signature")));
        Polling.await().until(() -> meters.get(AlertMetrics.ALERTS).tag("outcome", "sent").counter().count() == 1);
    }
}
