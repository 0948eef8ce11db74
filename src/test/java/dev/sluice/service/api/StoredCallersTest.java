package dev.sluice.service.api;

import static dev.sluice.testing.StoredIdentities.limits;
import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.nullValue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

import dev.sluice.directory.IdentityKind;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.TrustedProxyProfile;
import dev.sluice.testing.faults.RespClient;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import io.vertx.core.json.JsonObject;

/** Callers who are stored in Redis: by their keys, and by tokens and headers that name them. */
@QuarkusTest
@TestProfile(TrustedProxyProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
@WithTestResource(JwtKeys.class)
class StoredCallersTest extends HttpTestBase {

    private static final String KEY = "sk-sluice-key-of-alice";

    JwtKeys jwt;

    @ConfigProperty(name = "rate-limit.redis.port")
    int redisPort;

    private static ValidatableResponse get(String... headersAndValues) {
        var request = given();
        for (int i = 0; i < headersAndValues.length; i += 2) {
            request.header(headersAndValues[i], headersAndValues[i + 1]);
        }
        return request.when().get("/campaigns").then();
    }

    private ValidatableResponse getWithToken(Map<String, Object> claims) {
        return get("Authorization", "Bearer " + jwt.tokenWithClaims("alice", claims));
    }

    private long used(String identifier) {
        return admin.limits(identifier).await().indefinitely().getOrDefault("api:/campaigns", 0L);
    }

    @Test
    void withoutAnyKeysTheHeaderIsTheUpstreams() {
        get("X-API-Key", "of the upstream").statusCode(200).body("headers.'x-api-key'", contains("of the upstream"));
        assertThat(used("ip:127.0.0.1")).isEqualTo(1);
    }

    @Test
    void keyIdentifiesItsUserAndIsNotForwarded() {
        stored.put(IdentityKind.TEAM, "red", new JsonObject().put("org", "acme"))
                .put(IdentityKind.USER, "alice", new JsonObject().put("tier", "pro"))
                .putKey("k1", KEY, new JsonObject().put("user", "alice").put("team", "red").put("tier", "free"));

        get("X-API-Key", KEY).statusCode(200).header("X-RateLimit-Limit", "100")
                .body("headers.'x-api-key'", nullValue())
                .body("headers.'x-user-id'", contains("alice")).body("headers.'x-user-tier'", contains("pro"))
                .body("headers.'x-team-id'", contains("red")).body("headers.'x-org-id'", contains("acme"));
        assertThat(used("user:alice")).isEqualTo(1);
    }

    @Test
    void useOfAKeyIsShownSoon() {
        var key = given().header("Authorization", "Bearer admin-secret").body("{\"user\":\"alice\"}").when().post("/v1/keys")
                .then()
                .statusCode(201).extract().jsonPath();
        var path = "/v1/keys/" + key.getString("id");
        try {
            Polling.await().until(() -> get("X-API-Key", key.getString("key")).extract().statusCode() == 200);
            Polling.await().atMost(Duration.ofSeconds(20))
                    .until(() -> given().header("Authorization", "Bearer admin-secret").when().get(path).then().statusCode(200)
                            .extract().path("last_used_at") != null);
        } finally {
            given().header("Authorization", "Bearer admin-secret").when().delete(path).then().statusCode(204);
        }
    }

    /** Paths that are management endpoints by a hair, credentials beside the one that counts, and spellings of both. */
    @Test
    void credentialsOfSluiceAreNotForwarded() {
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice"));
        int client = 0;
        for (var path : List.of("/v1/keysx", "/V1/keys", "/v1/keys%2f", "/v1//keysx", "/campaigns")) {
            for (var value : List.of("Bearer admin-secret", "bearer  admin-secret", "Bearer reader-secret",
                    "Bearer \"admin-secret\",",
                    "Bearer " + KEY, "Bearer sk-sluice-of-somebody", "Token " + KEY)) {
                given().urlEncodingEnabled(false).header("X-Forwarded-For", "203.0.113." + ++client)
                        .header("Authorization", value).when().get(path).then().statusCode(200)
                        .body("headers.authorization", nullValue());
            }
        }
        for (var field : List.of("x-goog-api-key", "api-key", "api_key", "X_API_Key", "x_goog_api_key")) {
            for (var value : List.of(KEY, "admin-secret")) {
                get(field, value, "X-Forwarded-For", "203.0.113." + ++client).statusCode(200)
                        .body("headers.'" + field.toLowerCase(Locale.ROOT) + "'", nullValue());
            }
        }
        get("X-API-Key", KEY, "Authorization", "Bearer " + KEY).statusCode(200).body("headers.authorization", nullValue());
        get("Authorization", "Bearer of the upstream").statusCode(200)
                .body("headers.authorization", contains("Bearer of the upstream"));
    }

    /** The path is misspelt, or the client has learnt another way to send credentials. */
    @Test
    void adminTokenIsNotForwardedInAnyFieldForCredentials() {
        var pair = Base64.getEncoder().encodeToString("admin:admin-secret".getBytes(StandardCharsets.UTF_8));
        int client = 0;
        for (var field : List.of("Authorization", "Proxy-Authorization", "X-Auth-Token", "X-Access-Token")) {
            for (var value : List.of("Bearer admin-secret", "admin-secret", "Basic " + pair, "basic  " + pair)) {
                given().header(field, value).header("X-Forwarded-For", "203.0.113." + ++client).when().get("/v1/keysx").then()
                        .statusCode(200)
                        .body("headers.'" + field.toLowerCase(Locale.ROOT) + "'", nullValue());
            }
        }
        for (var value : List.of("Basic YWxpY2U6c2VjcmV0", "Basic !")) {
            get("Authorization", value).statusCode(200).body("headers.authorization", contains(value));
        }
    }

    @Test
    void credentialsOfSluiceAreTakenOutOfTheQuery() {
        for (var query : List.of("a=1&key=" + KEY + "&b=%202", "key=admin-secret&a=1&b=%202",
                "access_token=admin-secret&a=1&b=%202", "a=1&token=admin-secret&b=%202", "a=1&b=%202&api_key=admin-secret",
                "a=1&b=%202&k%65y=%22" + KEY + "%22")) {
            given().urlEncodingEnabled(false).when().get("/campaigns?" + query).then().statusCode(200)
                    .body("uri", endsWith("/campaigns?a=1&b=%202"));
        }
        given().when().get("/campaigns?key=" + KEY).then().body("uri", endsWith("/campaigns"));
        given().when().get("/campaigns?key=of-the-upstream").then().body("uri", endsWith("/campaigns?key=of-the-upstream"));
    }

    /** A text that Sluice has generated is never the upstream's, also if the last key was deleted. */
    @Test
    void deletedKeyIsNotForwarded() {
        get("X-API-Key", KEY).statusCode(401);
    }

    @Test
    void keysOfADisabledUserAreNotValid() {
        stored.put(IdentityKind.USER, "alice", new JsonObject().put("disabled", true))
                .putKey("k1", KEY, new JsonObject().put("user", "alice"));
        get("X-API-Key", KEY).statusCode(401);
        stored.write(IdentityKind.USER, "alice", new JsonObject());
        Polling.await().until(() -> get("X-API-Key", KEY).extract().statusCode() == 200);
    }

    @Test
    void keyWithoutUserIsItsOwnIdentifier() {
        stored.putKey("k1", KEY, new JsonObject().put("tier", "pro"));

        get("X-API-Key", KEY).statusCode(200).header("X-RateLimit-Limit", "100").body("headers.'x-user-id'", nullValue());
        assertThat(used("key:k1")).isEqualTo(1);
    }

    @Test
    void keyThatIsUnknownDisabledExpiredRotatedOutOrDeletedIs401() {
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice"));
        get("X-API-Key", KEY).statusCode(200);
        get("X-API-Key", "unknown").statusCode(401).body("error.code", is("RATE_4011"));
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice").put("disabled", true));
        get("X-API-Key", KEY).statusCode(401);
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice").put("expires_at", "2001-01-01T00:00:00Z"));
        get("X-API-Key", KEY).statusCode(401);
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice"));
        get("X-API-Key", KEY).statusCode(200);
        stored.putKey("k1", KEY + "2", new JsonObject().put("user", "alice"));
        get("X-API-Key", KEY).statusCode(401);
        get("X-API-Key", KEY + "2").statusCode(200);
        stored.putKey("other", "other", new JsonObject());
        stored.write(IdentityKind.KEY, "k1", null);
        get("X-API-Key", KEY + "2").statusCode(401);
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsEntry("api:default", 5L);
    }

    @Test
    void endpointsOfSluiceCheckKeysToo() {
        stored.putKey("k1", KEY, new JsonObject());
        for (var status : Map.of(KEY, 200, "unknown", 401).entrySet()) {
            given().header("X-API-Key", status.getKey()).contentType("application/json")
                    .body("{\"identifier\":\"x\",\"resource\":\"r\",\"rate\":\"5/minute\"}").post("/v1/check").then()
                    .statusCode(status.getValue());
            given().header("X-API-Key", status.getKey()).header("X-Forwarded-Uri", "/campaigns").get("/v1/forward-auth").then()
                    .statusCode(status.getValue());
        }
    }

    @Test
    void damagedRecordIs503AndNever401() {
        stored.putKey("k1", KEY, new JsonObject().put("limits", limits("not a rate")));

        get("X-API-Key", KEY).statusCode(503).body("error.code", is("RATE_5002"));
        given().header("X-API-Key", KEY).header("X-Forwarded-Uri", "/campaigns").get("/v1/forward-auth").then()
                .statusCode(503);
    }

    @Test
    void withoutRedisUnknownKeysAre503AndKnownOnesGoOn() {
        stored.putKey("k1", KEY, new JsonObject().put("user", "alice"));
        get("X-API-Key", KEY).statusCode(200);
        try (var redis = new RespClient(redisPort)) {
            redis.command("CLIENT", "PAUSE", "4000");
        }
        try {
            get("X-API-Key", "sk-sluice-unknown").statusCode(503).body("error.code", is("RATE_5002"));
            get("X-API-Key", KEY).statusCode(200);
            getWithToken(Map.of("team", "red")).statusCode(200);
        } finally {
            awaitRedis();
        }
    }

    private static void awaitRedis() {
        Polling.await().until(() -> given().header("X-API-Key", "sk-sluice-unknown").get("/campaigns").statusCode() == 401);
    }

    @Test
    void tokenNamesTeamAndOrganisation() {
        stored.put(IdentityKind.USER, "alice", new JsonObject().put("tier", "pro"))
                .put(IdentityKind.TEAM, "red", new JsonObject().put("org", "acme"));

        getWithToken(Map.of("tier", "free", "team", "red", "org", "claimed")).statusCode(200)
                .header("X-RateLimit-Limit", "100").body("headers.'x-team-id'", contains("red"))
                .body("headers.'x-org-id'", contains("acme"));
        getWithToken(Map.of("team", List.of("blue"), "org", "claimed")).statusCode(200)
                .body("headers.'x-team-id'", contains("blue")).body("headers.'x-org-id'", contains("claimed"));
        getWithToken(Map.of("team", List.of())).statusCode(200).body("headers.'x-team-id'", nullValue());
    }

    @Test
    void claimThatIsNotOneNameIs401() {
        getWithToken(Map.of("team", List.of("red", "blue"))).statusCode(401)
                .body("error.message", containsString("has 2 values"));
        for (var team : List.of("a/b", "", " a", "x".repeat(129), 5, Map.of("name", "red"), List.of(5))) {
            getWithToken(Map.of("team", team)).statusCode(401).body("error.message", containsString("The claim team"));
        }
        getWithToken(Map.of("org", "a/b")).statusCode(401).body("error.message", containsString("The claim org"));
    }

    @Test
    void trustedProxyNamesTeamAndOrganisation() {
        get("X-User-Id", "alice", "X-Team-Id", "red", "X-Org-Id", "acme").statusCode(200)
                .body("headers.'x-team-id'", contains("red")).body("headers.'x-org-id'", contains("acme"));
        get("X-User-Id", "alice", "X-Team-Id", "a/b").statusCode(401).body("error.message", containsString("X-Team-Id"));
        get("X-Team-Id", "red", "X-Org-Id", "acme").statusCode(200).body("headers.'x-team-id'", nullValue())
                .body("headers.'x-org-id'", nullValue());
        getWithToken(Map.of()).statusCode(200).body("headers.'x-team-id'", nullValue());
        get("Authorization", "Bearer " + jwt.token("alice", null), "X-Team-Id", "red", "X-Org-Id", "acme", "X_Team_Id", "red")
                .statusCode(200).body("headers.'x-team-id'", nullValue()).body("headers.'x-org-id'", nullValue())
                .body("headers.'x_team_id'", nullValue());
    }

    @Test
    void recordOfAUserHoldsForHeadersToo() {
        stored.put(IdentityKind.USER, "alice", new JsonObject().put("tier", "pro"));

        get("X-User-Id", "alice", "X-User-Tier", "free").header("X-RateLimit-Limit", "100");
        get("X-User-Id", "bob", "X-User-Tier", "free").header("X-RateLimit-Limit", "10");
    }
}
