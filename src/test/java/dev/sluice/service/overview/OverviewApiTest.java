package dev.sluice.service.overview;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.IdentitiesProfile;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** The endpoints that the console reads: overview, traffic, windows, identifiers and events. */
@QuarkusTest
@TestProfile(IdentitiesProfile.class)
@WithTestResource(RedisTestResource.class)
class OverviewApiTest extends HttpTestBase {

    private static final String ADMIN = "admin-secret";

    private HttpResponse<String> as(String token, String method, String path, String body) {
        return http.send(method, path, body, "Authorization", "Bearer " + token);
    }

    private JsonObject get(String path) {
        var response = as(ADMIN, "GET", path, null);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return new JsonObject(response.body());
    }

    private int check(String identifier, String resource, String tier) {
        return as(ADMIN, "POST", "/v1/check", new JsonObject().put("identifier", identifier).put("resource", resource)
                .put("tier", tier).encode()).statusCode();
    }

    /** Returns the row of a list with these members; null if there is none. */
    private static JsonObject row(JsonArray rows, String... members) {
        return rows.stream().map(JsonObject.class::cast).filter(row -> {
            for (int i = 0; i < members.length; i += 2) {
                if (!members[i + 1].equals(row.getString(members[i]))) {
                    return false;
                }
            }
            return true;
        }).findFirst().orElse(null);
    }

    private static long number(JsonObject row, String field) {
        return row == null ? 0 : row.getLong(field);
    }

    @Test
    void decisionsAppearInTrafficByRuleTierAndCaller() {
        var rule = row(get("/v1/traffic").getJsonArray("rules"), "rule", "api:/users", "tier", "free");
        long allowed = number(rule, "allowed");
        long denied = number(rule, "denied");
        for (int i = 0; i < 12; i++) {
            check("user:traffic", "api:/users", "free");
        }
        Polling.await().untilAsserted(() -> {
            var traffic = get("/v1/traffic?rule=api:/users");
            var now = row(traffic.getJsonArray("rules"), "rule", "api:/users", "tier", "free");
            assertThat(number(now, "allowed") - allowed).isEqualTo(10);
            assertThat(number(now, "denied") - denied).isEqualTo(2);
            assertThat(row(traffic.getJsonArray("top_denied"), "identifier", "user:traffic", "tier", "free")
                    .getLong("decisions")).isEqualTo(2);
            assertThat(traffic.getString("scope")).isEqualTo("all_instances");
            assertThat(traffic.getBoolean("top_approximate")).isTrue();
            assertThat(traffic.getJsonArray("timeline")).hasSize(60);
        });
        assertThat(get("/v1/traffic?minutes=1").getJsonArray("timeline")).hasSize(1);
        assertThat(get("/v1/traffic?rule=api:/absent").getJsonArray("rules")).isEmpty();
        assertThat(get("/v1/identifiers?contains=USER:TRAF").getJsonArray("identifiers").getJsonObject(0))
                .isEqualTo(new JsonObject().put("identifier", "user:traffic").put("tier", "free"));
        assertThat(get("/v1/identifiers?contains=absent").getJsonArray("identifiers")).isEmpty();
        assertThat(get("/v1/overview").getJsonObject("last_hour").getLong("denied")).isGreaterThanOrEqualTo(2);
    }

    @Test
    void windowsShowUseLimitAndWhenTheyFreeUp() {
        for (int i = 0; i < 11; i++) {
            check("user:windows", "api:/users", "free");
        }
        var windows = get("/v1/windows?identifier=user:windows").getJsonArray("windows");
        var window = windows.getJsonObject(0);
        assertThat(windows).hasSize(1);
        assertThat(window.getString("resource")).isEqualTo("api:/users");
        assertThat(window.getLong("used")).isEqualTo(10);
        assertThat(window.getLong("limit")).isEqualTo(10);
        assertThat(window.getBoolean("denied")).isTrue();
        assertThat(window.getLong("retry_at")).isEqualTo(window.getLong("reset_at"));
        assertThat(window.getString("source")).isEqualTo("built-in");

        var ofPro = get("/v1/windows?identifier=user:windows&tier=pro");
        assertThat(ofPro.getString("tier")).isEqualTo("pro");
        assertThat(ofPro.getJsonArray("windows").getJsonObject(0).getLong("limit")).isEqualTo(50);
        assertThat(get("/v1/limits?identifier=user:windows").getJsonObject("limits").getLong("api:/users")).isEqualTo(10);
        assertThat(get("/v1/windows?identifier=user:absent").getJsonArray("windows")).isEmpty();
    }

