package dev.sluice.service.api.identities;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.IdentitiesProfile;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Endpoints of keys. */
@QuarkusTest
@TestProfile(IdentitiesProfile.class)
@WithTestResource(RedisTestResource.class)
class KeysApiTest extends IdentitiesTestBase {

    private static final String FULL = """
            {"name": "CI of search", "user": "alice", "team": "search", "tier": "pro", "expires_at": "2099-01-31T00:00:00+01:00",
             "models": ["gpt-4o*"], "metadata": {"cost-centre": 17, "note": "\\u00e9"}, "disabled": false,
             "limits": {"api": "1000/hour", "llm": {"requests": "60/minute", "tokens": "100000/minute", "budget": "0.50/hour"},
                        "endpoints": {"POST /reports": "5/minute"}, "models": {"gpt-4o": {"requests": "10/minute"}}},
             "alerts": {"url": "https://example.com/hook", "thresholds": [50, 100]}}""";

    @Test
    void createdKeyIsShownOnce() {
        var response = call("POST", "/v1/keys", FULL);
        var created = ok(response);
        assertThat(response.statusCode()).isEqualTo(201);
        assertThat(HttpTestClient.header(response, "Location")).isEqualTo("/v1/keys/" + created.getString("id"));
        assertThat(HttpTestClient.header(response, "Cache-Control")).isEqualTo("no-store");
        var text = (String) created.remove("key");
        assertThat(text).matches("sk-sluice-[A-Za-z0-9]{32}").startsWith(created.getString("prefix"));
        assertThat(created.getString("prefix")).hasSize(14);
        assertThat(created.getString("expires_at")).isEqualTo("2099-01-30T23:00:00Z");
        assertThat(created.getJsonObject("limits").getJsonObject("llm").getString("budget")).isEqualTo("0.50/hour");

        var read = get("/v1/keys/" + created.getString("id"));
        assertThat(withoutUsage(ok(read))).isEqualTo(created);
        assertThat(tag(read)).isEqualTo(tag(response)).matches("\"[0-9]+-[0-9a-z]+\"");
        assertThat(ok(get("/v1/keys")).getJsonArray("keys")).isEqualTo(new JsonArray().add(created));
        for (var body : List.of(read.body(), get("/v1/keys").body(), get("/v1/audit").body())) {
            assertThat(body).doesNotContain(text, Sha256.hex(text), "hashes", "sha256");
        }
    }

    @Test
    void organisationIsThatOfTheTeam() {
        call("PUT", "/v1/teams/search", "{\"org\":\"acme\"}");
        var key = createKey("{\"team\":\"search\"}");
        assertThat(key.getString("org")).isEqualTo("acme");
        createKey("{\"team\":\"unknown\"}");
        assertThat(ok(get("/v1/keys")).getJsonArray("keys").stream().map(JsonObject.class::cast)
                .map(listed -> listed.getString("org"))).containsExactly(null, "acme");
        assertThat(ok(get("/v1/keys?org=acme")).getJsonArray("keys")).hasSize(1);
    }

    @Test
    void patchMerges() {
        var id = createKey(FULL).getString("id");
        var path = "/v1/keys/" + id;
        var patched = ok(call("PATCH", path, "{\"disabled\":true,\"limits\":{\"api\":null,\"llm\":{\"budget\":\"1/day\"}},"
                + "\"metadata\":{\"note\":null},\"user\":null,\"expires_at\":null}", "Content-Type",
                "application/merge-patch+json"));
        assertThat(patched.getBoolean("disabled")).isTrue();
        assertThat(patched.getJsonObject("limits").fieldNames()).containsExactlyInAnyOrder("llm", "endpoints", "models");
        assertThat(patched.getJsonObject("limits").getJsonObject("llm")).isEqualTo(new JsonObject()
                .put("requests", "60/minute").put("tokens", "100000/minute").put("budget", "1/day"));
        assertThat(patched.getJsonObject("metadata")).isEqualTo(new JsonObject().put("cost-centre", 17));
        assertThat(patched.fieldNames()).doesNotContain("user", "expires_at");
        assertThat(withoutUsage(ok(get(path)))).isEqualTo(patched);
        assertThat(ok(get("/v1/keys?disabled=true")).getJsonArray("keys")).hasSize(1);
        assertThat(ok(get("/v1/keys?disabled=false")).getJsonArray("keys")).isEmpty();
        assertThat(ok(get("/v1/keys?user=alice")).getJsonArray("keys")).isEmpty();

        var entry = ok(get("/v1/audit?limit=1")).getJsonArray("entries").getJsonObject(0);
        assertThat(entry.getString("action")).isEqualTo("key.update");
        assertThat(entry.getString("subject")).isEqualTo("key:" + id);
        assertThat(entry.getString("token")).isEqualTo("admin-token");
        assertThat(entry.getJsonArray("changed")).isEqualTo(new JsonArray(List.of("/disabled", "/expires_at", "/limits/api",
                "/limits/llm/budget", "/metadata/note", "/user")));
        assertThat(entry.fieldNames()).contains("id", "timestamp");
    }

