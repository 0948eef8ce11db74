package dev.sluice.directory.cache;

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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.directory.DirectoryCalls;
import dev.sluice.directory.DirectoryUnderTest;
import dev.sluice.directory.IdentityWrite;
import dev.sluice.directory.InvalidRecordException;
import dev.sluice.directory.RedisIdentityStore;
import dev.sluice.identity.chain.ChainLevel;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.testing.Polling;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Directories of two instances that share a Redis; their clocks, and when they poll, are the test's. */
class CallerDirectoryTest {

    private static final int SIZE = 1000;
    private static final long STALENESS_SECONDS = 60;

    private final DirectoryUnderTest redis = new DirectoryUnderTest();
    private final AtomicLong nanos = new AtomicLong(1_000_000_000);
    private final RedisConnectionManager manager = redis.newManager();
    private final IdentityCache cache = newCache();
    private final CachedCallerDirectory directory = newDirectory(manager, cache);
    private final CachedCallerDirectory other = newDirectory(redis.newManager(), newCache());

    private IdentityCache newCache() {
        return new IdentityCache(SIZE, TimeUnit.SECONDS.toNanos(STALENESS_SECONDS), nanos::get);
    }

    private static CachedCallerDirectory newDirectory(RedisConnectionManager connection, IdentityCache cache) {
        return new CachedCallerDirectory(connection, DirectoryUnderTest.calls(connection), cache, SIZE, LuaScript.SERVER_TIME);
    }

    @BeforeEach
    void start() {
        poll(directory);
        poll(other);
    }

    @AfterEach
    void close() {
        redis.close();
    }

    private void poll(CachedCallerDirectory polled) {
        var connection = polled == directory ? manager : null;
        await(DirectoryCalls.toUni(polled.poller()::poll));
        assertThat(connection == null || connection.isUp()).isTrue();
    }

    private void pass(long seconds) {
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
    }

    private long commands(String name) {
        var info = redis.send("INFO", "commandstats").toString();
        return info.lines().filter(line -> line.startsWith("cmdstat_" + name + ":")).findFirst()
                .map(line -> Long.parseLong(line.replaceAll(".*:calls=(\\d+).*", "$1"))).orElse(0L);
    }

    private String idOf(CachedCallerDirectory asked, String hash) {
        var known = asked.findKey(hash);
        var result = known != null ? known : await(asked.loadKey(hash));
        return result.key() == null ? null : result.key().id();
    }

    @Test
    void unknownKeyIsReadOnceAndKnownToBeUnknown() {
        assertThat(directory.findKey("aa")).isNull();
        assertThat(await(directory.loadKey("aa"))).isEqualTo(KeyResult.NONE);
        assertThat(directory.findKey("aa")).isEqualTo(KeyResult.NONE);
        assertThat(directory.isCachedKey("aa")).isFalse();
    }

    @Test
    void keyHasTheLevelsOfItsChain() {
        redis.put(ORG, "o", new JsonObject().put("limits", limits("1/s")).put("member_limits", limits("2/s"))
                .put("models", new JsonArray().add("gpt-*")));
        redis.put(TEAM, "t", new JsonObject().put("org", "o").put("limits", limits("3/s")).put("member_limits", limits("4/s")));
        redis.put(USER, "u", new JsonObject().put("limits", limits("5/s")).put("tier", "pro"));
        redis.put(KEY, "k", keyDocument("aa", "u", "t").put("limits", limits("6/s")).put("tier", "free")
                .put("models", new JsonArray().add("gpt-4o")));

        var caller = await(directory.loadKey("aa")).key().caller();
        assertThat(caller.tier()).isEqualTo("pro");
        assertThat(caller.chain().levels()).extracting(ChainLevel::identifier).containsExactly("key:k", "user:u",
                "team:t/user:u", "team:t", "org:o/user:u", "org:o");
        assertThat(caller.chain().levels()).extracting(level -> level.limits().api().toString()).containsExactly("6/s", "5/s",
                "4/s", "3/s", "2/s", "1/s");
        assertThat(caller.chain().models()).containsExactly(List.of("gpt-4o"), List.of("gpt-*"));
        assertThat(caller.chain()).extracting("key", "user", "team", "org").containsExactly("k", "u", "t", "o");
        poll(directory);
        var user = await(directory.loadCaller("u", "t", "ignored"));
        assertThat(user.chain().org()).as("the team's own").isEqualTo("o");
        assertThat(user.chain().levels()).hasSize(5);
    }

    private static JsonObject limits(String api) {
        return new JsonObject().put("api", api);
    }

