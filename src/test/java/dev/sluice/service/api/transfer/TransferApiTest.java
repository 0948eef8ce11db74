package dev.sluice.service.api.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import jakarta.inject.Inject;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityQuery;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.IdentityWrite;
import dev.sluice.identity.Sha256;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.IdentitiesProfile;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Export and import. */
@QuarkusTest
@TestProfile(IdentitiesProfile.class)
@WithTestResource(RedisTestResource.class)
class TransferApiTest extends HttpTestBase {

    private static final String ID = "abcdefghijklmno0123";

    @Inject
    IdentityStore store;

    private HttpResponse<String> call(String method, String path, String body) {
        return http.send(method, path, body, "Authorization", "Bearer admin-secret");
    }

    private String export() {
        var response = call("GET", "/v1/export", null);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(HttpTestClient.header(response, "Content-Type")).isEqualTo("application/x-ndjson");
        return response.body();
    }

    private JsonObject importLines(String lines) {
        return importLines(lines, "");
    }

    private JsonObject importLines(String lines, String query) {
        var response = call("POST", "/v1/import" + query, lines);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return new JsonObject(response.body());
    }

    private static void assertCounts(JsonObject report, int imported, int unchanged, int failed) {
        assertThat(report.getInteger("imported")).as(report.encode()).isEqualTo(imported);
        assertThat(report.getInteger("unchanged")).as(report.encode()).isEqualTo(unchanged);
        assertThat(report.getInteger("failed")).as(report.encode()).isEqualTo(failed);
    }

    @AfterEach
    void deleteAll() {
        for (var kind : List.of(IdentityKind.KEY, IdentityKind.USER, IdentityKind.TEAM, IdentityKind.ORG)) {
            String after = null;
            do {
                var page = store.list(new IdentityQuery(kind, null, null, null, null, "", 1000, after)).await().indefinitely();
                page.identities().forEach(identity -> store.write(new IdentityWrite(kind, identity.name(),
                        IdentityWrite.ANY_REVISION, null, new JsonObject())).await().indefinitely());
                after = page.next();
            } while (after != null);
        }
    }

    @Test
    void importOfAnExportGivesTheSameState() {
        call("PUT", "/v1/orgs/acme", "{\"limits\":{\"api\":\"5/minute\"}}");
        call("PUT", "/v1/teams/search", "{\"org\":\"acme\"}");
        call("PUT", "/v1/users/%C3%A9%20%F0%9F%A6%8A",
                "{\"teams\":[\"search\"],\"metadata\":{\"n\":1.5,\"l\":9007199254740993}}");
        var created = new JsonObject(call("POST", "/v1/keys", "{\"team\":\"search\",\"disabled\":true}").body());
        var id = created.getString("id");
        call("POST", "/v1/keys/" + id + "/rotate", "{\"grace_seconds\":3600}");
        call("PATCH", "/v1/teams/search", "{\"models\":[\"gpt-4o\"]}");
        var exported = export();
        assertThat(exported.lines()).hasSize(4);
        assertThat(exported).contains(Sha256.hex(created.getString("key"))).doesNotContain(created.getString("key"));

        var etag = HttpTestClient.header(call("GET", "/v1/keys/" + id, null), "ETag");
        assertCounts(importLines(exported), 0, 4, 0);
        assertThat(HttpTestClient.header(call("GET", "/v1/keys/" + id, null), "ETag")).isEqualTo(etag);

        deleteAll();
        assertThat(export()).isEmpty();
        assertCounts(importLines(exported), 4, 0, 0);
        assertThat(export()).isEqualTo(exported);
        assertCounts(importLines(exported + "\n\r\n  \n" + exported), 0, 8, 0);
    }

