package dev.sluice.service.api.identities;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.IdentitiesProfile;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Permissions of admin tokens that have a scope. */
@QuarkusTest
@TestProfile(IdentitiesProfile.class)
@WithTestResource(RedisTestResource.class)
class AdminScopesTest extends IdentitiesTestBase {

    private static final String READER = "dashboard-secret";
    private static final String WRITER = "portal-secret";
    private static final String TEAM_READER = "search-read-secret";
    private static final String TEAM_WRITER = "search-write-secret";

    private String ownKey;
    private String foreignKey;

    @BeforeEach
    void createTeams() {
        call("PUT", "/v1/teams/search", "{\"org\":\"acme\",\"limits\":{\"api\":\"10/minute\"}}");
        call("PUT", "/v1/teams/ads", "{\"org\":\"acme\"}");
        call("PUT", "/v1/orgs/acme", "{}");
        call("PUT", "/v1/users/alice", "{\"teams\":[\"search\"]}");
        call("PUT", "/v1/users/both", "{\"teams\":[\"search\",\"ads\"]}");
        call("PUT", "/v1/users/eve", "{\"teams\":[\"ads\"]}");
        ownKey = "/v1/keys/" + createKey("{\"team\":\"search\"}").getString("id");
        foreignKey = "/v1/keys/" + createKey("{\"team\":\"ads\",\"user\":\"eve\"}").getString("id");
    }

    private static void assertForbidden(java.net.http.HttpResponse<String> response, String message) {
        assertError(response, 403, "RATE_4031");
        assertThat(HttpTestClient.error(response).getString("message")).contains(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/keys", "/v1/users/alice", "/v1/teams", "/v1/orgs/acme", "/v1/audit", "/v1/rules", "/v1/prices",
            "/v1/limits?identifier=a", "/v1/usage?identifier=a&resource=b&window_seconds=60", "/v1/llm/usage?identifier=a"})
    void readScopeReads(String path) {
        assertThat(as(READER, "GET", path, null).statusCode()).isEqualTo(200);
        assertThat(as(WRITER, "GET", path, null).statusCode()).isEqualTo(200);
        assertThat(as("unknown", "GET", path, null).statusCode()).isEqualTo(401);
        assertThat(http.get(path).statusCode()).isEqualTo(403);
    }

    @Test
    void readScopeChangesNothing() {
        assertForbidden(as(READER, "POST", "/v1/keys", "{}"), "scope write; the scope of this token is read");
        for (var method : List.of("PUT", "PATCH", "DELETE")) {
            assertForbidden(as(READER, method, "/v1/users/alice", "{}"), "scope write");
            assertForbidden(as(TEAM_READER, method, "/v1/users/alice", "{}"), "scope write");
        }
        assertForbidden(as(READER, "POST", ownKey + "/rotate", "{}"), "scope write");
        assertForbidden(as(READER, "DELETE", "/v1/limits?identifier=a", null), "scope write");
        assertForbidden(as(READER, "GET", "/v1/export", null), "scope write");
        assertForbidden(as(READER, "POST", "/v1/import", ""), "scope write");
        assertThat(ok(get("/v1/users/alice")).getJsonArray("teams")).hasSize(1);
    }

    @Test
    void writeScopeChanges() {
        var created = as(WRITER, "POST", "/v1/keys", "{\"team\":\"search\"}");
        assertThat(created.statusCode()).isEqualTo(201);
        assertThat(as(WRITER, "DELETE", "/v1/keys/" + ok(created).getString("id"), null).statusCode()).isEqualTo(204);
        assertThat(ok(get("/v1/audit?limit=1")).getJsonArray("entries").getJsonObject(0).getString("token"))
                .isEqualTo("portal");
        assertThat(as(WRITER, "DELETE", "/v1/limits?identifier=a", null).statusCode()).isEqualTo(204);
        assertThat(as(WRITER, "GET", "/v1/export", null).statusCode()).isEqualTo(200);
    }