    private HttpResponse<String> lease(String identifier) {
        return as(ADMIN, "POST", "/v1/leases", new JsonObject().put("identifier", identifier).put("resource", "exports")
                .put("limit", 2).put("ttl_seconds", 60).encode());
    }

    @Test
    void leasesAreShownAndFreed() {
        var lease = new JsonObject(lease("job").body()).getString("lease");
        assertThat(lease("job").statusCode()).isEqualTo(201);
        assertThat(lease("job").statusCode()).isEqualTo(429);
        var windows = get("/v1/windows?identifier=job").getJsonArray("windows");
        assertThat(windows).hasSize(1);
        assertThat(windows.getJsonObject(0)).isEqualTo(new JsonObject().put("resource", "exports").put("used", 2)
                .put("unit", "concurrent_requests"));
        assertThat(get("/v1/windows?identifier=other").getJsonArray("windows")).isEmpty();

        assertThat(as(ADMIN, "DELETE", "/v1/limits?identifier=job", null).statusCode()).isEqualTo(204);

        assertThat(get("/v1/windows?identifier=job").getJsonArray("windows")).isEmpty();
        assertThat(as(ADMIN, "PUT", "/v1/leases/" + lease, null).statusCode()).isEqualTo(404);
        assertThat(lease("job").statusCode()).isEqualTo(201);
        assertThat(as(ADMIN, "DELETE", "/v1/limits?identifier=job&resource=exports", null).statusCode()).isEqualTo(204);
        assertThat(get("/v1/windows?identifier=job").getJsonArray("windows")).isEmpty();
    }

    @Test
    void windowsOfAStoredIdentityHaveItsOwnLimitsAndTier() {
        as(ADMIN, "PUT", "/v1/users/windowed", "{\"tier\":\"enterprise\",\"limits\":{\"api\":\"7/hour\"}}");
        check("user:windowed", "api:/users", "enterprise");
        as(ADMIN, "POST", "/v1/check", "{\"identifier\":\"user:windowed\",\"resource\":\"own\",\"rate\":\"3/minute\"}");
        var found = get("/v1/windows?identifier=user:windowed");
        assertThat(found.getString("tier")).isEqualTo("enterprise");
        var windows = found.getJsonArray("windows");
        assertThat(row(windows, "resource", "api").getLong("limit")).isEqualTo(7);
        assertThat(row(windows, "resource", "api").getString("source")).isEqualTo("identity");
        assertThat(row(windows, "resource", "api:/users").getLong("limit")).isEqualTo(500);
        assertThat(row(windows, "resource", "own").getLong("used")).isEqualTo(1);

        as(ADMIN, "PUT", "/v1/users/windowed", "{\"limits\":{\"api\":\"blocked\",\"endpoints\":{\"/x\":\"unlimited\"}}}");
        assertThat(row(get("/v1/windows?identifier=user:windowed").getJsonArray("windows"), "resource", "api"))
                .isEqualTo(new JsonObject().put("resource", "api").put("used", 0).put("limit", 0).put("denied", true)
                        .put("source", "identity"));
        as(ADMIN, "DELETE", "/v1/users/windowed", null);
    }

    @Test
    void windowsOfAMemberHaveTheLimitsForMembers() {
        as(ADMIN, "PUT", "/v1/teams/windowed", "{\"limits\":{\"api\":\"9/hour\"},\"member_limits\":{\"api\":\"2/hour\"}}");
        var member = "team:windowed/user:una";
        for (int i = 0; i < 2; i++) {
            as(ADMIN, "POST", "/v1/check",
                    new JsonObject().put("identifier", member).put("resource", "api").put("rate", "2/hour").encode());
        }
        var window = row(get("/v1/windows?identifier=" + member).getJsonArray("windows"), "resource", "api");
        assertThat(window.getLong("limit")).isEqualTo(2);
        assertThat(window.getLong("used")).isEqualTo(2);
        assertThat(window.getBoolean("denied")).isTrue();
        assertThat(window.getString("source")).isEqualTo("identity");
        assertThat(row(get("/v1/windows?identifier=team:windowed").getJsonArray("windows"), "resource", "api").getLong("limit"))
                .isEqualTo(9);
        as(ADMIN, "DELETE", "/v1/teams/windowed", null);
    }