    @Test
    void patchWithoutEffectIsNoChange() {
        var created = call("POST", "/v1/keys", FULL);
        var path = "/v1/keys/" + ok(created).getString("id");
        var before = ok(get("/v1/audit")).getJsonArray("entries");
        for (var patch : List.of("{}", "{\"tier\":\"pro\"}", "{\"metadata\":{\"absent\":null}}")) {
            assertThat(tag(call("PATCH", path, patch))).as(patch).isEqualTo(tag(created));
        }
        assertThat(ok(get("/v1/audit")).getJsonArray("entries")).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
            "{\"colour\":1}|/colour", "{\"a/b~c\":1}|/a~1b~0c", "{\"id\":\"x\"}|/id", "{\"prefix\":\"x\"}|/prefix",
            "{\"hashes\":[]}|/hashes", "{\"created_at\":\"x\"}|/created_at", "{\"org\":\"x\"}|/org", "{\"teams\":[]}|/teams",
            "{\"member_limits\":{}}|/member_limits", "{\"name\":5}|/name", "{\"name\":\"\"}|/name", "{\"name\":\" x\"}|/name",
            "{\"name\":\"a\\nb\"}|/name", "{\"user\":\"a/b\"}|/user", "{\"user\":\"..\"}|/user",
            "{\"user\":\"a\\u202eb\"}|/user",
            "{\"user\":\"a\\ud800\"}|/user", "{\"team\":[]}|/team", "{\"tier\":\"gold\"}|/tier", "{\"tier\":1}|/tier",
            "{\"expires_at\":\"tomorrow\"}|/expires_at", "{\"expires_at\":1}|/expires_at",
            "{\"expires_at\":\"2099-02-30T00:00:00Z\"}|/expires_at", "{\"expires_at\":\"+99999-01-01T00:00:00Z\"}|/expires_at",
            "{\"expires_at\":\"2099-01-01\"}|/expires_at", "{\"models\":[]}|/models", "{\"models\":\"gpt\"}|/models",
            "{\"models\":[\"g*t\"]}|/models/0", "{\"models\":[\"gpt\",\"\"]}|/models/1", "{\"disabled\":\"true\"}|/disabled",
            "{\"disabled\":1}|/disabled", "{\"metadata\":[]}|/metadata", "{\"metadata\":{\"n\":1e999}}|/metadata/n",
            "{\"metadata\":{\"n\":1e301}}|/metadata/n",
            "{\"metadata\":{\"a\":[{\"x\":\"\\udc00\"}]}}|/metadata/a/0/x",
            "{\"limits\":5}|/limits", "{\"limits\":{\"x\":1}}|/limits/x", "{\"limits\":{\"api\":5}}|/limits/api",
            "{\"limits\":{\"api\":\"much\"}}|/limits/api", "{\"limits\":{\"llm\":{\"budget\":\"x/day\"}}}|/limits/llm/budget",
            "{\"limits\":{\"llm\":{\"cost\":\"1/day\"}}}|/limits/llm/cost", "{\"limits\":{\"llm\":\"1/day\"}}|/limits/llm",
            "{\"limits\":{\"endpoints\":{\"reports\":\"5/minute\"}}}|/limits/endpoints/reports",
            "{\"limits\":{\"endpoints\":{\"/r/*\":\"5/minute\"}}}|/limits/endpoints/~1r~1*",
            "{\"limits\":{\"endpoints\":{\"HEAD /r\":\"5/minute\"}}}|/limits/endpoints/HEAD ~1r",
            "{\"limits\":{\"endpoints\":{\"/r\":\"5\"}}}|/limits/endpoints/~1r",
            "{\"limits\":{\"models\":{\"gpt\":\"5/day\"}}}|/limits/models/gpt",
            "{\"limits\":{\"models\":{\"gpt\":{\"tokens\":\"5\"}}}}|/limits/models/gpt/tokens",
            "{\"alerts\":{\"url\":\"ftp://x\"}}|/alerts/url", "{\"alerts\":{\"url\":\"https://u:p@x/\"}}|/alerts/url",
            "{\"alerts\":{\"thresholds\":[0]}}|/alerts/thresholds", "{\"alerts\":{\"thresholds\":[50,50]}}|/alerts/thresholds",
            "{\"alerts\":{\"secret\":1}}|/alerts/secret", "{\"tier\":\"pro\",\"tier\":\"pro\"}|body", "[]|body", "null|body",
            "{}{}|body", "nonsense|body", "|body", "{\"metadata\":{\"a\":1,\"a\":2}}|body", "{\"metadata\":NaN}|body"})
    void invalidFieldsAreNamed(String body, String field) {
        assertInvalid(call("POST", "/v1/keys", body == null ? "" : body), field);
        var id = createKey("{}").getString("id");
        assertInvalid(call("PATCH", "/v1/keys/" + id, body == null ? "" : body), field);
        assertThat(ok(get("/v1/keys")).getJsonArray("keys")).hasSize(1);
    }

    @Test
    void sizeAndDepthAreBounded() {
        assertInvalid(call("POST", "/v1/keys", "{\"metadata\":" + "{\"a\":".repeat(5000) + "1" + "}".repeat(5001)), "body");
        assertInvalid(call("POST", "/v1/keys", "{\"metadata\":{\"a\":" + "[".repeat(30) + "]".repeat(30) + "}}"), "body");
        assertInvalid(call("POST", "/v1/keys", "{\"metadata\":{\"a\":" + "9".repeat(5000) + "}}"), "body");
        assertInvalid(call("POST", "/v1/keys", "{\"metadata\":{\"a\":\"" + "x".repeat(4096) + "\"}}"), "/metadata");
        assertThat(call("POST", "/v1/keys", "{\"metadata\":{\"a\":\"" + "x".repeat(4086) + "\"}}").statusCode()).isEqualTo(201);
        assertError(call("POST", "/v1/keys", " ".repeat(65537)), 413, "RATE_4131");
        var id = createKey("{\"metadata\":{\"a\":\"" + "x".repeat(2500) + "\"}}").getString("id");
        assertInvalid(call("PATCH", "/v1/keys/" + id, "{\"metadata\":{\"b\":\"" + "x".repeat(2500) + "\"}}"), "/metadata");
    }

    @Test
    void rotationKeepsTheEarlierTextForTheGracePeriod() {
        var created = createKey("{\"team\":\"search\"}");
        var path = "/v1/keys/" + created.getString("id") + "/rotate";
        var response = call("POST", path, "{\"grace_seconds\":3600}");
        assertThat(response.statusCode()).isEqualTo(200);
        var rotated = ok(response);
        assertThat(rotated.getString("id")).isEqualTo(created.getString("id"));
        assertThat(rotated.getString("key")).isNotEqualTo(created.getString("key")).startsWith(rotated.getString("prefix"));
        var again = ok(call("POST", path, ""));
        assertThat(again.getString("key")).isNotEqualTo(rotated.getString("key"));
        var entry = ok(get("/v1/audit?limit=1")).getJsonArray("entries").getJsonObject(0);
        assertThat(entry.getString("action")).isEqualTo("key.rotate");
        assertThat(entry.getJsonArray("changed")).isEqualTo(new JsonArray(List.of("/prefix")));
        for (var body : List.of("{\"grace_seconds\":-1}", "{\"grace_seconds\":2592001}", "{\"grace_seconds\":1.5}",
                "{\"grace_seconds\":\"1\"}", "{\"grace_seconds\":99999999999}")) {
            assertInvalid(call("POST", path, body), "/grace_seconds");
        }
        assertInvalid(call("POST", path, "{\"grace\":1}"), "/grace");
        assertError(call("POST", "/v1/keys/unknown/rotate", ""), 404, "RATE_4041");
    }

    @Test
    void listIsPagedNewestFirst() {
        var ids = new java.util.ArrayList<String>();
        for (int i = 0; i < 7; i++) {
            ids.add(0, createKey("{\"user\":\"" + (i % 2 == 0 ? "alice" : "bob") + "\"}").getString("id"));
        }
        var seen = new java.util.ArrayList<String>();
        var cursor = "";
        do {
            var page = ok(get("/v1/keys?limit=2" + cursor));
            page.getJsonArray("keys").forEach(key -> seen.add(((JsonObject) key).getString("id")));
            cursor = page.getString("next_cursor") == null ? null : "&cursor=" + page.getString("next_cursor");
        } while (cursor != null);
        assertThat(seen).isEqualTo(ids);
        assertThat(ok(get("/v1/keys?user=alice")).getJsonArray("keys")).hasSize(4);

        var next = ok(get("/v1/keys?limit=2")).getString("next_cursor");
        assertInvalid(get("/v1/keys?user=alice&cursor=" + next), "cursor");
        for (var forged : List.of("x", "", "%00", "AAAA", next + "x", next.substring(1), "a".repeat(5000))) {
            assertInvalid(get("/v1/keys?cursor=" + forged), "cursor");
        }
    }

    @Test
    void parametersAreValidated() {
        for (var limit : List.of("0", "1001", "-1", "x", "", "99999999999999999999")) {
            assertInvalid(get("/v1/keys?limit=" + limit), "limit");
        }
        assertInvalid(get("/v1/keys?teams=x"), "query");
        assertInvalid(get("/v1/keys?prefix=x"), "query");
        assertInvalid(get("/v1/keys?used=yes"), "used");
        assertInvalid(get("/v1/keys?used=true&limit=101"), "limit");
        assertInvalid(get("/v1/keys?team=a%2Fb"), "team");
        assertInvalid(get("/v1/keys?disabled=yes"), "disabled");
        assertInvalid(get("/v1/keys?user=a&user=b"), "user");
        assertInvalid(call("POST", "/v1/keys?x=1", "{}"), "query");
        assertInvalid(call("DELETE", "/v1/keys/abc?cascade=true", null), "query");
        assertInvalid(get("/v1/audit?team=x"), "query");
        assertInvalid(get("/v1/audit?cursor=x"), "cursor");
    }

    @Test
    void unknownKeysAreNotFound() {
        for (var id : List.of("unknown", "a%2Fb", "%00", "x".repeat(100), "a%20b")) {
            assertThat(get("/v1/keys/" + id).statusCode()).as(id).isEqualTo(404);
            assertThat(call("PATCH", "/v1/keys/" + id, "{}").statusCode()).as(id).isEqualTo(404);
            assertThat(call("DELETE", "/v1/keys/" + id, null).statusCode()).as(id).isEqualTo(404);
        }
        var id = createKey("{}").getString("id");
        assertThat(call("DELETE", "/v1/keys/" + id, null).statusCode()).isEqualTo(204);
        assertError(get("/v1/keys/" + id), 404, "RATE_4041");
        assertError(call("DELETE", "/v1/keys/" + id, null), 404, "RATE_4041");
    }

    @Test
    void configuredKeysCannotBeChanged() {
        assertError(call("PATCH", "/v1/keys/bob", "{\"disabled\":true}"), 409, "RATE_4091");
        assertError(call("DELETE", "/v1/keys/bob", null), 409, "RATE_4091");
        assertError(call("POST", "/v1/keys/bob/rotate", ""), 409, "RATE_4091");
    }

    /** As curl sends bodies if it is not told otherwise. */
    @Test
    void typeOfTheBodyDoesNotMatter() {
        for (var type : List.of("application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8")) {
            var created = ok(call("POST", "/v1/keys", "{\"name\":\"a=b&c\"}", "Content-Type", type));
            assertThat(created.getString("name")).isEqualTo("a=b&c");
            var path = "/v1/keys/" + created.getString("id");
            assertThat(ok(call("PATCH", path, "{\"name\":\"b\"}", "Content-Type", type)).getString("name")).isEqualTo("b");
            ok(call("PUT", "/v1/users/alice", "{}", "Content-Type", type));
        }
    }

    @Test
    void textsAreUnique() {
        var texts = new HashSet<String>();
        for (int i = 0; i < 20; i++) {
            texts.add(createKey("{}").getString("key"));
        }
        assertThat(texts).hasSize(20);
    }
}
