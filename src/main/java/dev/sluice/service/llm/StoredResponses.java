package dev.sluice.service.llm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import org.jboss.logging.Logger;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.engine.StoreConfig;
import dev.sluice.identity.Sha256;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisProvider;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/**
 * Owners of the responses that providers store, and the calls among them whose usage is not known yet. Kept for
 * {@value #RETENTION_DAYS} days, which is how long OpenAI stores a response: in Redis, by the hash of the id, and in a cache of this
 * instance, which is the only place without Redis. Thread-safe and non-blocking.
 *
 * @see <a href="https://platform.openai.com/docs/guides/background">OpenAI: background mode</a>
 */
@ApplicationScoped
class StoredResponses {

    static final int RETENTION_DAYS = 30;
    static final int MAX_CACHED = 100_000;
    /** Number of calls that are looked for at once. */
    static final int MAX_DUE = 100;

    /** Not ZRANGE … BYSCORE, which Redis 6.0 does not have. */
    private static final Command RANGE_BY_SCORE = Command.create("zrangebyscore");
    private static final Logger LOG = Logger.getLogger(StoredResponses.class);
    private static final String RETENTION_SECONDS = Long.toString(Duration.ofDays(RETENTION_DAYS).toSeconds());

    /** Ids of xAI, whose case may not matter. */
    static final Pattern UUID = Pattern.compile("(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    /** Time at which a call is booked as estimated. */
    private record Due(long epochMillis, String hash) implements Comparable<Due> {

        @Override
        public int compareTo(Due other) {
            int byTime = Long.compare(epochMillis, other.epochMillis);
            return byTime == 0 ? hash.compareTo(other.hash) : byTime;
        }
    }

    private record Pending(Due due, StoredResponse response) {
    }

    /** Null if there is no Redis. */
    private final RedisConnectionManager redis;
    private final HashTags hashTags;
    private final long timeoutMillis;
    private final Cache<String, StoredResponse> cache = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_CACHED)
            .expireAfterWrite(Duration.ofDays(RETENTION_DAYS)).build();
    /** Calls that this instance has deferred, by hash: unlike owners, they must not be evicted. */
    private final ConcurrentHashMap<String, Pending> pending = new ConcurrentHashMap<>();
    /** The same calls in the order of their time. */
    private final ConcurrentSkipListSet<Due> dues = new ConcurrentSkipListSet<>();
    /** Size of the set, which it would have to count. */
    private final AtomicInteger dueCount = new AtomicInteger();

    @Inject
    StoredResponses(RedisProvider redis, StoreConfig settings) {
        this(redis.connectionManager(), redis.hashTags(), settings.timeout());
    }

    StoredResponses(RedisConnectionManager redis, HashTags hashTags, Duration timeout) {
        this.redis = redis;
        this.hashTags = hashTags;
        this.timeoutMillis = Math.max(1, timeout.toMillis());
    }

    /** Returns the hash by which a stored object is known here. */
    static String hash(Provider provider, String id) {
        return Sha256.hex(provider.id() + ':' + (UUID.matcher(id).matches() ? id.toLowerCase(Locale.ROOT) : id));
    }

    String key(String hash) {
        return hashTags.keyPrefix(hash) + "o:" + hash;
    }

    /** Returns the key of the set of deferred calls by the time at which they are due. */
    private String dueKey() {
        return hashTags.globalKey("deferred");
    }

    /** Remembers a stored object. If its call is pending, it is due at the end of its lifetime. */
    void remember(String hash, StoredResponse response, long nowMillis) {
        put(hash, response);
        if (response.pending() != null) {
            var due = new Due(nowMillis + response.pending().lifetime().toMillis(), hash);
            pending.put(hash, new Pending(due, response));
            if (dues.add(due)) {
                dueCount.incrementAndGet();
            }
            if (redis != null) {
                redis.send(Request.cmd(Command.ZADD).arg(dueKey()).arg(due.epochMillis).arg(hash))
                        .onFailure(StoredResponses::log);
            }
        }
    }

