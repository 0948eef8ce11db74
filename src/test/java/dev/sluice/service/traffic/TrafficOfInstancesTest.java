package dev.sluice.service.traffic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

import jakarta.inject.Inject;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisProvider;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.IdentitiesProfile;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;

/** Traffic and overview of several instances on one Redis: this one, another writer, and a dead one. */
@QuarkusTest
@TestProfile(IdentitiesProfile.class)
@WithTestResource(RedisTestResource.class)
class TrafficOfInstancesTest extends HttpTestBase {

    private static final RuleTier RULE = new RuleTier("api:/campaigns", "pro");
    private static final String LONG_AGO = "{'1000000000', '0'}";
    private static final List<String> CHAIN = List.of("/v1/users/fleet-user", "/v1/teams/fleet-team", "/v1/orgs/fleet-org");

    @Inject
    RedisProvider redis;
    @Inject
    Vertx vertx;
    private TrafficStore other;
    private TrafficStore dead;

    @BeforeEach
    void startInstances() {
        other = instance(LuaScript.SERVER_TIME);
        dead = instance(LONG_AGO);
        call("PUT", "/v1/orgs/fleet-org", "{\"limits\":{\"api\":\"1000/hour\"}}");
        call("PUT", "/v1/teams/fleet-team", "{\"org\":\"fleet-org\",\"limits\":{\"api\":\"500/hour\"}}");
        call("PUT", "/v1/users/fleet-user",
                "{\"teams\":[\"fleet-team\"],\"tier\":\"pro\",\"limits\":{\"api\":\"100/hour\"}}");
    }

    @AfterEach
    void stopInstances() {
        await(other.report(Map.of()));
        CHAIN.forEach(path -> call("DELETE", path, null));
    }

    private TrafficStore instance(String timeExpression) {
        return new RedisTrafficStore(redis.connectionManager(), redis.hashTags(), vertx.getOrCreateContext(), timeExpression);
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage().toCompletableFuture().join();
    }

    private JsonObject call(String method, String path, String body) {
        var response = http.send(method, path, body, "Authorization", "Bearer admin-secret");
        assertThat(response.statusCode()).as(response.body()).isBetween(200, 204);
        return response.body().isEmpty() ? new JsonObject() : new JsonObject(response.body());
    }

    private JsonObject rule() {
        return call("GET", "/v1/traffic?rule=" + RULE.rule(), null).getJsonArray("rules").stream().map(JsonObject.class::cast)
                .filter(row -> row.getString("tier").equals(RULE.tier())).findFirst()
                .orElse(new JsonObject().put("allowed", 0).put("denied", 0).put("in_flight", 0));
    }

    private long lastHour(String outcome) {
        return call("GET", "/v1/overview", null).getJsonObject("last_hour").getLong(outcome);
    }

    @Test
    void requestOfATeamIsCountedOnceAndThoseOfOtherInstancesAreAdded() {
        var before = rule();
        long deniedBefore = lastHour("denied");
        for (int i = 0; i < 3; i++) {
            call("POST", "/v1/check",
                    "{\"identifier\":\"user:fleet-user\",\"resource\":\"api:/campaigns\",\"tier\":\"pro\"}");
        }
        var counts = new TrafficCounts();
        counts.rules().put(RULE, new RuleCounts(5, 2, 0));
        counts.denied().put(new TopCaller("user:fleet-user", RULE.rule(), RULE.tier()), 2L);
        counts.allowed().put(new TopCaller("user:fleet-user", RULE.rule(), RULE.tier()), 5L);
        await(other.add(counts));

        Polling.await().untilAsserted(() -> {
            var now = rule();
            assertThat(now.getLong("allowed") - before.getLong("allowed")).isEqualTo(3 + 5);
            assertThat(now.getLong("denied") - before.getLong("denied")).isEqualTo(2);
            assertThat(lastHour("denied") - deniedBefore).isGreaterThanOrEqualTo(2);
        });
        var caller = call("GET", "/v1/traffic?rule=" + RULE.rule(), null).getJsonArray("top_allowed").stream()
                .map(JsonObject.class::cast).filter(row -> row.getString("identifier").equals("user:fleet-user")).findFirst();
        assertThat(caller.orElseThrow().getLong("decisions")).isEqualTo(3 + 5);
    }

    @Test
    void requestsInFlightAreThoseOfInstancesThatAreAlive() {
        await(dead.report(Map.of(RULE, 100L)));
        // Another report before each reading: one holds for five seconds.
        Polling.await().untilAsserted(() -> {
            await(other.report(Map.of(RULE, 4L, new RuleTier("api:/only-in-flight", "none"), 1L)));
            assertThat(rule().getLong("in_flight")).isEqualTo(4);
            assertThat(call("GET", "/v1/traffic?rule=api:/only-in-flight", null).getJsonArray("rules").getJsonObject(0))
                    .isEqualTo(new JsonObject().put("rule", "api:/only-in-flight").put("tier", "none").put("allowed", 0)
                            .put("denied", 0).put("errors", 0).put("in_flight", 1));
            assertThat(call("GET", "/v1/overview", null).getLong("in_flight")).isEqualTo(5);
        });
    }
}
