package dev.sluice.service.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;

import org.junit.jupiter.api.Test;

import dev.sluice.directory.IdentityKind;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.TrustedProxyProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import io.vertx.core.json.JsonObject;

/** The limits of all levels of a caller hold for API requests. */
@QuarkusTest
@TestProfile(TrustedProxyProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
@WithTestResource(JwtKeys.class)
class ChainLimitsTest extends HttpTestBase {

    private static final String ALICE = "sk-sluice-key-of-alice";
    private static final String BOB = "sk-sluice-key-of-bob";

    private static ValidatableResponse get(String path, String key) {
        return given().header("X-API-Key", key).when().get(path).then();
    }

    private static JsonObject withLimits(String limits) {
        return new JsonObject().put("limits", new JsonObject(limits));
    }

    private void putTeam(JsonObject team) {
        stored.put(IdentityKind.ORG, "acme", withLimits("{\"api\":\"5/hour\"}"))
                .put(IdentityKind.TEAM, "growth", team.put("org", "acme"))
                .putKey("ka", ALICE, new JsonObject().put("user", "alice").put("team", "growth").put("tier", "pro"))
                .putKey("kb", BOB, new JsonObject().put("user", "bob").put("team", "growth").put("tier", "pro"));
    }

    private long used(String identifier, String resource) {
        return admin.limits(identifier).await().indefinitely().getOrDefault(resource, 0L);
    }

    @Test
    void everyLevelHoldsAndADenialNamesIt() {
        putTeam(withLimits("{\"api\":\"3/hour\"}"));
        get("/campaigns", ALICE).statusCode(200)
                .header("RateLimit-Policy", containsString("\"team:growth/api\";q=3;w=3600"))
                .header("RateLimit-Policy", containsString("\"org:acme/api\";q=5;w=3600"))
                .header("X-RateLimit-Limit", "3").header("X-RateLimit-Remaining", "2");
        get("/campaigns", BOB).statusCode(200);
        get("/campaigns", BOB).statusCode(200);

        get("/campaigns", ALICE).statusCode(429).body("error.code", is("RATE_5001"))
                .body("error.details.identifier", is("team:growth")).body("error.details.resource", is("api"))
                .body("error.details.limit", is(3)).body("error.details.window_seconds", is(3600));

        assertThat(used("user:alice", "api:/campaigns")).as("a denial by one level takes nothing at another").isEqualTo(1);
        assertThat(used("org:acme", "api")).isEqualTo(3);
    }

    @Test
    void eachMemberHasLimitsOfTheirOwn() {
        putTeam(new JsonObject().put("member_limits", new JsonObject("{\"api\":\"2/hour\"}")));
        get("/campaigns", ALICE).statusCode(200);
        get("/campaigns", ALICE).statusCode(200);

        get("/campaigns", ALICE).statusCode(429).body("error.details.identifier", is("team:growth/user:alice"));
        get("/campaigns", BOB).statusCode(200);
    }

    @Test
    void endpointsOfALevelAreCountedByTheMostSpecificOne() {
        putTeam(withLimits("{\"endpoints\":{\"/reports\":\"2/hour\",\"POST /reports/{id}\":\"1/hour\"}}"));
        given().header("X-API-Key", ALICE).post("/reports/7").then().statusCode(200);
        given().header("X-API-Key", BOB).post("/reports/8").then().statusCode(429)
                .body("error.details.resource", is("endpoint:POST /reports/{id}"));
        get("/reports/7", BOB).statusCode(200);
        get("/reports", BOB).statusCode(200);
        get("/reports?x", ALICE).statusCode(429).body("error.details.resource", is("endpoint:/reports"));
        get("/campaigns", ALICE).statusCode(200);
    }

    @Test
    void aUsersOwnLimitIsApartFromTheRule() {
        stored.put(IdentityKind.USER, "alice", withLimits("{\"api\":\"2/calendar-day\"}").put("tier", "pro"))
                .putKey("ka", ALICE, new JsonObject().put("user", "alice"))
                .putKey("kb", BOB, new JsonObject().put("user", "alice"));
        get("/campaigns", ALICE).statusCode(200);
        get("/users", BOB).statusCode(200);
        get("/campaigns", ALICE).statusCode(429).body("error.details.identifier", is("user:alice"))
                .body("error.details.resource", is("api"));
        assertThat(used("user:alice", "api")).isEqualTo(2);
        assertThat(used("user:alice", "api:/campaigns")).isEqualTo(1);
    }

    /** A user who changes teams starts with the usage of the new team, and the old team keeps its own. */
    @Test
    void aChangeOfTheTeamTakesEffect() {
        putTeam(withLimits("{\"api\":\"1/hour\"}"));
        get("/campaigns", ALICE).statusCode(200);
        get("/campaigns", ALICE).statusCode(429);

        stored.put(IdentityKind.TEAM, "search", withLimits("{\"api\":\"1/hour\"}"))
                .putKey("ka", ALICE, new JsonObject().put("user", "alice").put("team", "search").put("tier", "pro"));
        Polling.await().until(() -> get("/campaigns", ALICE).extract().statusCode() == 200);

        get("/campaigns", ALICE).statusCode(429).body("error.details.identifier", is("team:search"));
        get("/campaigns", BOB).statusCode(429).body("error.details.identifier", is("team:growth"));
    }

    @Test
    void namesOfTheGreatestLengthFormAChain() {
        var team = "t".repeat(128);
        var user = "ü".repeat(128);
        stored.put(IdentityKind.TEAM, team, new JsonObject().put("member_limits", new JsonObject("{\"api\":\"1/hour\"}")))
                .putKey("ka", ALICE, new JsonObject().put("user", user).put("team", team).put("tier", "pro"));
        get("/campaigns", ALICE).statusCode(200);
        get("/campaigns", ALICE).statusCode(429);
    }
}
