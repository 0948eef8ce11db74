package dev.sluice.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.Polling;
import dev.sluice.testing.faults.RedisNode;
import dev.sluice.testing.faults.WebhookReceiver;
import dev.sluice.testing.faults.WebhookReceiver.Received;
import io.vertx.core.json.JsonObject;

/**
 * Alerts while instances are killed and Redis is restarted: whatever happens, the receiver gets each alert, with one id. A lease of
 * an instance that was killed ends after 30 seconds.
 */
class AlertFaults {

    private static final String ADMIN_TOKEN = "admin-of-alerts";
    private static final String MESSAGES = "sluice:{alerts}:messages";
    private static final Duration LEASE_AND_POLL = Duration.ofSeconds(120);
    private static final int LIMIT = 10;

    private final RedisNode redis = RedisNode.server();
    private final WebhookReceiver receiver = new WebhookReceiver();
    /** Receiver that never answers. */
    private final WebhookReceiver unreachable = new WebhookReceiver();
    private String key;

    @AfterEach
    void close() {
        receiver.close();
        unreachable.close();
        redis.close();
    }

    private Instance start(WebhookReceiver target) {
        return Instance.start(redis.environment(Map.of("RATE_LIMIT_ADMIN_TOKEN", ADMIN_TOKEN,
                "RATE_LIMIT_TRUSTED_PROXIES", "127.0.0.1", "RATE_LIMIT_DEFAULT", "1000000/minute", "RATE_LIMIT_ALERTS_URL",
                target.url(),
                "RATE_LIMIT_ALERTS_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "RATE_LIMIT_ALERTS_INSECURE", "true",
                "RATE_LIMIT_ALERTS_THRESHOLDS", "50,100", "RATE_LIMIT_TIMEOUT", "10s"))); // a slow machine is not an outage
    }

    private void createKey(Instance instance) {
        var client = new HttpTestClient(instance.port());
        var body = new JsonObject().put("limits", new JsonObject().put("api", LIMIT + "/calendar-month"));
        key = HttpTestClient.json(client.post("/v1/keys", body.encode(), "Authorization", "Bearer " + ADMIN_TOKEN))
                .getString("key");
    }

    private void use(Instance instance, int requests) {
        var client = new HttpTestClient(instance.port());
        for (int i = 0; i < requests; i++) {
            assertThat(
                    client.get("/v1/forward-auth", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/things", "X-API-Key", key)
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    private long queued() {
        return (Long) redis.command("HLEN", MESSAGES);
    }

    private void awaitDelivery() {
        Polling.await().atMost(LEASE_AND_POLL).until(() -> queued() == 0);
    }

    private static List<String> ids(List<Received> received, int threshold) {
        return received.stream().filter(webhook -> webhook.threshold() == threshold).map(Received::id).distinct().toList();
    }

    @Test
    void instanceIsKilledBetweenClaimingAndSending() {
        unreachable.respond(WebhookReceiver.NONE);
        try (var killed = start(unreachable); var other = start(receiver)) {
            createKey(killed);
            use(killed, LIMIT / 2);
            Polling.await().until(() -> !unreachable.received().isEmpty());
            killed.kill();
            use(other, 1);
            assertThat(receiver.received()).isEmpty();

            awaitDelivery();
        }
        assertThat(receiver.received()).hasSize(1);
        assertThat(ids(receiver.received(), 50)).isEqualTo(ids(unreachable.received(), 50));
    }

    @Test
    void instanceIsKilledBetweenSendingAndFinishing() {
        receiver.respond(WebhookReceiver.NONE);
        try (var killed = start(receiver); var other = start(receiver)) {
            createKey(killed);
            use(killed, LIMIT);
            Polling.await().until(() -> ids(receiver.received(), 50).size() + ids(receiver.received(), 100).size() == 2);
            killed.kill();
            receiver.respond(204);
            assertThat(other.pid()).isPositive();

            awaitDelivery();
        }
        assertThat(ids(receiver.received(), 50)).hasSize(1);
        assertThat(ids(receiver.received(), 100)).hasSize(1);
        assertThat(receiver.received().stream().filter(Received::answered).map(Received::threshold)).containsExactlyInAnyOrder(
                50,
                100);
    }

    @Test
    void redisAndAllInstancesAreRestarted() {
        receiver.respond(500);
        var instances = IntStream.range(0, 2).mapToObj(i -> start(receiver)).toList();
        try {
            createKey(instances.get(0));
            use(instances.get(0), LIMIT);
            Polling.await().until(() -> receiver.received().size() >= 2);
        } finally {
            redis.kill();
            instances.forEach(Instance::kill);
            instances.forEach(Instance::close);
        }
        redis.start();
        assertThat(queued()).isEqualTo(2);
        receiver.respond(204);
        try (var restarted = start(receiver)) {
            assertThat(restarted.pid()).isPositive();
            awaitDelivery();
        }
        assertThat(ids(receiver.received(), 50)).hasSize(1);
        assertThat(ids(receiver.received(), 100)).hasSize(1);
    }
}
