package dev.sluice.service.api.identities;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.IdentitiesProfile;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Endpoints of users, teams and organisations: names, conditions, lists and deletions. */
@QuarkusTest
@TestProfile(IdentitiesProfile.class)
@WithTestResource(RedisTestResource.class)
class NamedIdentitiesApiTest extends IdentitiesTestBase {

    private static final String TEAM = "{\"org\":\"acme\",\"limits\":{\"llm\":{\"budget\":\"500/day\"}},"
            + "\"member_limits\":{\"api\":\"10/minute\"},\"models\":[\"gpt-*\"],\"metadata\":{\"a\":{\"b\":[1,2.5]}}}";

    private List<String> names(String path, String kind) {
        return ok(get(path)).getJsonArray(kind).stream().map(identity -> ((JsonObject) identity).getString("name")).toList();
    }

    @Test
    void putCreatesAndReplaces() {
        var created = call("PUT", "/v1/teams/search", TEAM);
        assertThat(created.statusCode()).isEqualTo(201);
        var team = ok(created);
        assertThat(team.getString("name")).isEqualTo("search");
        assertThat(team.getJsonObject("metadata")).isEqualTo(new JsonObject(TEAM).getJsonObject("metadata"));
        var read = ok(get("/v1/teams/search"));
        assertThat(read.getJsonArray("used").getJsonObject(0)).isEqualTo(new JsonObject().put("resource", "llm:budget")
                .put("limit", 500).put("used", 0).put("window_seconds", 86400).put("unit", "usd"));
        assertThat(read.getJsonObject("spend").getString("cost_usd")).isEqualTo("0");
        assertThat(withoutUsage(read)).isEqualTo(team);
        var listed = ok(get("/v1/teams?used=true&limit=100&prefix=search")).getJsonArray("teams").getJsonObject(0);
        assertThat(listed.getJsonArray("used").getJsonObject(0).getLong("limit")).isEqualTo(500);
        assertThat(withoutUsage(listed)).isEqualTo(team);
        assertThat(ok(get("/v1/teams?used=false&prefix=search")).getJsonArray("teams").getJsonObject(0)).isEqualTo(team);

        var replaced = call("PUT", "/v1/teams/search", "{\"metadata\":{\"c\":1}}");
        assertThat(replaced.statusCode()).isEqualTo(200);
        assertThat(tag(replaced)).isNotEqualTo(tag(created));
        assertThat(ok(replaced).fieldNames()).containsExactlyInAnyOrder("name", "metadata", "created_at", "updated_at");
        assertThat(ok(replaced).getString("created_at")).isEqualTo(team.getString("created_at"));
        assertThat(names("/v1/teams?org=acme", "teams")).isEmpty();

        var actions = ok(get("/v1/audit?limit=2")).getJsonArray("entries").stream()
                .map(entry -> ((JsonObject) entry).getString("action")).toList();
        assertThat(actions).containsExactly("team.update", "team.create");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "alice@example.com", "%C3%A9t%C3%A9", "%F0%9F%A6%8A", "a%20b", "a+b", "a%2Bb", "a;b",
            "a%3Bb=1",
            "a%25b", "a%3Fb", "a%23b", "a:b", "%5C", "...", "%22", "%7B%7D", "a,b", "a'b", "*", "~", "a%26b=c", "%E4%B8%AD",
            "MAX"})
    void everyNameCanBeReadAndDeleted(String encoded) {
        var path = "/v1/users/" + (encoded.equals("MAX") ? "%F0%9F%A6%8A".repeat(128) : encoded);
        var name = ok(call("PUT", path, "{}")).getString("name");
        assertThat(name).doesNotContain("%2", "%3", "%C", "%E", "%F");
        assertThat(names("/v1/users", "users")).containsExactly(name);
        assertThat(ok(get(path)).getString("name")).isEqualTo(name);
        assertThat(ok(call("PATCH", path, "{\"tier\":\"pro\"}")).getString("tier")).isEqualTo("pro");
        assertThat(call("DELETE", path, null).statusCode()).isEqualTo(204);
        assertThat(get(path).statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"%00", "a%0Ab", "%7F", "%20a", "a%20", "%C2%A0a", "%E2%80%8Ba", "a%E2%80%AEb", "%FF", "%C3",
            "%ED%A0%80",
            "%EF%BF%BD", "%EE%80%80", "a%E2%80%A8", "%E3%85%A4", "a%EF%B8%8F", "LONG"})
    void invalidNamesAreRefused(String encoded) {
        for (var kind : List.of("users", "teams", "orgs")) {
            var path = "/v1/" + kind + '/' + (encoded.equals("LONG") ? "%F0%9F%A6%8A".repeat(129) : encoded);
            assertInvalid(call("PUT", path, "{}"), "path");
            assertInvalid(get(path), "path");
            assertInvalid(call("DELETE", path, null), "path");
        }
    }

    /** Servers disagree on what these paths are. */
    @ParameterizedTest
    @ValueSource(strings = {"a%2Fb", "%2F", "a/b", "..", ".", "%2e%2e", "%2E"})
    void pathsOfOtherNamesCreateNothing(String encoded) {
        assertThat(call("PUT", "/v1/users/" + encoded, "{}").statusCode()).isIn(400, 404, 405);
        assertThat(names("/v1/users", "users")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {"users|{\"name\":\"x\"}|/name", "users|{\"user\":\"x\"}|/user",
            "users|{\"teams\":\"x\"}|/teams", "users|{\"teams\":[\"a\",\"a\"]}|/teams/1",
            "users|{\"teams\":[\"a\",1]}|/teams/1",
            "users|{\"member_limits\":{}}|/member_limits", "users|{\"org\":\"x\"}|/org", "teams|{\"tier\":\"pro\"}|/tier",
            "teams|{\"disabled\":true}|/disabled",
            "teams|{\"member_limits\":{\"llm\":{\"tokens\":\"1\"}}}|/member_limits/llm/tokens",
            "teams|{\"org\":\" \"}|/org", "orgs|{\"org\":\"x\"}|/org", "orgs|{\"teams\":[]}|/teams", "orgs|{\"used\":1}|/used",
            "orgs|{\"spend\":1}|/spend", "orgs|[1]|body", "orgs||body",
            "teams|{\"limits\":{\"endpoints\":{\"/a/{x}\":\"1/hour\",\"/a/{y}\":\"2/hour\"}}}|/limits/endpoints/~1a~1{y}",
            "orgs|{\"limits\":{\"endpoints\":{\"/a\":\"1/hour\",\"//a/\":\"2/hour\"}}}|/limits/endpoints/~1~1a~1",
            "users|{\"limits\":{\"endpoints\":{\"GET /a\":\"1/hour\",\"GET /api/v1/a\":\"2/hour\"}}}|/limits/endpoints/GET ~1api~1v1~1a",
            "teams|{\"member_limits\":{\"models\":{\"gpt-4o\":{\"requests\":\"1/hour\"},\"GPT-4o\":{\"requests\":\"2/hour\"}}}}|/member_limits/models/GPT-4o",
            "users|{\"alerts\":{\"url\":\"https://169.254.169.254/latest\"}}|/alerts/url",
            "users|{\"alerts\":{\"url\":\"https://[::1]/\"}}|/alerts/url",
            "users|{\"alerts\":{\"thresholds\":[150]}}|/alerts/thresholds",
            "users|{\"metadata\":{\"n\":1e999999999}}|/metadata/n"})
    void invalidFieldsAreNamed(String kind, String body, String field) {
        assertInvalid(call("PUT", "/v1/" + kind + "/x", body == null ? "" : body), field);
        assertThat(get("/v1/" + kind + "/x").statusCode()).isEqualTo(404);
    }

    @Test
    void changeOfAnotherStateIsRefused() {
        var first = tag(call("PUT", "/v1/teams/search", TEAM));
        var second = tag(call("PATCH", "/v1/teams/search", "{\"models\":null}", "If-Match", first));
        assertThat(second).isNotEqualTo(first);
        for (var stale : List.of(first, "W/" + second, "\"x\"", first + ", W/" + second)) {
            var response = call("PATCH", "/v1/teams/search", "{\"org\":\"other\"}", "If-Match", stale);
            assertThat(response.statusCode()).as(stale).isIn(400, 412);
            assertThat(call("PUT", "/v1/teams/search", "{}", "If-Match", stale).statusCode()).isIn(400, 412);
            assertThat(call("DELETE", "/v1/teams/search", null, "If-Match", stale).statusCode()).isIn(400, 412);
        }
        assertError(call("PUT", "/v1/teams/search", "{}", "If-Match", first), 412, "RATE_4121");
        for (var malformed : List.of("x", "", "*, \"1\"", "\"a", "\"a\" \"b\"", ",")) {
            assertInvalid(call("PATCH", "/v1/teams/search", "{}", "If-Match", malformed), "If-Match");
        }
        assertThat(tag(get("/v1/teams/search"))).isEqualTo(second);
        var third = tag(call("PATCH", "/v1/teams/search", "{\"org\":\"x\"}", "If-Match", "\"x\", ," + second + " , \"y\""));
        assertThat(third).isNotEqualTo(second);
        assertThat(call("PATCH", "/v1/teams/search", "{\"org\":\"y\"}", "If-Match", "*").statusCode()).isEqualTo(200);
        assertError(call("PUT", "/v1/teams/other", "{}", "If-Match", "*"), 412, "RATE_4121");
        assertError(call("PUT", "/v1/teams/other", "{}", "If-Match", third), 412, "RATE_4121");
        assertError(call("PATCH", "/v1/teams/other", "{}", "If-Match", "*"), 404, "RATE_4041");
    }

    @Test
    void deletedAndCreatedAgainIsAnotherState() {
        var first = tag(call("PUT", "/v1/users/alice", "{}"));
        call("DELETE", "/v1/users/alice", null);
        call("PUT", "/v1/users/alice", "{\"tier\":\"pro\"}");
        assertError(call("DELETE", "/v1/users/alice", null, "If-Match", first), 412, "RATE_4121");
    }

    @Test
    void creationOnly() {
        assertThat(call("PUT", "/v1/users/alice", "{}", "If-None-Match", "*").statusCode()).isEqualTo(201);
        assertError(call("PUT", "/v1/users/alice", "{\"tier\":\"pro\"}", "If-None-Match", "*"), 412, "RATE_4121");
        assertInvalid(call("PUT", "/v1/users/alice", "{}", "If-None-Match", "\"1\""), "If-None-Match");
        assertThat(ok(get("/v1/users/alice")).containsKey("tier")).isFalse();
    }

    @Test
    void concurrentPatchesAreAllApplied() {
        call("PUT", "/v1/users/alice", "{}");
        var executor = Executors.newFixedThreadPool(64);
        try {
            var patches = new ArrayList<CompletableFuture<Integer>>();
            for (int i = 0; i < 300; i++) {
                var patch = "{\"metadata\":{\"" + i + "\":" + i + "}}";
                patches.add(
                        CompletableFuture.supplyAsync(() -> call("PATCH", "/v1/users/alice", patch).statusCode(), executor));
            }
            assertThat(patches).allSatisfy(patch -> assertThat(patch.join()).isEqualTo(200));
        } finally {
            executor.shutdown();
        }
        assertThat(ok(get("/v1/users/alice")).getJsonObject("metadata")).hasSize(300);
    }

    @Test
    void oneOfConcurrentConditionalChangesSucceeds() {
        var tag = tag(call("PUT", "/v1/users/alice", "{}"));
        var executor = Executors.newFixedThreadPool(8);
        try {
            var puts = new ArrayList<CompletableFuture<Integer>>();
            for (int i = 0; i < 8; i++) {
                var body = "{\"metadata\":{\"n\":" + i + "}}";
                puts.add(CompletableFuture.supplyAsync(
                        () -> call("PUT", "/v1/users/alice", body, "If-Match", tag).statusCode(), executor));
            }
            assertThat(puts.stream().map(CompletableFuture::join)).containsOnlyOnce(200).allMatch(s -> s == 200 || s == 412);
        } finally {
            executor.shutdown();
        }
    }

    /** It must be possible to revoke whatever the rest of the document is. */
    @Test
    void patchRemovesEveryFieldAndKeepsOthers() {
        call("PUT", "/v1/teams/search", TEAM);
        assertInvalid(call("PATCH", "/v1/teams/search", "{\"limits\":{\"llm\":\"none\"}}"), "/limits/llm");
        assertInvalid(call("PATCH", "/v1/teams/search", "{\"limits\":\"none\"}"), "/limits");
        var patched = ok(call("PATCH", "/v1/teams/search",
                "{\"org\":null,\"limits\":null,\"member_limits\":{\"api\":null},\"models\":null,\"metadata\":{\"a\":{\"b\":null}}}"));
        assertThat(patched.fieldNames()).containsExactlyInAnyOrder("name", "member_limits", "metadata", "created_at",
                "updated_at");
        assertThat(patched.getJsonObject("metadata")).isEqualTo(new JsonObject().put("a", new JsonObject()));
    }

    @Test
    void listsAreFilteredAndPaged() {
        for (var name : List.of("ab", "aa", "b", "aé", "a b")) {
            call("PUT",
                    "/v1/users/"
                            + java.net.URLEncoder.encode(name, java.nio.charset.StandardCharsets.UTF_8).replace("+", "%20"),
                    name.startsWith("a") ? "{\"teams\":[\"search\"]}" : "{}");
        }
        assertThat(names("/v1/users", "users")).containsExactly("a b", "aa", "ab", "aé", "b");
        assertThat(names("/v1/users?prefix=a", "users")).containsExactly("a b", "aa", "ab", "aé");
        assertThat(names("/v1/users?prefix=a%C3%A9", "users")).containsExactly("aé");
        assertThat(names("/v1/users?prefix=a%20", "users")).containsExactly("a b");
        assertThat(names("/v1/users?prefix=", "users")).hasSize(5);
        assertThat(names("/v1/users?team=search&prefix=aa", "users")).containsExactly("aa");
        var page = ok(get("/v1/users?limit=2"));
        assertThat(names("/v1/users?limit=5&cursor=" + page.getString("next_cursor"), "users")).containsExactly("ab", "aé",
                "b");
        assertInvalid(get("/v1/users?prefix=" + "x".repeat(129)), "prefix");
        assertInvalid(get("/v1/users?prefix=%FF"), "prefix");
        assertInvalid(get("/v1/users?org=x"), "query");
        assertInvalid(get("/v1/orgs?team=x"), "query");
        assertInvalid(get("/v1/teams?cursor=" + page.getString("next_cursor")), "cursor");
    }

    @Test
    void teamWithKeysIsDeletedOnlyOnRequest() {
        call("PUT", "/v1/teams/search", "{}");
        for (int i = 0; i < 5; i++) {
            createKey("{\"team\":\"search\"}");
        }
        createKey("{\"team\":\"other\"}");
        assertError(call("DELETE", "/v1/teams/search", null), 409, "RATE_4091");
        assertError(call("DELETE", "/v1/teams/search?cascade=false", null), 409, "RATE_4091");
        assertInvalid(call("DELETE", "/v1/teams/search?cascade=yes", null), "cascade");
        assertThat(ok(get("/v1/keys")).getJsonArray("keys")).hasSize(6);
        assertThat(call("DELETE", "/v1/teams/search?cascade=true", null).statusCode()).isEqualTo(204);
        assertThat(ok(get("/v1/keys")).getJsonArray("keys")).hasSize(1);
        var entries = ok(get("/v1/audit?limit=3")).getJsonArray("entries").stream().map(JsonObject.class::cast).toList();
        assertThat(entries).extracting(entry -> entry.getString("action")).containsExactly("team.delete", "key.delete",
                "key.create");
        assertThat(entries.get(1).getString("subject")).isEqualTo("team:search");
        assertThat(entries.get(1).getJsonArray("subjects")).hasSize(5)
                .allSatisfy(subject -> assertThat((String) subject).startsWith("key:"));
    }

    @Test
    void teamsLoseADeletedOrganisation() {
        call("PUT", "/v1/orgs/acme", "{}");
        call("PUT", "/v1/teams/a", TEAM);
        call("PUT", "/v1/teams/b", "{\"org\":\"acme\"}");
        call("PUT", "/v1/teams/c", "{\"org\":\"other\"}");
        assertError(call("DELETE", "/v1/orgs/acme", null), 409, "RATE_4091");
        assertThat(call("DELETE", "/v1/orgs/acme?cascade=true", null).statusCode()).isEqualTo(204);
        assertThat(names("/v1/teams", "teams")).containsExactly("a", "b", "c");
        assertThat(names("/v1/teams?org=acme", "teams")).isEmpty();
        assertThat(names("/v1/teams?org=other", "teams")).containsExactly("c");
        assertThat(ok(get("/v1/teams/a")).getJsonArray("models")).isEqualTo(new JsonArray().add("gpt-*"));
    }

    @Test
    void methodsThatDoNotExistAreRefused() {
        assertError(call("POST", "/v1/users", "{}"), 405, "RATE_4051");
        assertError(call("POST", "/v1/users/alice", "{}"), 405, "RATE_4051");
        assertError(call("DELETE", "/v1/audit", null), 405, "RATE_4051");
        assertError(call("GET", "/v1/users/alice/teams", null), 404, "RATE_4041");
    }

    @Test
    void numbersKeepTheirDigits() {
        var numbers = "{\"big\":123456789012345678901234567890,\"tiny\":0.1000000000000000000000000001,\"scale\":1.50,"
                + "\"max\":18446744073709551616,\"double\":3.141592653589793238462643383279}";
        var path = "/v1/users/alice";
        assertThat(call("PUT", path, "{\"metadata\":" + numbers + "}").body()).contains(numbers);
        assertThat(get(path).body()).contains(numbers);
        assertThat(call("PATCH", path, "{\"tier\":\"pro\"}").body()).contains(numbers);
        assertThat(get("/v1/users").body()).contains(numbers);
        var exported = get("/v1/export").body();
        assertThat(exported).contains(numbers);
        assertThat(call("DELETE", path, null).statusCode()).isEqualTo(204);
        assertThat(call("POST", "/v1/import", exported).statusCode()).isEqualTo(200);
        assertThat(get("/v1/export").body()).isEqualTo(exported);
    }
}
