package dev.sluice.testing.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import org.assertj.core.api.SoftAssertions;
import org.awaitility.Awaitility;

import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.Polling;
import io.vertx.core.json.JsonObject;

/** Creates keys over all instances in turn, and revokes those created before in each way there is. Remembers what was answered. */
final class KeyChanges implements AutoCloseable {

    static final String ADMIN_TOKEN = "admin-of-keys";

    private static final long INTERVAL_MILLIS = 100;
    /** Number of keys that are created after a key before it is revoked, so that all instances know it. */
    private static final int REVOKED_AFTER = 6;
    private static final int UNAVAILABLE = 503;

    /** Ways to revoke a key. */
    private enum Revocation {
        DELETED, DISABLED, ROTATED, USER_DISABLED
    }

    /** Text of a key, and what was answered to the requests that changed it. Times are those of {@link System#nanoTime()}. */
    static final class Text {

        final String id;
        final String value;
        private final String user;
        final long createdAt;
        /** Time before the first request that revokes it; {@link Long#MAX_VALUE} if there is none. */
        volatile long revocationSentAt = Long.MAX_VALUE;
        /** Time after the answer that it is revoked; {@link Long#MAX_VALUE} if there is none. */
        volatile long revokedAt = Long.MAX_VALUE;
        private volatile Revocation revocation;

        Text(JsonObject key) {
            this.id = key.getString("id");
            this.value = key.getString("key");
            this.user = key.getString("user");
            this.createdAt = System.nanoTime();
        }

        boolean isRevoked() {
            return revokedAt != Long.MAX_VALUE;
        }

        /** Returns whether the requests that were sent have been answered with success. */
        private boolean isKnown() {
            return isRevoked() || revocationSentAt == Long.MAX_VALUE;
        }

        /** Returns whether one of its changes was sent or answered in that time, so that a failover may have lost it. */
        private boolean isChangedBetween(long from, long to) {
            return isBetween(createdAt, from, to) || isBetween(revocationSentAt, from, to) || isBetween(revokedAt, from, to);
        }

        private static boolean isBetween(long time, long from, long to) {
            return time != Long.MAX_VALUE && time - from >= 0 && time - to <= 0;
        }
    }

    private final List<HttpTestClient> instances;
    private final List<Text> texts = new CopyOnWriteArrayList<>();
    private final Queue<Text> unrevoked = new ArrayDeque<>();
    private final List<String> unexpected = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final String run = UUID.randomUUID().toString();
    private final boolean lossy;
    private int number;

    /** @param lossy whether a failover may lose keys, so that their changes may be answered with 404 */
    KeyChanges(List<Instance> instances, boolean lossy) {
        this.instances = instances.stream().map(instance -> new HttpTestClient(instance.port())).toList();
        this.lossy = lossy;
    }

    /** Returns all texts that were answered. */
    List<Text> texts() {
        return texts;
    }

    /** Creates a key that is not changed, and uses it at all instances. */
    Text createUnchanged() {
        var text = create("unchanged-" + texts.size());
        assertThat(text).as(() -> unexpected.toString()).isNotNull();
        instances.forEach(instance -> Polling.await().until(() -> status(instance, text.value) == 200));
        return text;
    }

    private Text create(String user) {
        var response = send("POST", "/v1/keys", new JsonObject().put("user", user).put("team", "team"));
        if (response.statusCode() != 201) {
            expectUnavailable("creation", response);
            return null;
        }
        return created(HttpTestClient.json(response));
    }

    private Text created(JsonObject key) {
        var text = new Text(key);
        texts.add(text);
        return text;
    }

    private HttpResponse<String> send(String method, String path, JsonObject body) {
        return instances.get(number++ % instances.size()).send(method, path, body == null ? null : body.encode(),
                "Authorization",
                "Bearer " + ADMIN_TOKEN);
    }