    /** Records that the call of a response is settled. */
    void settle(String hash, StoredResponse response) {
        forgetDue(hash);
        put(hash, response.settled());
    }

    /** Removes a call from the deferred ones of all instances. */
    void forgetDue(String hash) {
        var ended = pending.remove(hash);
        if (ended != null) {
            removeDue(ended.due);
        }
        if (redis != null) {
            redis.send(Request.cmd(Command.ZREM).arg(dueKey()).arg(hash)).onFailure(StoredResponses::log);
        }
    }

    private boolean removeDue(Due due) {
        boolean removed = dues.remove(due);
        if (removed) {
            dueCount.decrementAndGet();
        }
        return removed;
    }

    private void put(String hash, StoredResponse response) {
        cache.put(hash, response);
        if (redis != null) {
            redis.send(Request.cmd(Command.SET).arg(key(hash)).arg(response.encode()).arg("EX").arg(RETENTION_SECONDS))
                    .onFailure(StoredResponses::log);
        }
    }

    private static void log(Throwable failure) {
        LOG.debug("Stored response could not be written to Redis", failure);
    }

    /**
     * Returns a stored object.
     *
     * @return null if it is not known; fails if Redis does not reply and this instance does not know it. Completes on the Vert.x
     *         context of the caller, if there is one
     */
    Future<StoredResponse> find(String hash) {
        var cached = cached(hash);
        // The call of a pending one may have been settled by another instance; that it is settled again does no harm.
        return cached != null || redis == null ? Future.succeededFuture(cached) : onContext(Vertx.currentContext(), read(hash));
    }

    private static <T> Future<T> onContext(Context context, Future<T> future) {
        if (context == null) {
            return future;
        }
        Promise<T> completed = Promise.promise();
        future.onComplete(done -> context.runOnContext(moved -> completed.handle(done)));
        return completed.future();
    }

    private StoredResponse cached(String hash) {
        var call = pending.get(hash);
        return call == null ? cache.getIfPresent(hash) : call.response;
    }

    private Future<StoredResponse> read(String hash) {
        return redis.within(timeoutMillis, redis.send(Request.cmd(Command.GET).arg(key(hash)))).map(reply -> {
            if (reply == null) {
                return null;
            }
            try {
                var response = StoredResponse.decode(reply.toString());
                cache.put(hash, response);
                return response;
            } catch (RuntimeException e) { // written by something else
                return null;
            }
        });
    }

    /**
     * Takes the next call of this instance that is due: the hash of its response; null if there is none. Of more than
     * {@value #MAX_CACHED} calls, the oldest is due before its time.
     */
    String pollDue(long nowMillis) {
        var first = dues.isEmpty() ? null : dues.first();
        return first != null && (first.epochMillis <= nowMillis || dueCount.get() > MAX_CACHED) && removeDue(first)
                ? first.hash
                : null;
    }

    /** Returns the hashes of responses whose calls are due, of all instances; none while Redis does not reply. */
    Future<List<String>> findDue(long nowMillis) {
        if (redis == null || !redis.isUp()) {
            return Future.succeededFuture(List.of());
        }
        var request = Request.cmd(RANGE_BY_SCORE).arg(dueKey()).arg("-inf").arg(nowMillis).arg("LIMIT").arg(0)
                .arg(MAX_DUE);
        return redis.within(timeoutMillis, redis.send(request)).<List<String>>map(reply -> {
            var hashes = new ArrayList<String>();
            reply.forEach(hash -> hashes.add(hash.toString()));
            return hashes;
        }).otherwise(List.of());
    }

    /** Returns the newest state of a response, as {@link #find}. */
    Future<StoredResponse> reload(String hash) {
        return redis == null || !redis.isUp()
                ? Future.succeededFuture(cached(hash))
                : read(hash).map(found -> found == null ? cached(hash) : found) // written while Redis was unavailable
                        .recover(failure -> Future.succeededFuture(cached(hash)));
    }
}