    @Test
    void decisionsRequireAnotherToken() {
        var check = "{\"identifier\":\"user:x\",\"resource\":\"r\",\"rate\":\"9/minute\"}";
        for (var token : List.of(READER, WRITER, TEAM_WRITER)) {
            assertForbidden(as(token, "POST", "/v1/check", check), "not for this endpoint");
        }
        assertThat(call("POST", "/v1/check", check).statusCode()).isEqualTo(200);
        assertThat(as("api-secret", "POST", "/v1/check", check).statusCode()).isEqualTo(200);
        assertError(as("api-secret", "GET", "/v1/keys", null), 403, "RATE_4031");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/orgs", "/v1/orgs/acme", "/v1/audit", "/v1/rules", "/v1/prices", "/v1/limits?identifier=a",
            "/v1/usage?identifier=a&resource=b&window_seconds=60", "/v1/llm/usage?identifier=a", "/v1/export"})
    void teamTokenSeesNoOtherEndpoint(String path) {
        assertError(as(TEAM_WRITER, "GET", path, null), 403, "RATE_4031");
    }

    @Test
    void teamTokenReadsItsTeamOnly() {
        for (var token : List.of(TEAM_READER, TEAM_WRITER)) {
            assertThat(ok(as(token, "GET", "/v1/keys", null)).getJsonArray("keys")).hasSize(1);
            assertThat(ok(as(token, "GET", "/v1/keys?user=eve", null)).getJsonArray("keys")).isEmpty();
            assertThat(ok(as(token, "GET", "/v1/users", null)).getJsonArray("users").stream()
                    .map(user -> ((JsonObject) user).getString("name"))).containsExactly("alice", "both");
            assertThat(ok(as(token, "GET", "/v1/teams", null)).getJsonArray("teams").stream()
                    .map(team -> ((JsonObject) team).getString("name"))).containsExactly("search");
            assertThat(ok(as(token, "GET", "/v1/teams?prefix=a", null)).getJsonArray("teams")).isEmpty();
            for (var path : List.of(foreignKey, "/v1/users/eve", "/v1/teams/ads", "/v1/users/nobody", "/v1/keys?team=ads")) {
                assertError(as(token, "GET", path, null), 404, "RATE_4041");
            }
            assertThat(as(token, "GET", "/v1/users/both", null).statusCode()).isEqualTo(200);
            assertThat(as(token, "GET", ownKey, null).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void teamTokenManagesTheKeysOfItsTeam() {
        var created = ok(as(TEAM_WRITER, "POST", "/v1/keys", "{\"user\":\"alice\"}"));
        assertThat(created.getString("team")).isEqualTo("search");
        var path = "/v1/keys/" + created.getString("id");
        assertThat(as(TEAM_WRITER, "PATCH", path, "{\"disabled\":true}").statusCode()).isEqualTo(200);
        assertThat(as(TEAM_WRITER, "POST", path + "/rotate", "").statusCode()).isEqualTo(200);
        assertForbidden(as(TEAM_WRITER, "PATCH", path, "{\"team\":\"ads\"}"), "another team");
        assertForbidden(as(TEAM_WRITER, "PATCH", path, "{\"team\":null}"), "another team");
        assertForbidden(as(TEAM_WRITER, "PATCH", path, "{\"user\":\"eve\"}"), "no member");
        assertForbidden(as(TEAM_WRITER, "POST", "/v1/keys", "{\"user\":\"unknown\"}"), "no member");
        assertForbidden(as(TEAM_WRITER, "POST", "/v1/keys", "{\"team\":\"ads\"}"), "another team");
        assertThat(as(TEAM_WRITER, "DELETE", path, null).statusCode()).isEqualTo(204);
        for (var method : List.of("PATCH", "DELETE")) {
            assertError(as(TEAM_WRITER, method, foreignKey, "{}"), 404, "RATE_4041");
            assertError(as(TEAM_WRITER, method, foreignKey, "{}", "If-Match", "\"1\""), 404, "RATE_4041");
        }
        assertError(as(TEAM_WRITER, "POST", foreignKey + "/rotate", ""), 404, "RATE_4041");
    }

    @Test
    void teamTokenManagesMembers() {
        for (var absent : List.of("/v1/users/new", "/v1/teams/new")) { // as those of others: what exists is not told
            assertError(as(TEAM_WRITER, "PUT", absent, "{}"), 404, "RATE_4041");
            assertError(as(TEAM_WRITER, "PUT", absent, "{}", "If-Match", "\"1\""), 404, "RATE_4041");
            assertError(as(TEAM_WRITER, "PUT", absent, "{}", "If-None-Match", "*"), 404, "RATE_4041");
        }
        assertThat(call("PUT", "/v1/users/new", "{\"teams\":[\"search\"]}").statusCode()).isEqualTo(201);
        assertThat(as(TEAM_WRITER, "PUT", "/v1/users/new", "{\"teams\":[\"search\"],\"tier\":\"pro\"}").statusCode())
                .isEqualTo(200);
        assertThat(ok(as(TEAM_WRITER, "GET", "/v1/users/new", null)).fieldNames()).doesNotContain("spend", "used");
        assertThat(as(TEAM_WRITER, "GET", "/v1/users?used=true&prefix=new", null).body()).contains("\"new\"")
                .doesNotContain("\"used\"");
        assertForbidden(as(TEAM_WRITER, "PATCH", "/v1/users/new", "{\"teams\":null}"), "other teams, or of none");
        assertForbidden(as(TEAM_WRITER, "PATCH", "/v1/users/new", "{\"teams\":[\"search\",\"ads\"]}"), "other teams");
        assertForbidden(as(TEAM_WRITER, "PATCH", "/v1/users/both", "{\"tier\":\"pro\"}"), "other teams too");
        assertForbidden(as(TEAM_WRITER, "DELETE", "/v1/users/both", null), "other teams too");
        assertError(as(TEAM_WRITER, "PUT", "/v1/users/eve", "{\"teams\":[\"search\"]}"), 404, "RATE_4041");
        assertError(as(TEAM_WRITER, "PUT", "/v1/users/eve", "{\"teams\":[\"search\"]}", "If-None-Match", "*"), 404,
                "RATE_4041");
        assertThat(as(TEAM_WRITER, "DELETE", "/v1/users/new", null).statusCode()).isEqualTo(204);
    }

    @Test
    void teamTokenDoesNotRaiseItsLimits() {
        var path = "/v1/teams/search";
        assertThat(as(TEAM_WRITER, "PATCH", path, "{\"metadata\":{\"a\":1},\"member_limits\":{\"api\":\"1/minute\"}}")
                .statusCode())
                .isEqualTo(200);
        for (var patch : List.of("{\"limits\":null}", "{\"limits\":{\"api\":\"99/minute\"}}", "{\"org\":null}",
                "{\"org\":\"other\"}", "{\"models\":[\"*\"]}")) {
            assertForbidden(as(TEAM_WRITER, "PATCH", path, patch), "limits the team");
        }
        assertForbidden(as(TEAM_WRITER, "PUT", path, "{}"), "limits the team");
        assertForbidden(as(TEAM_WRITER, "DELETE", path + "?cascade=true", null), "cannot be deleted");
        assertError(as(TEAM_WRITER, "PUT", "/v1/teams/ads", "{}"), 404, "RATE_4041");
        assertForbidden(as(TEAM_WRITER, "PUT", "/v1/orgs/acme", "{}"), "belong to no team");
        assertThat(ok(get(path)).getJsonObject("limits").getString("api")).isEqualTo("10/minute");
    }
}