    @Test
    void existingIdentitiesAreReplacedOrKept() {
        var line = "{\"kind\":\"user\",\"name\":\"alice\",\"document\":{\"tier\":\"pro\"}}";
        call("PUT", "/v1/users/alice", "{\"tier\":\"free\"}");
        assertCounts(importLines(line, "?mode=create"), 0, 1, 0);
        assertThat(call("GET", "/v1/users/alice", null).body()).contains("\"free\"");
        assertCounts(importLines(line), 1, 0, 0);
        assertCounts(importLines(line, "?mode=replace"), 0, 1, 0);
        assertThat(call("GET", "/v1/users/alice", null).body()).contains("\"pro\"");
        var invalid = call("POST", "/v1/import?mode=merge", line);
        assertThat(invalid.statusCode()).isEqualTo(400);
        assertThat(HttpTestClient.error(invalid).getJsonObject("details").getString("field")).isEqualTo("mode");
        assertThat(call("POST", "/v1/import?mod=create", line).statusCode()).isEqualTo(400);
    }

    private JsonObject lastEntry() {
        return new JsonObject(call("GET", "/v1/audit?limit=1", null).body()).getJsonArray("entries").getJsonObject(0);
    }

    /** An import of 300 lines must not push others out of the audit log. */
    @Test
    void importHasTwoEntriesInTheAuditLog() {
        call("PUT", "/v1/users/before", "{}");
        importLines("{\"kind\":\"user\",\"name\":\"alice\",\"document\":{}}\n".repeat(2)
                + IntStream.range(0, 300).mapToObj(i -> "{\"kind\":\"team\",\"name\":\"t" + i + "\",\"document\":{}}\n")
                        .collect(Collectors.joining())
                + "nonsense\n");
        var entries = new JsonObject(call("GET", "/v1/audit?limit=3", null).body()).getJsonArray("entries").stream()
                .map(JsonObject.class::cast).toList();
        assertThat(entries).extracting(entry -> entry.getString("action")).containsExactly("import.end", "import.begin",
                "user.create");
        assertThat(entries.get(0).getString("token")).isEqualTo("admin-token");
        assertThat(entries.get(0).getJsonObject("counts"))
                .isEqualTo(new JsonObject().put("imported", 301).put("unchanged", 1).put("failed", 1));
    }

    @Test
    void abortedImportIsRecorded() throws IOException {
        try (var connection = new RawHttpConnection(port)) {
            connection.send("POST /v1/import HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin-secret\r\n"
                    + "Content-Length: 10000\r\n\r\n{\"kind\":\"user\",\"name\":\"alice\",\"document\":{}}\n");
            Polling.await().until(() -> call("GET", "/v1/users/alice", null).statusCode() == 200);
        }
        Polling.await().untilAsserted(() -> assertThat(lastEntry().getJsonObject("counts"))
                .isEqualTo(new JsonObject().put("imported", 1).put("unchanged", 0).put("failed", 0)));
    }

    @Test
    void timeOfTheLastUseIsRestored() {
        var line = "{\"kind\":\"key\",\"name\":\"" + ID
                + "\",\"document\":{\"name\":\"a\",\"created_at\":\"2026-01-01T00:00:00Z\","
                + "\"updated_at\":\"2026-01-01T00:00:00Z\",\"hashes\":[{\"sha256\":\"" + Sha256.hex("a key")
                + "\"}],\"last_used_at\":\"%s\"}}";
        var later = line.formatted("2026-03-01T12:00:00Z");
        assertCounts(importLines(line.formatted("2026-02-01T12:00:00Z")), 1, 0, 0);
        assertCounts(importLines(later), 1, 0, 0);
        assertCounts(importLines(line.formatted("2026-02-01T12:00:00Z")), 0, 1, 0);
        var exported = export();
        assertThat(exported).contains("\"last_used_at\":\"2026-03-01T12:00:00Z\"");
        assertCounts(importLines(exported), 0, 1, 0);
        deleteAll();
        assertCounts(importLines(exported), 1, 0, 0);
        assertThat(export()).isEqualTo(exported);
    }