    @Test
    void changesReachOtherInstancesWithTheNextPoll() {
        assertThat(idOf(other, "aa")).isNull();
        redis.put(KEY, "k", keyDocument("aa", "u", "t"));
        redis.put(KEY, "k2", keyDocument("bb", null, null));
        poll(other);
        assertThat(idOf(other, "aa")).as("created").isEqualTo("k");
        assertThat(idOf(other, "bb")).isEqualTo("k2");
        assertThat(other.findKey("aa").key().caller().chain().levels()).isEmpty();
        redis.put(TEAM, "t", new JsonObject().put("limits", limits("3/s")));
        poll(other);
        assertThat(other.findKey("aa")).as("depends on the team").isNull();
        assertThat(other.findKey("bb")).as("does not depend on it").isNotNull();
        assertThat(await(other.loadKey("aa")).key().caller().chain().levels()).hasSize(1);
        redis.put(KEY, "k", keyDocument("aa", "u", "t").put("disabled", true));
        poll(other);
        assertThat(idOf(other, "aa")).as("disabled").isNull();
        assertThat(other.isCachedKey("aa")).isTrue();
        redis.put(KEY, "k", keyDocument("cc", "u", "t"));
        poll(other);
        assertThat(idOf(other, "aa")).as("rotated out").isNull();
        assertThat(idOf(other, "cc")).isEqualTo("k");
        redis.delete(KEY, "k");
        poll(other);
        assertThat(idOf(other, "cc")).as("deleted").isNull();
        assertThat(idOf(other, "bb")).isEqualTo("k2");
    }

    @Test
    void changeOfThisInstanceIsEffectiveWithItsReply() {
        var store = new RedisIdentityStore(DirectoryUnderTest.calls(manager), directory::onChange, LuaScript.SERVER_TIME);
        assertThat(idOf(directory, "aa")).isNull();
        await(store.write(new IdentityWrite(KEY, "k", 0, keyDocument("aa", null, null), new JsonObject())));
        assertThat(idOf(directory, "aa")).isEqualTo("k");
        assertThat(directory.hasKeys()).isTrue();
        await(store.write(new IdentityWrite(KEY, "k", -1, null, new JsonObject())));
        assertThat(idOf(directory, "aa")).isNull();
    }

    @Test
    void expiryIsThatOfTheTextOrOfTheKey() {
        var document = keyDocument("aa", null, null);
        document.getJsonArray("hashes").add(new JsonObject().put("sha256", "old").put("expires_at", "2001-01-01T00:00:00Z"))
                .add(new JsonObject().put("sha256", "grace").put("expires_at", "2999-01-01T00:00:00+01:00"));
        redis.put(KEY, "k", document);
        redis.put(KEY, "k2", keyDocument("bb", null, null).put("expires_at", "2001-01-01T00:00:00Z"));

        assertThat(idOf(directory, "aa")).isEqualTo("k");
        assertThat(idOf(directory, "grace")).isEqualTo("k");
        assertThat(idOf(directory, "old")).isNull();
        assertThat(idOf(directory, "bb")).isNull();
    }

    @Test
    void concurrentMissesShareOneRead() {
        redis.put(KEY, "k", keyDocument("aa", null, null));
        long before = commands("evalsha");
        redis.redis().suspend();
        var results = IntStream.range(0, 500)
                .mapToObj(i -> directory.loadKey(i % 2 == 0 ? "aa" : "unknown" + i % 50).subscribeAsCompletionStage()).toList();
        redis.redis().resume();

        assertThat(results).extracting(result -> result.get(60, TimeUnit.SECONDS)).filteredOn(result -> result.key() != null)
                .hasSize(250);
        assertThat(commands("evalsha") - before).as("the first lookup, and all others").isEqualTo(2);
    }

    @Test
    void guessedKeysEvictNoRealOnesAndTakeBoundedMemory() {
        IntStream.range(0, 500).forEach(i -> redis.put(KEY, "k" + i, keyDocument("real" + i, "u" + i, null)));
        poll(directory);
        IntStream.range(0, 500).forEach(i -> assertThat(idOf(directory, "real" + i)).isEqualTo("k" + i));
        for (int from = 0; from < 100_000; from += 1000) {
            await(Uni.join().all(IntStream.range(from, from + 1000).mapToObj(guess -> directory.loadKey("guess" + guess))
                    .toList()).andFailFast());
        }

        long reads = commands("evalsha");
        IntStream.range(0, 500).forEach(i -> assertThat(directory.findKey("real" + i).key()).isNotNull());
        assertThat(commands("evalsha")).as("calls for keys in the cache").isEqualTo(reads);
        assertThat(cache.sizes()).as("keys, unknown hashes, records, unknown names").containsExactly(500L,
                (long) IdentityCache.MAX_UNKNOWN_HASHES, 0L, 500L);
    }