    @Test
    void rulesThatBlockTheTierAreListed() {
        checkRate("blocked-by-rule", "export", "1/hour");
        assertThat(check("blocked-by-rule", "api:/closed", "pro")).isEqualTo(200);
        assertThat(check("blocked-by-rule", "api:/closed", "enterprise")).isEqualTo(429);
        Polling.await().untilAsserted(() -> {
            var windows = get("/v1/windows?identifier=blocked-by-rule&tier=enterprise").getJsonArray("windows");
            assertThat(windows.getJsonObject(0).getString("resource")).as("the full window first").isEqualTo("export");
            assertThat(row(windows, "resource", "api:/closed").getMap()).containsEntry("limit", 0).containsEntry("used", 0)
                    .containsEntry("denied", true).containsKey("source").doesNotContainKeys("shadow", "window_seconds");
            assertThat(row(windows, "resource", "api:/closed-soon").getBoolean("shadow")).isTrue();
        });
        assertThat(get("/v1/windows?identifier=blocked-by-rule&tier=pro").getJsonArray("windows").encode())
                .contains("api:/closed").doesNotContain("closed-soon");
        assertThat(get("/v1/windows?identifier=team:absent&tier=enterprise").getJsonArray("windows")).isEmpty();
    }

    private int checkRate(String identifier, String resource, String rate) {
        return as(ADMIN, "POST", "/v1/check", new JsonObject().put("identifier", identifier).put("resource", resource)
                .put("rate", rate).encode()).statusCode();
    }

    private static JsonObject window(JsonObject found, String resource, long seconds) {
        return found.getJsonArray("windows").stream().map(JsonObject.class::cast).filter(
                window -> resource.equals(window.getString("resource")) && seconds == window.getLong("window_seconds", 0L))
                .findFirst().orElse(new JsonObject());
    }

    @Test
    void windowsOfRatesThatCameWithChecksAreShownWithTheirLimits() {
        for (int i = 0; i < 4; i++) {
            checkRate("customer", "export", "3/hour;20/day");
        }
        checkRate("customer", "api:/users", "100/hour");
        checkRate("customer", "quota", "7/calendar-month");
        Polling.await().untilAsserted(() -> {
            var found = get("/v1/windows?identifier=customer");
            var hour = window(found, "export", 3600);
            assertThat(hour.getLong("used")).isEqualTo(3);
            assertThat(hour.getLong("limit")).isEqualTo(3);
            assertThat(hour.getBoolean("denied")).isTrue();
            assertThat(hour.getLong("retry_at")).isNotNull();
            assertThat(hour.getString("source")).isEqualTo("check");
            assertThat(window(found, "export", 86_400).getLong("limit")).isEqualTo(20);
            assertThat(window(found, "api:/users", 3600).getLong("limit")).as("beside the rule of the resource").isEqualTo(100);
            assertThat(window(found, "api:/users", 60).getString("source")).isEqualTo("built-in");
            var month = row(found.getJsonArray("windows"), "period", "calendar-month");
            assertThat(month.getLong("used")).isEqualTo(1);
            assertThat(month.getLong("limit")).isEqualTo(7);
        });
        assertThat(get("/v1/windows?identifier=customer").getJsonArray("windows")).hasSize(5);
        as(ADMIN, "DELETE", "/v1/limits?identifier=customer", null);
        assertThat(get("/v1/windows?identifier=customer").getJsonArray("windows")).isEmpty();
    }

    @Test
    void everyWindowOfChecksThatAreDecidedTogetherIsShownWithItsLimit() {
        var checks = new JsonArray().add(new JsonObject().put("identifier", "joint-org").put("resource", "api:/users")
                .put("tier", "free"));
        for (var identifier : List.of("joint-team", "joint-user")) {
            for (var resource : List.of("export", "import")) {
                checks.add(new JsonObject().put("identifier", identifier).put("resource", resource).put("rate", "3/hour"));
            }
        }
        assertThat(as(ADMIN, "POST", "/v1/check", new JsonObject().put("checks", checks).encode()).statusCode()).isEqualTo(200);
        Polling.await().untilAsserted(() -> {
            for (var identifier : List.of("joint-team", "joint-user")) {
                var found = get("/v1/windows?identifier=" + identifier);
                for (var resource : List.of("export", "import")) {
                    assertThat(window(found, resource, 3600).getMap()).as(identifier).containsEntry("limit", 3)
                            .containsEntry("used", 1).containsEntry("source", "check");
                }
            }
        });
    }

