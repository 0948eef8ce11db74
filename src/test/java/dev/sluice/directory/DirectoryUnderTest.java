package dev.sluice.directory;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestServer;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Directory in a Redis of the test's own. */
public final class DirectoryUnderTest implements AutoCloseable {

    public static final HashTags HASH_TAGS = new HashTags("sluice");

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final RedisTestServer redis;
    private final Vertx vertx = Vertx.vertx();
    private final Redis client;
    private final List<RedisConnectionManager> managers = new ArrayList<>();
    private final RedisIdentityStore store;

    public DirectoryUnderTest() {
        this(RedisTestServer.start());
    }

    public DirectoryUnderTest(RedisTestServer redis) {
        this.redis = redis;
        this.client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
        this.store = new RedisIdentityStore(calls(newManager()), (kind, name, revision, hashes) -> {
        }, LuaScript.SERVER_TIME);
    }

    /** Returns another connection to the same Redis, as another instance has. */
    public RedisConnectionManager newManager() {
        var manager = new RedisConnectionManager(vertx, client::connect, HASH_TAGS, 100_000);
        manager.start();
        Polling.await().until(manager::isUp); // a cluster takes a moment to serve its slots
        managers.add(manager);
        return manager;
    }

    public static DirectoryCalls calls(RedisConnectionManager manager) {
        return new DirectoryCalls(manager, new DirectoryKeys(HASH_TAGS), TIMEOUT.toMillis());
    }

    public RedisIdentityStore store() {
        return store;
    }

    public RedisTestServer redis() {
        return redis;
    }

    public Vertx vertx() {
        return vertx;
    }

    public Response send(String command, Object... arguments) {
        var request = Request.cmd(Command.create(command));
        Arrays.stream(arguments).forEach(argument -> request.arg(argument.toString()));
        return client.send(request).toCompletionStage().toCompletableFuture().join();
    }

    public static String key(String name) {
        return "sluice:{identities}:" + name;
    }

    public static <T> T await(Uni<T> uni) {
        return uni.await().atMost(TIMEOUT);
    }

    public WriteResult write(IdentityKind kind, String name, long expectedRevision, JsonObject document) {
        return await(store.write(new IdentityWrite(kind, name, expectedRevision, document,
                new JsonObject().put("subject", kind.identifier(name)))));
    }

    public StoredIdentity put(IdentityKind kind, String name, JsonObject document) {
        return write(kind, name, IdentityWrite.ANY_REVISION, document).stored();
    }

    public WriteResult delete(IdentityKind kind, String name) {
        return write(kind, name, IdentityWrite.ANY_REVISION, null);
    }

    public StoredIdentity find(IdentityKind kind, String name) {
        return await(store.find(kind, name));
    }

    /** Returns the document of a key. */
    public static JsonObject keyDocument(String hash, String user, String team) {
        return new JsonObject().put("user", user).put("team", team)
                .put("hashes", new JsonArray().add(new JsonObject().put("sha256", hash).putNull("expires_at")));
    }

    @Override
    public void close() {
        managers.forEach(RedisConnectionManager::close);
        client.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        redis.close();
    }
}