    private void expectUnavailable(String request, HttpResponse<String> response) {
        if (!(response.statusCode() == UNAVAILABLE && response.body().contains("RATE_5002"))
                && !(lossy && response.statusCode() == 404)) {
            unexpected.add(request + ": " + response.statusCode() + ' ' + response.body());
        }
    }

    void start() {
        scheduler.scheduleWithFixedDelay(this::change, 0, INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void change() {
        try {
            var created = create("user-" + number + '-' + run);
            if (created != null) {
                unrevoked.add(created);
            }
            if (unrevoked.size() > REVOKED_AFTER) {
                revoke(unrevoked.remove(), Revocation.values()[number % Revocation.values().length]);
            }
        } catch (RuntimeException e) {
            unexpected.add(e.toString());
        }
    }

    private void revoke(Text text, Revocation revocation) {
        text.revocation = revocation;
        text.revocationSentAt = System.nanoTime();
        var path = "/v1/keys/" + text.id;
        var disabled = new JsonObject().put("disabled", true);
        var response = switch (revocation) {
            case DELETED -> send("DELETE", path, null);
            case DISABLED -> send("PATCH", path, disabled);
            case ROTATED -> send("POST", path + "/rotate", new JsonObject());
            case USER_DISABLED -> send("PUT", "/v1/users/" + text.user, disabled);
        };
        if (response.statusCode() / 100 != 2) {
            expectUnavailable(revocation.name(), response);
            return;
        }
        text.revokedAt = System.nanoTime();
        if (revocation == Revocation.ROTATED) {
            created(HttpTestClient.json(response));
        }
    }

    /** Waits until so many further keys are revoked. */
    void awaitRevoked(int count) {
        long until = revoked() + count;
        Awaitility.await("keys revoked").atMost(Duration.ofSeconds(90)).until(() -> revoked() >= until);
    }

    private long revoked() {
        return texts.stream().filter(Text::isRevoked).count();
    }

    /** Stops changing, and waits until the change that is under way is answered. */
    void stop() {
        scheduler.shutdown();
        Awaitility.await().atMost(Duration.ofSeconds(90)).until(scheduler::isTerminated);
        assertThat(unexpected).as("unexpected answers to changes").isEmpty();
    }

    /**
     * Verifies that all instances agree, and that what was answered is in effect.
     *
     * @param lostFrom time of the first change that may be lost
     * @param lostTo time of the last change that may be lost
     */
    void verify(SoftAssertions soft, long lostFrom, long lostTo) {
        for (var text : texts) {
            var key = "/v1/keys/" + text.id;
            soft.assertThat(instances.stream().map(instance -> state(instance, key)).distinct()).as("states of %s", key)
                    .hasSize(1);
            var user = "/v1/users/" + text.user;
            soft.assertThat(instances.stream().map(instance -> state(instance, user)).distinct()).as("states of %s", user)
                    .hasSize(1);
            var statuses = instances.stream().map(instance -> status(instance, text.value)).distinct().toList();
            if (text.isKnown() && !text.isChangedBetween(lostFrom, lostTo)) {
                soft.assertThat(statuses).as("%s, revocation=%s", key, text.revocation)
                        .containsExactly(text.isRevoked() ? 401 : 200);
                soft.assertThat(state(instances.get(0), key)).as("%s, revocation=%s", key, text.revocation)
                        .startsWith(text.revocation == Revocation.DELETED ? "404" : "200");
            } else {
                soft.assertThat(statuses).as("%s, revocation=%s", key, text.revocation).hasSize(1);
            }
        }
    }

    private static String state(HttpTestClient instance, String path) {
        var response = instance.get(path, "Authorization", "Bearer " + ADMIN_TOKEN);
        return response.statusCode() + " " + HttpTestClient.header(response, "ETag");
    }

    /** Returns the status of a request with a key. */
    static int status(HttpTestClient instance, String key) {
        return instance.get("/v1/forward-auth", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/things", "X-API-Key", key)
                .statusCode();
    }

    @Override
    public void close() {
        scheduler.shutdownNow();
    }
}