    @Test
    void brokenLinesDoNotLoseOthers() {
        var hash = Sha256.hex("some key");
        var key = "{\"kind\":\"key\",\"name\":\"%s\",\"document\":{\"hashes\":[{\"sha256\":\"%s\"}]}}";
        var lines = String.join("\n",
                "{\"kind\":\"user\",\"name\":\"a\",\"document\":{}}",
                "nonsense", "[]", "{\"kind\":\"robot\",\"name\":\"a\",\"document\":{}}",
                "{\"kind\":\"user\",\"name\":\"a/b\",\"document\":{}}",
                "{\"kind\":\"user\",\"name\":\"b\",\"document\":{\"tier\":\"gold\"}}",
                "{\"kind\":\"user\",\"name\":\"b\",\"document\":{\"id\":\"b\"}}",
                "{\"kind\":\"user\",\"name\":\"b\",\"document\":{\"hashes\":[]}}",
                "{\"kind\":\"key\",\"name\":\"" + ID + "\",\"document\":{}}",
                key.formatted("k1", hash), key.formatted(ID, "ABC"),
                key.formatted(ID, hash.toUpperCase(java.util.Locale.ROOT)),
                key.formatted(ID, Sha256.hex("key-of-bob")),
                "{\"kind\":\"user\",\"name\":\"b\",\"document\":{\"metadata\":{\"x\":\"" + "x".repeat(140_000) + "\"}}}",
                "{\"kind\":\"user\",\"name\":\"b\",\"document\":{},\"more\":1}",
                "{\"kind\":\"user\",\"name\":\"b\",\"document\":{\"created_at\":\"yesterday\"}}",
                "{\"kind\":\"user\",\"name\":\"c\",\"document\":{}}",
                key.formatted(ID, hash));
        var report = importLines(lines);
        assertCounts(report, 3, 0, 15);
        var errors = report.getJsonArray("errors").stream().map(JsonObject.class::cast)
                .map(error -> error.getInteger("line") + " " + error.getString("field")).toList();
        assertThat(errors).containsExactlyInAnyOrder("2 body", "3 body", "4 /kind", "5 /name", "6 /document/tier",
                "7 /document/id", "8 /document/hashes", "9 /document/hashes", "10 /name", "11 /document/hashes/0",
                "12 /document/hashes/0", "13 /document/hashes/0", "14 line", "15 /more", "16 /document/created_at");
        assertCounts(importLines(key.formatted("0" + ID.substring(1), hash)), 0, 0, 1);
    }

    @Test
    void errorsAreBounded() {
        var report = importLines("x\n".repeat(5000));
        assertCounts(report, 0, 0, 5000);
        assertThat(report.getJsonArray("errors")).hasSize(ImportReport.MAX_ERRORS);
    }

    /** Far more than the maximum body of other endpoints, and several pages of an export. */
    @Test
    void manyLinesAreTransferred() {
        var lines = new StringBuilder();
        int count = 3000;
        for (int i = 0; i < count; i++) {
            lines.append("{\"kind\":\"user\",\"name\":\"user").append(i).append("\",\"document\":{\"metadata\":{\"n\":\"")
                    .append("x".repeat(200)).append("\"}}}\n");
        }
        assertCounts(importLines(lines.toString()), count, 0, 0);
        var exported = export();
        assertThat(exported.lines()).hasSize(count).doesNotHaveDuplicates();
        assertCounts(importLines(exported), 0, count, 0);
    }

    @Test
    void repeatedIdentitiesLoseNothing() {
        var lines = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            lines.append("{\"kind\":\"user\",\"name\":\"alice\",\"document\":{\"metadata\":{\"n\":").append(i).append("}}}\n");
        }
        var report = importLines(lines.toString());
        assertThat(report.getInteger("failed")).as(report.encode()).isZero();
        assertThat(call("GET", "/v1/users/alice", null).body()).contains("\"n\":199");
    }

    @Test
    void emptyBodiesAndOtherMethods() throws IOException {
        assertCounts(importLines(""), 0, 0, 0);
        assertThat(call("GET", "/v1/import", null).statusCode()).isEqualTo(405);
        assertThat(call("POST", "/v1/export", "").statusCode()).isEqualTo(405);
        assertThat(call("GET", "/v1/export?kind=key", null).statusCode()).isEqualTo(400);
        for (var path : List.of("/v1/import", "/v1//import", "/v1/x/../import")) {
            var refused = RawHttpConnection.exchange(port, RawHttpConnection.post(path, "x".repeat(100_000)));
            assertThat(refused.status()).as(path).isEqualTo(403);
        }
    }
}
