package dev.sluice.service.alerts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.stream.Collectors;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import com.standardwebhooks.Webhook;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.directory.DirectoryUnderTest;
import dev.sluice.directory.IdentityKind;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.service.alerts.WebhookTransport.WebhookResponse;
import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.Polling;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Alerts of several instances that share one Redis, whose time is set by hand. */
class AlertDeliveryTest {

    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

    private static DirectoryUnderTest redis;
    private static RedisConnectionManager manager;
    private static RedisConnectionManager otherManager;
    private final AlertInstance first = instance(manager);
    private final AlertInstance second = instance(otherManager);

    @BeforeAll
    static void startRedis() {
        redis = new DirectoryUnderTest();
        manager = redis.newManager();
        otherManager = redis.newManager();
    }

    @AfterAll
    static void stopRedis() {
        redis.close();
    }

    @BeforeEach
    void clear() {
        redis.send("FLUSHALL");
        setNow(NOW);
    }

    private static void setNow(Instant now) {
        redis.send("SET", "test:now", now.getEpochSecond());
    }

    private AlertInstance instance(RedisConnectionManager connection) {
        return instance(connection, AlertInstance.SETTINGS);
    }

    private AlertInstance instance(RedisConnectionManager connection, AlertSettings settings) {
        var context = redis.vertx().getOrCreateContext();
        return new AlertInstance(context,
                new RedisAlertQueue(connection, DirectoryUnderTest.HASH_TAGS, context, AlertQueueTest.TIME),
                settings, redis.store()::find);
    }

    private static List<Integer> thresholds(AlertInstance instance) {
        return instance.posts.stream().map(post -> data(post).getInteger("threshold")).sorted().toList();
    }

    private static JsonObject data(AlertInstance.Post post) {
        return new JsonObject(post.body()).getJsonObject("data");
    }

    @Test
    void thresholdIsSentOnceByTwoInstances() {
        first.decide(AlertInstance.daily("user:a", 499), NOW);
        assertThat(first.poll()).isZero();
        first.decide(AlertInstance.daily("user:a", 500), NOW);
        second.decide(AlertInstance.daily("user:a", 501), NOW);
        second.poll();
        first.poll();
        assertThat(first.posts).isEmpty();
        assertThat(thresholds(second)).containsExactly(50);
        assertThat(second.count("sent")).isEqualTo(1);
        first.decide(AlertInstance.daily("user:a", 960), NOW);
        second.decide(AlertInstance.daily("user:a", 1000), NOW);
        first.poll();
        assertThat(thresholds(first)).containsExactly(80, 95, 100);
        assertThat(second.poll()).isZero();
    }

    /** A failover, or a restart without the last second of writes, loses claims and alerts. */
    @Test
    void alertThatRedisHasLostIsSentAgainWithTheSameId() {
        first.decide(AlertInstance.daily("user:a", 500), NOW);
        first.poll();
        for (var lost : List.of("claimed:*", "*s*")) { // the claims after the alert was sent; then before it is sent, with the queue
            redis.send("KEYS", "sluice:{alerts}:" + lost).forEach(key -> redis.send("DEL", key));
            first.epoch.incrementAndGet();
            second.decide(AlertInstance.daily("user:a", 500), NOW);
            first.decide(AlertInstance.daily("user:a", 500), NOW);
        }
        first.poll();
        assertThat(ids(first)).hasSize(2).containsOnly(ids(first).get(0));

        redis.send("FLUSHALL"); // another Redis, whose limits are others
        setNow(NOW);
        second.epoch.incrementAndGet();
        second.decide(AlertInstance.daily("user:a", 500), NOW);
        second.poll();
        assertThat(ids(second)).hasSize(1).doesNotContain(ids(first).get(0));
    }

    private static List<String> ids(AlertInstance instance) {
        return instance.posts.stream().map(post -> post.headers().get(Webhook.UNBRANDED_MSG_ID_KEY)).toList();
    }