    @Test
    void tooManyDifferentMissesFail() {
        redis.put(USER, "u", new JsonObject());
        poll(directory);
        var failures = new ArrayList<Throwable>();
        redis.redis().suspend();
        var latch = new CountDownLatch(1);
        for (int i = 0; i <= LookupBatcher.MAX_WAITING; i++) {
            directory.loadKey("guess" + i).subscribe().with(result -> {
            }, failure -> {
                failures.add(failure);
                latch.countDown();
            });
        }
        assertThat(latch.getCount()).isZero();
        assertThat(failures).first().isInstanceOf(StoreUnavailableException.class);
        assertThat(directory.loadCaller("u", null, null).subscribe().asCompletionStage())
                .as("limits are not left out while Redis is there").isCompletedExceptionally();
        redis.redis().resume();
    }

    @Test
    void knownKeysGoOnWithoutRedisUntilTheyAreTooOld() {
        redis.put(KEY, "k", keyDocument("aa", null, null));
        poll(directory);
        assertThat(idOf(directory, "aa")).isEqualTo("k");
        pass(30);
        poll(directory);
        long lastPoll = nanos.get();
        redis.redis().close();
        Polling.await().until(() -> !manager.isUp());

        assertThat(directory.findKey("aa").key().id()).as("not read since").isEqualTo("k");
        assertThatThrownBy(() -> await(directory.loadKey("bb"))).isInstanceOf(StoreUnavailableException.class);
        nanos.set(lastPoll + TimeUnit.SECONDS.toNanos(STALENESS_SECONDS));
        assertThat(directory.findKey("aa").key().id()).isEqualTo("k");
        assertThat(await(directory.loadKey("aa")).key().id()).isEqualTo("k");
        pass(1);
        assertThat(directory.findKey("aa")).isNull();
        assertThatThrownBy(() -> await(directory.loadKey("aa"))).isInstanceOf(StoreUnavailableException.class);
        assertThat(await(directory.loadCaller("u", "t", "o")).chain()).as("credentials that are valid without Redis")
                .extracting("user", "team", "org").containsExactly("u", "t", "o");
    }

    @Test
    void entryIsReadAgainEachMinuteEvenIfTheStreamNamesNoChange() {
        redis.put(KEY, "k", keyDocument("aa", null, null));
        poll(directory);
        assertThat(idOf(directory, "aa")).isEqualTo("k");
        // the change of a program that does not write to the stream
        redis.send("HDEL", key("hashes"), "aa");
        pass(40);
        poll(directory);
        assertThat(directory.findKey("aa").key()).isNotNull();
        pass(21);
        poll(directory);
        assertThat(directory.findKey("aa")).isNull();
        assertThat(await(directory.loadKey("aa"))).isEqualTo(KeyResult.NONE);
    }

    @Test
    void entryThatIsUsedIsReadAgainAheadOfTime() {
        redis.put(KEY, "k", keyDocument("aa", null, null));
        poll(directory);
        assertThat(idOf(directory, "aa")).isEqualTo("k");
        pass(50);
        poll(directory);
        assertThat(directory.findKey("aa").key()).isNotNull();
        poll(directory); // replied to after the read in the background
        pass(50);
        poll(directory);
        assertThat(directory.findKey("aa").key()).as("would be 100 seconds old").isNotNull();
    }

    @Test
    void missingEntriesOfTheStreamAreNoticed() {
        redis.put(KEY, "k", keyDocument("aa", null, null));
        poll(other);
        assertThat(idOf(other, "aa")).isEqualTo("k");
        redis.delete(KEY, "k");
        redis.send("XTRIM", key("changes"), "MAXLEN", "0");
        poll(other);
        assertThat(other.findKey("aa")).as("to be read again").isNull();
        assertThat(idOf(other, "aa")).isNull();

        redis.put(KEY, "k", keyDocument("aa", null, null));
        poll(other);
        assertThat(idOf(other, "aa")).isEqualTo("k");
        redis.send("FLUSHALL");
        poll(other);
        assertThat(idOf(other, "aa")).as("Redis has lost its data").isNull();
    }

