package dev.sluice.directory.cache;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;

import dev.sluice.directory.IdentityKind;

/**
 * Cache of keys by their hash, and of users, teams and organisations by name. What is known not to exist is kept apart, so that
 * guessed keys cannot evict real ones. Thread-safe.
 * <p>
 * An entry is {@linkplain Freshness#CURRENT current} for {@value #MAX_AGE_SECONDS} seconds after it was read, if no change was
 * missed since. While Redis is away, an entry may be used until {@code maxStaleness} after its last confirmation, which is the last
 * complete read of the stream of changes.
 */
final class IdentityCache {

    /** Seconds after which an entry is read again even if the stream of changes names no change: backstop of the stream. */
    static final int MAX_AGE_SECONDS = 60;
    /** Maximum number of hashes that are known to belong to no key. */
    static final int MAX_UNKNOWN_HASHES = 10_000;

    private static final long MAX_AGE_NANOS = TimeUnit.SECONDS.toNanos(MAX_AGE_SECONDS);
    /** Age from which on an entry that is used is read again ahead of time. */
    private static final long REFRESH_AGE_NANOS = TimeUnit.SECONDS.toNanos(45);

    /** States of an entry by its age. */
    enum Freshness {
        /** It may be used. */
        CURRENT,
        /** It may be used, and should be read again soon. */
        AGEING,
        /** It may be used only if it cannot be read again. */
        STALE,
        /** It must not be used. */
        UNUSABLE
    }

    private final LongSupplier nanoClock;
    private final long maxStalenessNanos;
    private final Cache<String, CachedKey> keys;
    private final Cache<String, CachedKey> unknownHashes;
    private final Map<IdentityKind, Cache<String, CachedRecord>> records = new EnumMap<>(IdentityKind.class);
    private final Map<IdentityKind, Cache<String, CachedRecord>> unknownNames = new EnumMap<>(IdentityKind.class);
    private volatile Confirmation confirmation;

    /**
     * @param maxSize maximum number of keys, and of the records of each kind
     * @param maxStalenessNanos how long after its last confirmation an entry may be used without Redis
     * @param nanoClock {@link System#nanoTime}, or a test's own clock
     */
    IdentityCache(int maxSize, long maxStalenessNanos, LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        this.maxStalenessNanos = maxStalenessNanos;
        this.confirmation = new Confirmation(nanoClock.getAsLong());
        this.keys = newCache(maxSize);
        this.unknownHashes = newCache(MAX_UNKNOWN_HASHES);
        for (var kind : List.of(IdentityKind.USER, IdentityKind.TEAM, IdentityKind.ORG)) {
            records.put(kind, newCache(maxSize));
            unknownNames.put(kind, newCache(maxSize));
        }
    }

    /** An entry that has left the cache would not learn of changes, but others may still refer to it. */
    private static <E extends CachedEntry> Cache<String, E> newCache(int maxSize) {
        return Caffeine.newBuilder().executor(Runnable::run).maximumSize(maxSize)
                .evictionListener((String name, E entry, RemovalCause cause) -> {
                    if (entry != null) {
                        entry.invalidate();
                    }
                }).build();
    }

    long now() {
        return nanoClock.getAsLong();
    }

    Confirmation confirmation() {
        return confirmation;
    }

    /** Returns the cached key of a hash; null if it is not cached. */
    @Nullable
    CachedKey key(String hash) {
        var key = keys.getIfPresent(hash);
        return key != null ? key : unknownHashes.getIfPresent(hash);
    }

    /** Returns the cached record of a name; null if it is not cached. */
    @Nullable
    CachedRecord record(IdentityKind kind, String name) {
        var record = records.get(kind).getIfPresent(name);
        return record != null ? record : unknownNames.get(kind).getIfPresent(name);
    }

    /** Returns whether an entry may be used now. */
    Freshness freshness(CachedEntry entry) {
        long now = now();
        if (entry.isInvalid() || now - entry.confirmedAt() > maxStalenessNanos) {
            return Freshness.UNUSABLE;
        }
        long age = now - entry.readAt();
        if (age > MAX_AGE_NANOS || !entry.isObserved(confirmation)) {
            return Freshness.STALE;
        }
        return age > REFRESH_AGE_NANOS ? Freshness.AGEING : Freshness.CURRENT;
    }

    /** Stores what was read of a key. */
    CachedKey put(String hash, CachedKey key) {
        boolean known = key.key() != null;
        (known ? keys : unknownHashes).put(hash, key);
        (known ? unknownHashes : keys).invalidate(hash);
        return key;
    }

    /**
     * Stores what was read of a record.
     *
     * @param read position at which it was read
     * @return the record in the cache: the one of before, renewed, if its attributes are the same, so that keys that depend on it stay
     *         valid. Revisions are not compared: after a failover, a number may be that of a change which was lost
     */
    CachedRecord put(IdentityKind kind, CachedRecord record, Position read) {
        var before = record(kind, record.name());
        if (before != null && Objects.equals(before.attributes(), record.attributes()) && !before.isInvalid()) {
            before.renew(confirmation, read);
            return before;
        }
        if (before != null) {
            evict(kind, record.name(), Long.MAX_VALUE);
        }
        (record.attributes() != null ? records : unknownNames).get(kind).put(record.name(), record);
        return record;
    }

    /**
     * Evicts an identity that has changed.
     *
     * @param hashes the hashes of a key
     * @param revision number of the change: entries that were read after it stay
     */
    void evict(IdentityKind kind, String name, List<String> hashes, long revision) {
        if (kind == IdentityKind.KEY) {
            for (var hash : hashes) {
                invalidate(keys, hash, revision);
                invalidate(unknownHashes, hash, revision);
            }
        } else {
            evict(kind, name, revision);
        }
    }

    private void evict(IdentityKind kind, String name, long revision) {
        invalidate(records.get(kind), name, revision);
        invalidate(unknownNames.get(kind), name, revision);
    }

    private static <E extends CachedEntry> void invalidate(Cache<String, E> cache, String name, long revision) {
        var entry = cache.getIfPresent(name);
        if (entry != null && entry.isBefore(revision)) {
            entry.invalidate();
            cache.invalidate(name);
        }
    }

    /** Changes may have been missed: every entry is to be read again. Until that succeeds, it may be used as an old one. */
    void restart(long sentAt) {
        confirmation = new Confirmation(sentAt);
    }

    /** Returns the number of entries of each cache, for tests: keys, unknown hashes, records and unknown names. */
    List<Long> sizes() {
        var sizes = new ArrayList<Long>();
        sizes.add(size(keys));
        sizes.add(size(unknownHashes));
        sizes.add(records.values().stream().mapToLong(IdentityCache::size).sum());
        sizes.add(unknownNames.values().stream().mapToLong(IdentityCache::size).sum());
        return sizes;
    }

    private static long size(Cache<?, ?> cache) {
        cache.cleanUp();
        return cache.estimatedSize();
    }
}