    @Test
    void everyWindowLimitAndPeriodHasItsOwnAlert() {
        first.decide(AlertInstance.daily("user:a", 500), NOW);
        first.decide(AlertInstance.daily("user:b", 500), NOW);
        first.decide(
                new QuotaStatus("user:a", "api", QuotaUnit.REQUESTS, 2000, Duration.ofDays(1), 1000, Optional.empty(), false,
                        Optional.empty()),
                NOW);
        first.decide(
                new QuotaStatus("user:a", "api", QuotaUnit.REQUESTS, 1000, Duration.ofDays(2), 500, Optional.empty(), false,
                        Optional.empty()),
                NOW);
        first.decide(AlertInstance.daily("user:a", 500), NOW.plus(Duration.ofDays(1)));
        first.poll();
        assertThat(thresholds(first)).hasSize(5).containsOnly(50);
    }

    @Test
    void messageIsASignedStandardWebhook() throws Exception {
        first.decide(
                new QuotaStatus("team:red/user:a", "llm:openai", QuotaUnit.NANODOLLARS, 50_000_000_000L, Duration.ofDays(1),
                        24_500_000_000L, Optional.empty(), false, Optional.empty()),
                NOW);
        first.poll();
        var post = first.posts.get(0);
        assertThat(post.url()).isEqualTo(AlertInstance.URL);
        assertThat(new JsonObject(post.body())).isEqualTo(new JsonObject().put("type", "limit.threshold")
                .put("timestamp", "2026-03-01T12:00:00Z")
                .put("data",
                        new JsonObject().put("identifier", "team:red/user:a").put("resource", "llm:openai").put("limit", 50)
                                .put("used", 25.5).put("threshold", 50).put("unit", "usd")
                                .put("period_end", "2026-03-02T00:00:00Z")));
        assertThat(new BigDecimal(data(post).getValue("used").toString())).isEqualByComparingTo("25.5");
        Map<String, List<String>> headers = post.headers().entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, entry -> List.of(entry.getValue())));
        assertThat(headers).containsOnlyKeys("webhook-id", "webhook-timestamp", "webhook-signature");
        new Webhook(AlertInstance.SECRET).verify(post.body(), headers);
        assertThatThrownBy(() -> new Webhook(AlertInstance.SECRET).verify(post.body() + ' ', headers))
                .isInstanceOf(Exception.class);
    }

    @Test
    void otherInstanceSendsWhatAnInstanceHasLeasedThatDies() {
        first.receiver = url -> Promise.<WebhookResponse>promise().future(); // never ends
        first.decide(AlertInstance.daily("user:a", 500), NOW);
        first.onContext(() -> {
            first.sender.poll();
            return Future.succeededFuture();
        });
        Polling.await().until(() -> first.posts.size() == 1);
        second.poll();
        setNow(NOW.plusSeconds(29));
        second.poll();
        assertThat(second.posts).isEmpty();
        setNow(NOW.plusSeconds(30));
        second.poll();
        assertThat(second.posts).hasSize(1);
        assertThat(second.posts.get(0).headers().get("webhook-id")).isEqualTo(first.posts.get(0).headers().get("webhook-id"));
        assertThat(second.poll()).isZero();
    }

    @Test
    void restartedInstanceSendsWhatWasClaimed() {
        first.decide(AlertInstance.daily("user:a", 500), NOW);
        var restarted = instance(manager);
        restarted.decide(AlertInstance.daily("user:a", 510), NOW);
        restarted.poll();
        assertThat(restarted.posts).hasSize(1);
        assertThat(data(restarted.posts.get(0)).getInteger("used")).isEqualTo(500);
    }

    @Test
    void failedAlertIsRepeatedWithTheSameIdUntilItIsAccepted() {
        first.decide(AlertInstance.daily("user:a", 500), NOW);
        first.respond(503);
        first.poll();
        setNow(NOW.plusSeconds(4));
        assertThat(first.poll()).isEqualTo(1);
        assertThat(first.posts).hasSize(1);
        setNow(NOW.plusSeconds(5));
        first.receiver = url -> Future.failedFuture("connection refused");
        first.poll();
        setNow(NOW.plusSeconds(35));
        first.receiver = url -> Future.succeededFuture(new WebhookResponse(302, null));
        first.poll();
        assertThat(first.posts).hasSize(3);
        setNow(NOW.plusSeconds(155));
        first.respond(200);
        second.poll();
        first.poll();
        assertThat(second.posts).hasSize(1);
        assertThat(first.posts).hasSize(3).extracting(post -> post.headers().get("webhook-id"))
                .containsOnly(second.posts.get(0).headers().get("webhook-id"));
        assertThat(first.poll()).isZero();
        assertThat(first.count("failed")).isZero();
    }

    @Test
    void retryAfterOfTheReceiverIsRespected() {
        first.decide(AlertInstance.daily("user:a", 500), NOW);
        first.receiver = url -> Future.succeededFuture(new WebhookResponse(429, "600"));
        first.poll();
        setNow(NOW.plusSeconds(599));
        first.poll();
        assertThat(first.posts).hasSize(1);
        setNow(NOW.plusSeconds(600));
        first.poll();
        assertThat(first.posts).hasSize(2);
    }

    @Test
    void alertIsGivenUpAfterADayAndByAReceiverThatIsGone() {
        var log = LogRecorder.start(Level.WARNING, false);
        try {
            first.decide(AlertInstance.daily("user:a", 500), NOW);
            first.respond(500);
            first.poll();
            setNow(NOW.plus(Duration.ofDays(1)));
            assertThat(first.poll()).isEqualTo(1);
            assertThat(first.count("failed")).isEqualTo(1);
            first.decide(AlertInstance.daily("user:b", 500), NOW);
            first.respond(410);
            first.poll();
            assertThat(first.count("failed")).isEqualTo(2);
            assertThat(first.poll()).isZero();
            assertThat(log.records()).filteredOn(line -> line.contains("Alert was given up")).hasSize(2)
                    .allSatisfy(line -> assertThat(line).contains("url=https://hooks.example/alerts attempts=", "resource=api",
                            "threshold=50"));
            assertThat(log.records()).noneSatisfy(line -> assertThat(line).contains("t0p"))
                    .noneSatisfy(line -> assertThat(line).contains("whsec"));
        } finally {
            log.close();
        }
    }

    @Test
    void identityHasItsOwnUrlAndThresholds() {
        redis.put(IdentityKind.TEAM, "red", new JsonObject().put("alerts",
                new JsonObject().put("url", "https://red.example/hook").put("thresholds", new JsonArray().add(20))));
        redis.put(IdentityKind.USER, "b",
                new JsonObject().put("alerts", new JsonObject().put("thresholds", new JsonArray().add(30))));
        first.decide(AlertInstance.daily("team:red", 200), NOW);
        first.decide(AlertInstance.daily("team:red/user:a", 900), NOW);
        first.decide(AlertInstance.daily("user:b", 300), NOW);
        first.decide(AlertInstance.daily("user:c", 300), NOW);
        first.poll();
        assertThat(first.posts).extracting(post -> data(post).getString("identifier") + ' ' + data(post).getInteger("threshold")
                + ' ' + post.url().getHost()).containsExactlyInAnyOrder("team:red 20 red.example",
                        "team:red/user:a 20 red.example",
                        "user:b 30 hooks.example");
    }

    @Test
    void withoutAUrlOnlyIdentitiesWithOneHaveAlerts() {
        redis.put(IdentityKind.USER, "a", new JsonObject().put("alerts", new JsonObject().put("url", "https://a.example/")));
        redis.put(IdentityKind.USER, "b", new JsonObject().put("alerts", new JsonObject().put("url", "http://b.example/")));
        var instance = instance(manager,
                new AlertSettings(new AlertTarget(null, List.of(50)), new Webhook(AlertInstance.SECRET), new AlertUrls(false)));
        for (var user : List.of("a", "b", "c")) {
            instance.decide(AlertInstance.daily("user:" + user, 500), NOW);
        }
        instance.poll();
        assertThat(instance.posts).extracting(AlertInstance.Post::url).containsExactly(URI.create("https://a.example/"));
    }

    @Test
    void identitiesAndClaimsAreReadOnceForManyDecisions() {
        first.decide(AlertInstance.daily("user:a", 500), NOW);
        var before = redis.send("INFO", "commandstats").toString();
        for (int used = 500; used < 800; used++) {
            first.decide(AlertInstance.daily("user:a", used), NOW);
        }
        assertThat(calls(redis.send("INFO", "commandstats").toString())).isEqualTo(calls(before));
    }

    private static String calls(String statistics) {
        return statistics.lines().filter(line -> line.startsWith("cmdstat_evalsha:")).map(line -> line.split(",")[0])
                .collect(Collectors.joining());
    }

    /** Redis executes the claim whose reply was late, and the one that repeats it. */
    @Test
    void alertsOfAnOutageAreClaimedOnceAfterIt() {
        try (var own = new DirectoryUnderTest()) {
            own.send("SET", "test:now", NOW.getEpochSecond());
            var connection = own.newManager();
            var context = own.vertx().getOrCreateContext();
            var instance = new AlertInstance(context,
                    new RedisAlertQueue(connection, DirectoryUnderTest.HASH_TAGS, context, AlertQueueTest.TIME),
                    AlertInstance.SETTINGS, own.store()::find);
            instance.decide(AlertInstance.daily("user:a", 100), NOW);
            own.redis().suspend();
            instance.decide(AlertInstance.daily("user:a", 500), NOW);
            instance.decide(AlertInstance.daily("user:a", 600), NOW.plusMillis(10));
            instance.decide(AlertInstance.daily("user:a", 900), NOW.plusSeconds(2));
            assertThat(instance.<Integer>onContext(() -> Future.succeededFuture(instance.claims.size()))).isEqualTo(1);
            own.redis().resume();
            Polling.await().until(() -> {
                instance.onContext(() -> {
                    instance.claims.retry();
                    return instance.claims.idle();
                });
                return instance.<Integer>onContext(() -> Future.succeededFuture(instance.claims.size())) == 0;
            });
            instance.poll();
            assertThat(thresholds(instance)).containsExactly(50, 80);
            assertThat(instance.poll()).isZero();
            assertThat(instance.count("dropped")).isZero();
        }
    }

    @Test
    void oldestObservationsAreDroppedWhenTooManyWait() {
        var instance = instance(
                new RedisConnectionManager(redis.vertx(), () -> Future.failedFuture("down"), DirectoryUnderTest.HASH_TAGS,
                        100));
        for (int i = 0; i <= AlertClaims.MAX_WAITING; i++) {
            var quota = AlertInstance.daily("user:" + i, 500);
            instance.detector.onDecision(AlertInstance.request(quota),
                    new Decision(true, false, DecisionMode.LOCAL, NOW, List.of(quota)), 1);
        }
        Polling.await().until(() -> instance.count("dropped") == 1);
        assertThat(instance.<Integer>onContext(() -> Future.succeededFuture(instance.claims.size())))
                .isEqualTo(AlertClaims.MAX_WAITING);
    }

    /** Keys of a team have a URL each. What waits for room is neither sent to Redis again at once, nor in the way of others. */
    @Test
    void ownerWithoutRoomDoesNotDelayOthers() {
        for (var key : List.of("k1", "k2")) {
            redis.put(IdentityKind.KEY, key, new JsonObject().put("team", "red").put("alerts",
                    new JsonObject().put("url", "https://dead.example/" + key)));
        }
        var queue = new InMemoryAlertQueue(NOW::toEpochMilli);
        var instance = new AlertInstance(redis.vertx().getOrCreateContext(), queue, AlertInstance.SETTINGS,
                redis.store()::find);
        int room = AlertQueue.MAX_PENDING / 2;
        for (int i = 0; i < room; i++) {
            queue.claim(
                    List.of(new LimitAlert("c" + i, "{\"url\":\"https://dead.example/\",\"owner\":\"team:red\",\"body\":\"\"}",
                            NOW.plusSeconds(1))));
        }
        for (int i = 0; i < 20_000; i++) {
            instance.decide(key("k" + (1 + i % 2), "resource" + i), NOW);
        }
        instance.decide(AlertInstance.daily("user:a", 500), NOW);
        var leased = queue.lease(AlertQueue.MAX_PENDING).result();
        assertThat(leased.pending()).isEqualTo(room + 1);
        assertThat(instance.<Integer>onContext(() -> Future.succeededFuture(instance.claims.size())))
                .isEqualTo(AlertClaims.MAX_WAITING - 1);
        leased.alerts().forEach(alert -> queue.remove(alert.id()));
        for (int i = 0; i < room / AlertClaims.MAX_RETRIED; i++) {
            instance.onContext(() -> {
                instance.claims.retry();
                return instance.claims.idle();
            });
            assertThat(queue.lease(1).result().pending()).isEqualTo((i + 1) * AlertClaims.MAX_RETRIED);
        }
    }

    private static QuotaStatus key(String key, String resource) {
        return new QuotaStatus("key:" + key, resource, QuotaUnit.REQUESTS, 1000, Duration.ofDays(1), 500, Optional.empty(),
                false,
                Optional.empty());
    }

    /** 300 alerts are due for three receivers that do not answer, before one for another. */
    @Test
    void receiversThatDoNotAnswerDoNotDelayOthers() {
        for (int i = 0; i < 3; i++) {
            redis.put(IdentityKind.TEAM, "slow" + i,
                    new JsonObject().put("alerts", new JsonObject().put("url", "https://slow.example/" + i)));
        }
        Promise<WebhookResponse> never = Promise.promise();
        first.receiver = url -> url.getHost().equals("slow.example")
                ? never.future()
                : Future.succeededFuture(new WebhookResponse(204, null));
        for (int i = 0; i < 300; i++) {
            first.decide(AlertInstance.daily("team:slow" + i % 3 + "/user:" + i, 500), NOW);
        }
        setNow(NOW.plusSeconds(1));
        first.decide(AlertInstance.daily("user:a", 500), NOW);
        first.onContext(() -> {
            first.sender.poll();
            return Future.succeededFuture();
        });
        Polling.await().until(() -> first.count("sent") == 1);
        assertThat(first.posts).filteredOn(post -> post.url().getHost().equals("slow.example"))
                .hasSize(3 * DeliverySlots.MAX_PER_OWNER);
        never.complete(new WebhookResponse(204, null));
        Polling.await()
                .until(() -> first.count("sent") == 1 + 3 * (DeliverySlots.MAX_PER_OWNER + WaitingDeliveries.MAX_PER_OWNER));
    }

    @Test
    void manyUrlsOfOneHostLeaveRoomForOthers() {
        var slots = new DeliverySlots();
        for (int i = 0; i < DeliverySlots.MAX_PER_HOST; i++) {
            assertThat(slots.tryAcquire("team:" + i, URI.create("https://slow.example/" + i))).isTrue();
        }
        assertThat(slots.tryAcquire("team:x", URI.create("https://SLOW.example/x"))).isFalse();
        assertThat(slots.tryAcquire("team:x", URI.create("https://other.example/x"))).isTrue();
        slots.release("team:1", URI.create("https://slow.example/1"));
        assertThat(slots.tryAcquire("team:x", URI.create("https://slow.example/x"))).isTrue();
    }
}