    @Test
    void fullWindowOfAShadowRuleDeniesNothing() {
        for (int i = 0; i < 3; i++) {
            assertThat(check("user:shadowed", "api:/shadowed", "free")).isEqualTo(200);
        }
        var window = get("/v1/windows?identifier=user:shadowed").getJsonArray("windows").getJsonObject(0);
        assertThat(window.getBoolean("denied")).isTrue();
        assertThat(window.getBoolean("shadow")).isTrue();
    }

    @Test
    void tierOfAKeyOfTheSettingsIsThatOfItsUser() {
        assertThat(get("/v1/windows?identifier=user:kim").getString("tier")).isEqualTo("pro");
        assertThat(get("/v1/windows?identifier=user:bob").getString("tier")).isEqualTo("free");
    }

    @Test
    void overviewShowsStoreDecisionsSpendAndWhatTheTokenMayDo() {
        var overview = get("/v1/overview");
        assertThat(overview.getJsonObject("access"))
                .isEqualTo(new JsonObject().put("token", "admin-token").put("scope", "write"));
        assertThat(overview.getJsonObject("store").getString("mode")).isEqualTo("redis");
        assertThat(overview.getJsonObject("llm").getJsonObject("month").getString("cost_usd")).isNotNull();
        var ofReader = new JsonObject(as("dashboard-secret", "GET", "/v1/overview", null).body());
        assertThat(ofReader.getJsonObject("access").getString("scope")).isEqualTo("read");
        assertThat(ofReader.getJsonObject("last_hour")).isNotNull();
    }

    @Test
    void tokenOfATeamSeesOnlyItsAccessAndTheSpendOfTheTeam() {
        var overview = new JsonObject(as("search-read-secret", "GET", "/v1/overview", null).body());
        assertThat(overview.fieldNames()).containsExactlyInAnyOrder("access", "llm");
        assertThat(overview.getJsonObject("access").getString("team")).isEqualTo("search");
        for (var path : List.of("/v1/traffic", "/v1/windows?identifier=a", "/v1/identifiers", "/v1/events")) {
            assertThat(as("search-read-secret", "GET", path, null).statusCode()).as(path).isEqualTo(403);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/overview", "/v1/traffic", "/v1/windows?identifier=a", "/v1/identifiers", "/v1/events"})
    void adminTokenIsRequired(String path) {
        assertThat(http.get(path).statusCode()).isEqualTo(403);
        assertThat(as("unknown", "GET", path, null).statusCode()).isEqualTo(401);
        assertThat(as(ADMIN, "POST", path, "{}").statusCode()).isEqualTo(405);
    }

    @ParameterizedTest
    @CsvSource({"/v1/traffic?minutes=0, minutes", "/v1/traffic?minutes=1441, minutes", "/v1/traffic?rule=, rule",
            "/v1/windows, identifier", "/v1/windows?identifier=a&tier=absent, tier", "/v1/identifiers?limit=101, limit",
            "/v1/overview?x=1, query", "/v1/events?x=1, query"})
    void errorsNameTheParameter(String path, String field) {
        var response = as(ADMIN, "GET", path, null);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
        assertThat(new JsonObject(response.body()).getJsonObject("error").getJsonObject("details").getString("field"))
                .isEqualTo(field);
    }

    @Test
    void eventsAreStreamedAndBounded() throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/events"))
                .header("Authorization", "Bearer " + ADMIN).build();
        var open = new ArrayList<InputStream>();
        try {
            for (int i = 0; i < EventStreams.MAX_STREAMS; i++) {
                var response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(response.headers().firstValue("Content-Type")).contains("text/event-stream");
                open.add(response.body());
            }
            var refused = client.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.body()).contains("RATE_5033");

            var reader = new BufferedReader(new InputStreamReader(open.get(0), StandardCharsets.UTF_8));
            var data = reader.lines().filter(line -> line.startsWith("data: ")).limit(2)
                    .map(line -> new JsonObject(line.substring(6))).toList();
            assertThat(data.get(0).getString("mode")).isEqualTo("redis");
            assertThat(data.get(0).getLong("in_flight")).isNotNegative();
            assertThat(data.get(1).getDouble("allowed_per_second")).isNotNegative();
        } finally {
            for (var stream : open) {
                stream.close();
            }
        }
        // A closed connection makes room again.
        Polling.await().untilAsserted(() -> {
            var response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            response.body().close();
            assertThat(response.statusCode()).isEqualTo(200);
        });
    }
}
