package dev.sluice.directory;

import static dev.sluice.directory.DirectoryUnderTest.await;
import static dev.sluice.directory.DirectoryUnderTest.key;
import static dev.sluice.directory.DirectoryUnderTest.keyDocument;
import static dev.sluice.directory.IdentityKind.KEY;
import static dev.sluice.directory.IdentityKind.ORG;
import static dev.sluice.directory.IdentityKind.TEAM;
import static dev.sluice.directory.IdentityKind.USER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.directory.WriteResult.Status;
import dev.sluice.testing.RedisTestServer;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Stores identities in a real Redis: revisions, indexes, pages, audit log, and values that Sluice has not written. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RedisIdentityStoreTest {

    private static final JsonObject EMPTY = new JsonObject();

    private final DirectoryUnderTest directory = new DirectoryUnderTest();

    @AfterAll
    void close() {
        directory.close();
    }

    @BeforeEach
    void clear() {
        directory.send("FLUSHALL");
    }

    private static IdentityQuery query(IdentityKind kind) {
        return new IdentityQuery(kind, null, null, null, null, "", 100, null);
    }

    private static IdentityQuery keys(String user, String team, String org, Boolean disabled, int limit) {
        return new IdentityQuery(KEY, user, team, org, disabled, "", limit, null);
    }

    private IdentityPage page(IdentityQuery query) {
        return await(directory.store().list(query));
    }

    /** Returns the names of all pages; after each page, the task runs. */
    private List<String> allPages(IdentityQuery query, Runnable afterPage) {
        var names = new ArrayList<String>();
        var current = query;
        while (true) {
            var page = page(current);
            assertThat(page.identities()).hasSizeLessThanOrEqualTo(query.limit());
            page.identities().forEach(identity -> names.add(identity.name()));
            if (page.next() == null) {
                return names;
            }
            afterPage.run();
            current = new IdentityQuery(query.kind(), query.user(), query.team(), query.org(), query.disabled(),
                    query.prefix(), query.limit(), page.next());
        }
    }

    private List<String> all(IdentityQuery query) {
        return allPages(query, () -> {
        });
    }

    private long indexed(String index) {
        return directory.send("ZCARD", key(index)).toLong();
    }

    @Test
    void documentIsReadAsItWasWritten() {
        var document = new JsonObject().put("name", "Größe 🔑").put("limits", new JsonObject().put("api", "10/minute"))
                .put("models", new JsonArray()).put("number", 9_007_199_254_740_993L).putNull("tier");
        var written = directory.write(TEAM, "a", 0, document);

        assertThat(written.status()).isEqualTo(Status.DONE);
        assertThat(directory.find(TEAM, "a")).isEqualTo(written.stored())
                .extracting(StoredIdentity::document).isEqualTo(document);
        assertThat(directory.find(TEAM, "b")).isNull();
        assertThat(directory.find(USER, "a")).isNull();
    }

    @Test
    void nothingExpires() {
        directory.put(KEY, "k1", keyDocument("aa", "alice", "t"));

        for (var name : directory.send("KEYS", "*")) {
            assertThat(directory.send("TTL", name).toInteger()).as(name.toString()).isEqualTo(-1);
            assertThat(name.toString()).startsWith("sluice:{identities}:");
        }
    }

    @Test
    void changeNeedsTheExpectedRevision() {
        long first = directory.write(USER, "alice", 0, EMPTY).stored().revision();

        assertThat(directory.write(USER, "alice", 0, EMPTY).status()).isEqualTo(Status.REVISION_MISMATCH);
        assertThat(directory.write(USER, "alice", first + 1, EMPTY).status()).isEqualTo(Status.REVISION_MISMATCH);
        long second = directory.write(USER, "alice", first, EMPTY).stored().revision();
        assertThat(second).isGreaterThan(first);
        assertThat(directory.write(USER, "alice", first, null).status()).isEqualTo(Status.REVISION_MISMATCH);
        assertThat(directory.write(USER, "alice", second, null)).isEqualTo(new WriteResult(Status.DONE, null));
        assertThat(directory.write(USER, "alice", second, EMPTY).status()).isEqualTo(Status.REVISION_MISMATCH);
        assertThat(directory.delete(USER, "alice").status()).isEqualTo(Status.REVISION_MISMATCH);
        assertThat(directory.write(USER, "alice", 0, EMPTY).stored().revision()).isGreaterThan(second);
    }

    @Test
    void revisionGrowsAlthoughTheCounterIsLost() {
        long before = IntStream.range(0, 5).mapToLong(i -> directory.put(USER, "alice", EMPTY).revision()).max().orElseThrow();
        directory.send("DEL", key("revision"));

        assertThat(directory.put(USER, "alice", EMPTY).revision()).isGreaterThan(before);
    }

    @Test
    void oneOfConcurrentChangesOfOneRevisionIsMade() {
        long revision = directory.put(USER, "alice", EMPTY).revision();
        var others = directory.newManager();
        var store = new RedisIdentityStore(DirectoryUnderTest.calls(others), (kind, name, changed, hashes) -> {
        }, "redis.call('TIME')");
        var results = await(Uni.join().all(IntStream.range(0, 50).mapToObj(i -> (i % 2 == 0 ? store : directory.store())
                .write(new IdentityWrite(USER, "alice", revision, new JsonObject().put("name", "n" + i), EMPTY))).toList())
                .andFailFast());

        var done = results.stream().filter(result -> result.status() == Status.DONE).toList();
        assertThat(done).hasSize(1);
        assertThat(directory.find(USER, "alice")).isEqualTo(done.get(0).stored());
        assertThat(await(directory.store().audit(100, null)).entries()).hasSize(2);
    }

    @Test
    void hashBelongsToOneKey() {
        directory.put(KEY, "k1", keyDocument("aa", null, null));

        assertThat(directory.write(KEY, "k2", 0, keyDocument("aa", null, null)).status()).isEqualTo(Status.HASH_IN_USE);
        assertThat(directory.find(KEY, "k2")).isNull();
        assertThat(all(query(KEY))).containsExactly("k1");
        var rotated = keyDocument("bb", null, null);
        rotated.getJsonArray("hashes").add(new JsonObject().put("sha256", "aa"));
        directory.put(KEY, "k1", rotated);
        assertThat(directory.write(KEY, "k2", 0, keyDocument("aa", null, null)).status()).isEqualTo(Status.HASH_IN_USE);
        directory.put(KEY, "k1", keyDocument("bb", null, null));
        assertThat(directory.write(KEY, "k2", 0, keyDocument("aa", null, null)).status()).isEqualTo(Status.DONE);
        directory.delete(KEY, "k1");
        assertThat(directory.send("HGETALL", key("hashes")).toString()).contains("aa").doesNotContain("bb");
    }

    @Test
    void teamWithKeysAndOrgWithTeamsCannotBeDeleted() {
        directory.put(ORG, "o", EMPTY);
        directory.put(TEAM, "t", new JsonObject().put("org", "o"));
        directory.put(TEAM, "t2", EMPTY);
        directory.put(KEY, "k", keyDocument("aa", null, "t"));

        assertThat(directory.delete(ORG, "o").status()).isEqualTo(Status.IN_USE);
        assertThat(directory.delete(TEAM, "t").status()).isEqualTo(Status.IN_USE);
        assertThat(directory.find(TEAM, "t")).isNotNull();
        assertThat(directory.delete(TEAM, "t2").status()).as("only its name begins alike").isEqualTo(Status.DONE);
        directory.put(KEY, "k", keyDocument("aa", null, null));
        assertThat(directory.delete(TEAM, "t").status()).isEqualTo(Status.DONE);
        assertThat(directory.delete(ORG, "o").status()).isEqualTo(Status.DONE);
        directory.delete(KEY, "k");
        for (var index : List.of("keys-by-id", "keys-by-user", "keys-by-team", "keys-disabled", "users-by-name",
                "teams-by-name", "orgs-by-name", "teams-by-org", "users-by-team")) {
            assertThat(indexed(index)).as(index).isZero();
        }
    }

    @Test
    void indexesFollowMoves() {
        directory.put(TEAM, "t1", new JsonObject().put("org", "o1"));
        directory.put(TEAM, "t2", new JsonObject().put("org", "o2"));
        directory.put(KEY, "k1", keyDocument("aa", "alice", "t1"));
        directory.put(KEY, "k2", keyDocument("bb", "alice", "t1"));
        directory.put(KEY, "k1", keyDocument("aa", "bob", "t2").put("disabled", true));

        assertThat(all(keys("alice", null, null, null, 100))).containsExactly("k2");
        assertThat(all(keys("bob", null, null, null, 100))).containsExactly("k1");
        assertThat(all(keys(null, "t1", null, null, 100))).containsExactly("k2");
        assertThat(all(keys(null, "t2", null, null, 100))).containsExactly("k1");
        assertThat(all(keys(null, null, "o1", null, 100))).containsExactly("k2");
        assertThat(all(keys(null, null, "o2", null, 100))).containsExactly("k1");
        assertThat(all(keys(null, null, null, true, 100))).containsExactly("k1");
        assertThat(all(keys(null, null, null, false, 100))).containsExactly("k2");
        directory.put(TEAM, "t2", new JsonObject().put("org", "o1"));
        assertThat(all(keys(null, null, "o1", null, 100))).containsExactly("k2", "k1");
        assertThat(all(keys(null, null, "o2", null, 100))).isEmpty();
        assertThat(all(keys("bob", null, "o1", true, 100))).containsExactly("k1");
        assertThat(all(keys("bob", "t2", "o1", null, 100))).containsExactly("k1");
        assertThat(all(keys("alice", "t2", null, null, 100))).isEmpty();
    }

    @Test
    void usersTeamsAndOrgsAreListedByName() {
        List.of("bob", "alice", "al", "álvaro", "carol").forEach(name -> directory.put(USER, name,
                new JsonObject().put("teams", name.startsWith("al") ? new JsonArray().add("t").add("u") : new JsonArray())));
        directory.put(TEAM, "t", new JsonObject().put("org", "o"));
        directory.put(TEAM, "s", EMPTY);
        directory.put(ORG, "o", EMPTY);

        assertThat(all(query(USER))).containsExactly("al", "alice", "bob", "carol", "álvaro");
        assertThat(all(new IdentityQuery(USER, null, null, null, null, "al", 1, null))).containsExactly("al", "alice");
        assertThat(all(new IdentityQuery(USER, null, "u", null, null, "", 1, null))).containsExactly("al", "alice");
        assertThat(all(query(TEAM))).containsExactly("s", "t");
        assertThat(all(new IdentityQuery(TEAM, null, null, "o", null, "", 100, null))).containsExactly("t");
        assertThat(all(query(ORG))).containsExactly("o");
        directory.put(USER, "al", new JsonObject().put("teams", new JsonArray().add("t")));
        assertThat(all(new IdentityQuery(USER, null, "u", null, null, "", 100, null))).containsExactly("alice");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 100})
    void pagesAreCompleteAndInOrder(int limit) {
        var expected = new ArrayList<String>();
        for (int team = 0; team < 4; team++) {
            directory.put(TEAM, "t" + team, new JsonObject().put("org", team % 2 == 0 ? "even" : "odd"));
        }
        for (int i = 0; i < 60; i++) {
            var id = "k%03d".formatted(i);
            directory.put(KEY, id, keyDocument("h" + i, "u" + i % 3, "t" + i % 4).put("disabled", i % 5 == 0));
            expected.add(0, id);
        }
        UnaryOperator<String> number = id -> id.substring(1);

        assertThat(all(keys(null, null, null, null, limit))).isEqualTo(expected);
        assertThat(all(keys(null, null, "even", null, limit)))
                .isEqualTo(expected.stream().filter(id -> Integer.parseInt(number.apply(id)) % 2 == 0).toList());
        assertThat(all(keys(null, null, "even", true, limit)))
                .isEqualTo(expected.stream().filter(id -> Integer.parseInt(number.apply(id)) % 10 == 0).toList());
        assertThat(all(keys("u1", "t1", null, false, limit))).isEqualTo(expected.stream().filter(id -> {
            int i = Integer.parseInt(number.apply(id));
            return i % 3 == 1 && i % 4 == 1 && i % 5 != 0;
        }).toList());
        assertThat(all(keys("u1", null, "odd", null, limit))).isEqualTo(expected.stream().filter(id -> {
            int i = Integer.parseInt(number.apply(id));
            return i % 3 == 1 && i % 2 == 1;
        }).toList());
    }

    @Test
    void pageOfFewMatchesExaminesABoundedNumber() {
        for (int i = 0; i < 2500; i++) {
            directory.put(KEY, "k%04d".formatted(i), keyDocument("h" + i, "u", null).put("disabled", i != 0));
        }

        var first = page(keys("u", null, null, false, 100));
        assertThat(first.identities()).isEmpty();
        assertThat(first.next()).isEqualTo("k1500");
        assertThat(all(keys("u", null, null, false, 100))).containsExactly("k0000");
    }

    @Test
    void pageOfKeysOfManyTeamsReadsABoundedNumberOfLists() {
        IntStream.range(0, 400)
                .forEach(i -> directory.put(TEAM, "t%03d".formatted(i), new JsonObject().put("org", "large")));
        IntStream.range(0, 60).forEach(i -> directory.put(KEY, "k%03d".formatted(i), keyDocument("h" + i, null, "t000")));

        directory.send("CONFIG", "RESETSTAT");
        page(keys(null, null, "large", null, 100));
        var calls = Pattern.compile("cmdstat_zrevrangebylex:calls=(\\d+)")
                .matcher(directory.send("INFO", "commandstats").toString());
        assertThat(calls.find()).isTrue();
        assertThat(Integer.parseInt(calls.group(1))).isBetween(400, 2400);
        assertThat(all(keys(null, null, "large", null, 100))).hasSize(60).doesNotHaveDuplicates();
    }

    @Test
    void changesBetweenPagesNeitherRepeatNorSkipOthers() {
        IntStream.range(0, 30).forEach(i -> directory.put(KEY, "k%03d".formatted(i), keyDocument("h" + i, null, "t")));
        var changes = new int[]{0};
        var names = allPages(keys(null, "t", null, null, 7), () -> {
            int change = changes[0]++;
            directory.put(KEY, "k%03d".formatted(100 + change), keyDocument("n" + change, null, "t"));
            directory.delete(KEY, "k%03d".formatted(29 - change));
        });

        assertThat(names).doesNotHaveDuplicates()
                .isEqualTo(new ArrayList<>(new TreeSet<>(names).descendingSet()))
                .hasSize(30);
    }

    @Test
    void cursorThatIsNoNameOfTheListBeginsAnew() {
        directory.put(USER, "alice", EMPTY);
        directory.put(USER, "bob", EMPTY);

        assertThat(page(new IdentityQuery(USER, null, null, null, null, "b", 10, "alice")).identities())
                .extracting(StoredIdentity::name).containsExactly("bob");
    }

    @Test
    void idsSortByTimeAndHaveNoPattern() {
        var ids = IntStream.range(0, 100).mapToObj(i -> await(directory.store().newKeyId())).toList();

        assertThat(ids).isSorted().doesNotHaveDuplicates().allMatch(id -> id.matches("[0-9a-z]{19}"));
    }

    @Test
    void auditLogHasTheNewestEntriesFirst() {
        IntStream.range(0, 5).forEach(i -> directory.put(USER, "u" + i, EMPTY));

        var first = await(directory.store().audit(3, null));
        assertThat(first.entries()).extracting(entry -> entry.getString("subject")).containsExactly("user:u4", "user:u3",
                "user:u2");
        assertThat(first.entries()).allSatisfy(entry -> assertThat(entry.getString("timestamp")).endsWith("Z"));
        var second = await(directory.store().audit(3, first.next()));
        assertThat(second.entries()).extracting(entry -> entry.getString("subject")).containsExactly("user:u1", "user:u0");
        assertThat(second.next()).isNull();
    }

    @Test
    void lastUseIsAddedAndNotStored() {
        directory.put(KEY, "k", keyDocument("aa", null, null));
        directory.send("HSET", key("used"), "k", 490_000);

        var found = directory.find(KEY, "k");
        assertThat(found.document().getString("last_used_at")).isEqualTo("2025-11-24T16:00:00Z");
        assertThat(page(query(KEY)).identities()).containsExactly(found);
        assertThat(directory.put(KEY, "k", found.document()).document()).isEqualTo(found.document());
        assertThat(directory.send("HGET", key("keys"), "k").toString()).doesNotContain("last_used_at");
        directory.delete(KEY, "k");
        assertThat(directory.send("EXISTS", key("used")).toInteger()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"keys", "hashes", "keys-by-id", "keys-by-team", "teams", "revision"})
    void valueOfAnotherTypeIsReportedAndKept(String name) {
        directory.send("DEL", key(name));
        directory.send("RPUSH", key(name), "foreign");

        assertThatThrownBy(() -> directory.put(KEY, "k", keyDocument("aa", null, "t")))
                .isInstanceOf(StoreUnavailableException.class).hasMessageContaining(key(name));
        assertThat(directory.send("KEYS", "*").size()).as("nothing was written").isEqualTo(1);
        if (!name.equals("revision")) {
            assertThatThrownBy(() -> page(query(KEY))).isInstanceOf(StoreUnavailableException.class);
        }
        assertThat(directory.send("LRANGE", key(name), 0, -1).get(0)).hasToString("foreign");
    }

    @Test
    void unreadableRecordBlocksOnlyItself() {
        directory.put(USER, "alice", EMPTY);
        directory.put(USER, "bob", EMPTY);
        for (var broken : List.of("{", "[]", "{\"revision\":1}", "{\"revision\":\"x\",\"document\":{}}", "{\"document\":{}}")) {
            directory.send("HSET", key("users"), "alice", broken);

            assertThatThrownBy(() -> directory.find(USER, "alice")).isInstanceOf(StoreUnavailableException.class);
            assertThatThrownBy(() -> directory.delete(USER, "alice")).isInstanceOf(StoreUnavailableException.class);
            assertThat(all(query(USER))).containsExactly("bob");
            assertThat(directory.send("HGET", key("users"), "alice")).hasToString(broken);
        }
        assertThat(directory.put(USER, "bob", EMPTY)).isNotNull();
    }

    @Test
    void foreignStreamOfChangesIsReplaced() {
        directory.send("SET", key("changes"), "foreign");

        assertThat(directory.put(USER, "alice", EMPTY)).isNotNull();
        assertThat(directory.send("TYPE", key("changes"))).hasToString("stream");
    }

    @Test
    void changeIsAtomicOnACluster() {
        try (var cluster = new DirectoryUnderTest(RedisTestServer.startCluster())) {
            assertThat(cluster.write(KEY, "k", 0, keyDocument("aa", "alice", "t")).status()).isEqualTo(Status.DONE);
            assertThat(cluster.find(KEY, "k")).isNotNull();
        }
    }
}
