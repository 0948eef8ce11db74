package dev.sluice.service.llm;

import java.time.Duration;
import java.util.function.LongSupplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.engine.StoreConfig;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisProvider;
import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * Callers' own keys that a provider has accepted. A key is proven for {@value #RETENTION_DAYS} days after a call with it has
 * succeeded. All instances share this by a marker in Redis that is renewed at most once a day; each instance caches the answer,
 * so that calls with a proven key need no request to Redis. While Redis is unavailable, the cache decides, and a key that is not
 * in it is unproven. Thread-safe and non-blocking.
 * <p>
 * A rejection by the provider (401, 403) does not end the proof: providers also send these for a model, a region or an
 * organization that the key may not use, and a key that was valid once is no invented one. Nobody can have more windows by it.
 */
@ApplicationScoped
class ProvenKeys {

    static final int RETENTION_DAYS = 31;

    static final int MAX_PROVEN = 50_000;
    static final int MAX_UNPROVEN = 10_000;
    static final long UNPROVEN_NANOS = Duration.ofSeconds(5).toNanos();
    static final long RETENTION_NANOS = Duration.ofDays(RETENTION_DAYS).toNanos();
    static final long RENEWAL_NANOS = Duration.ofDays(1).toNanos();
    /** Time until a marker that could not be written is written again, if there is a call then. */
    static final long RETRY_NANOS = Duration.ofMinutes(1).toNanos();

    private static final String RETENTION_SECONDS = Long.toString(Duration.ofDays(RETENTION_DAYS).toSeconds());
    /** Reply to TTL: there is no such key. */
    private static final long MISSING = -2;
    private static final Future<Boolean> PROVEN = Future.succeededFuture(true);
    private static final Future<Boolean> UNPROVEN = Future.succeededFuture(false);

    /**
     * Proof of a key.
     *
     * @param expiresAt time at which it ends
     * @param renewAt time from which the next success renews it
     */
    private record Proof(long expiresAt, long renewAt) {
    }

    /** Null if there is no Redis: the cache is then the only place of the proofs. */
    private final RedisConnectionManager redis;
    private final HashTags hashTags;
    private final long timeoutMillis;
    private final LongSupplier nanoTime;
    private final Cache<ProviderKey, Proof> proven = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_PROVEN)
            .build();
    /** Negative cache: times at which the absence of a marker is forgotten. */
    private final Cache<ProviderKey, Long> unproven = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_UNPROVEN)
            .build();

    @Inject
    ProvenKeys(RedisProvider redis, StoreConfig settings) {
        this(redis.connectionManager(), redis.hashTags(), settings.timeout(), System::nanoTime);
    }

    /** @param timeout maximum time that a call waits for Redis */
    ProvenKeys(RedisConnectionManager redis, HashTags hashTags, Duration timeout, LongSupplier nanoTime) {
        this.redis = redis;
        this.hashTags = hashTags;
        this.timeoutMillis = Math.max(1, timeout.toMillis());
        this.nanoTime = nanoTime;
    }

    /**
     * Returns whether a key is proven.
     *
     * @return never fails; complete if the answer is cached, otherwise completes on any thread
     */
    Future<Boolean> isProven(ProviderKey key) {
        long now = nanoTime.getAsLong();
        var proof = proven.getIfPresent(key);
        if (proof != null && now - proof.expiresAt < 0) {
            return PROVEN;
        }
        if (redis == null || !redis.isUp() || isKnownUnproven(key, now)) {
            return UNPROVEN;
        }
        return redis.within(timeoutMillis, redis.send(Request.cmd(Command.TTL).arg(key.marker(hashTags))))
                .map(reply -> read(key, reply)).otherwise(false);
    }

    private boolean isKnownUnproven(ProviderKey key, long now) {
        var until = unproven.getIfPresent(key);
        return until != null && now - until < 0;
    }

    private boolean read(ProviderKey key, Response reply) {
        long now = nanoTime.getAsLong();
        long seconds = reply.toLong();
        if (seconds == MISSING) {
            unproven.put(key, now + UNPROVEN_NANOS);
            return false;
        }
        long left = seconds < 0 ? RETENTION_NANOS : Math.min(RETENTION_NANOS, Duration.ofSeconds(seconds).toNanos());
        // A marker without expiry was not written by Sluice as it is: the next success replaces it.
        long renewAt = seconds < 0 ? now : now + left - (RETENTION_NANOS - RENEWAL_NANOS);
        proven.put(key, new Proof(now + left, renewAt));
        return true;
    }

    /** Records that the provider has accepted a call with a key. */
    void prove(ProviderKey key) {
        long now = nanoTime.getAsLong();
        var proof = proven.getIfPresent(key);
        if (proof != null && now - proof.renewAt < 0) {
            return;
        }
        proven.put(key, new Proof(now + RETENTION_NANOS, now + RENEWAL_NANOS));
        unproven.invalidate(key);
        if (redis != null) {
            redis.send(Request.cmd(Command.SET).arg(key.marker(hashTags)).arg("1").arg("EX").arg(RETENTION_SECONDS))
                    .onFailure(failure -> proven.put(key, new Proof(now + RETENTION_NANOS, now + RETRY_NANOS)));
        }
    }

    /** Returns the number of cached answers. */
    long cached() {
        proven.cleanUp();
        unproven.cleanUp();
        return proven.estimatedSize() + unproven.estimatedSize();
    }
}