    /** A failover that loses a change gives its number to the next one. */
    @Test
    void recordIsReadAgainAlsoIfItsRevisionIsThatOfALostChange() {
        redis.put(KEY, "k", keyDocument("aa", "u", null));
        var revision = redis.put(USER, "u", new JsonObject().put("tier", "pro")).revision();
        poll(other);
        assertThat(idOf(other, "aa")).isEqualTo("k");
        redis.send("HSET", key("users"), "u", "{\"revision\":" + revision + ",\"document\":{\"disabled\":true}}");
        redis.send("DEL", key("changes"));
        poll(other);
        assertThat(idOf(other, "aa")).isEqualTo("k");
        pass(61);
        poll(other);
        assertThat(idOf(other, "aa")).as("disabled").isNull();
    }

    @Test
    void foreignStreamIsReplacedAndEverythingReadAgain() {
        redis.put(KEY, "k", keyDocument("aa", null, null));
        poll(other);
        assertThat(idOf(other, "aa")).isEqualTo("k");
        redis.delete(KEY, "k");
        redis.send("DEL", key("changes"));
        redis.send("SET", key("changes"), "foreign");
        poll(other);
        assertThat(idOf(other, "aa")).isNull();
        redis.put(KEY, "k", keyDocument("aa", null, null));
        poll(other);
        assertThat(idOf(other, "aa")).isEqualTo("k");
    }

    @Test
    void invalidDocumentFailsItsOwnRequestsOnly() {
        redis.put(KEY, "k", keyDocument("aa", "u", null));
        redis.put(KEY, "k2", keyDocument("bb", "v", null));
        redis.put(USER, "u", new JsonObject().put("limits", limits("many")));
        poll(directory);

        assertThatThrownBy(() -> await(directory.loadKey("aa"))).isInstanceOf(StoreUnavailableException.class)
                .hasMessageContaining("/limits/api");
        assertThatThrownBy(() -> await(directory.loadCaller("u", null, null))).isInstanceOf(InvalidRecordException.class)
                .hasMessageContaining("/limits/api");
        assertThat(idOf(directory, "bb")).isEqualTo("k2");
        redis.send("DEL", key("users"));
        redis.send("SET", key("users"), "foreign");
        assertThatThrownBy(() -> await(directory.loadCaller("u", null, null))).isInstanceOf(InvalidRecordException.class);
        assertThatThrownBy(() -> await(directory.loadKey("aa"))).isInstanceOf(StoreUnavailableException.class);
    }

    @Test
    void usersWithoutRecordsCostNoReadIfThereAreNone() {
        assertThat(directory.findCaller("alice", null, null)).isNotNull();
        redis.put(USER, "bob", new JsonObject().put("limits", limits("1/s")));
        poll(directory);
        assertThat(directory.findCaller("alice", null, null)).isNull();
        assertThat(await(directory.loadCaller("alice", null, null)).chain().levels()).isEmpty();
        assertThat(directory.findCaller("alice", null, null)).isNotNull();
        assertThat(await(directory.loadCaller("bob", null, null)).chain().levels()).hasSize(1);
        redis.put(USER, "alice", new JsonObject().put("limits", limits("1/s")));
        poll(directory);
        assertThat(await(directory.loadCaller("alice", null, null)).chain().levels()).hasSize(1);
    }

    @Test
    void keysAreUnknownUntilRedisHasReplied() {
        assertThat(directory.mayHaveKey("anything")).as("Redis has none").isFalse();
        redis.put(KEY, "k", keyDocument("aa", null, null));
        poll(directory);
        assertThat(directory.mayHaveKey("anything")).isTrue();
        var unconnected = newDirectory(new RedisConnectionManager(redis.vertx(),
                () -> Future.failedFuture("down"), DirectoryUnderTest.HASH_TAGS, 10), newCache());
        assertThat(unconnected.mayHaveKey("anything")).isFalse();
        assertThat(unconnected.mayHaveKey("sk-sluice-abc")).isTrue();
        assertThatThrownBy(() -> await(unconnected.loadKey("aa"))).isInstanceOf(StoreUnavailableException.class);
    }

    @Test
    void useIsWrittenOncePerHour() throws Exception {
        redis.put(KEY, "k", keyDocument("aa", null, null));
        idOf(directory, "aa");
        var key = directory.findKey("aa").key();
        long revision = redis.find(KEY, "k").revision();
        for (int i = 0; i < 3; i++) {
            directory.recordUse(key);
            directory.recordUse(new ResolvedKey("deleted", "key:deleted", key.caller(), false, 0));
            directory.usage().flush().toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
        }

        assertThat(redis.find(KEY, "k").document().getString("last_used_at")).matches("20..-..-..T..:00:00Z");
        assertThat(redis.find(KEY, "k").revision()).isEqualTo(revision);
        assertThat(redis.send("HLEN", key("used")).toInteger()).isEqualTo(1);
        assertThat(commands("hset")).as("one for each of hash, record and use").isEqualTo(3);
    }
}
