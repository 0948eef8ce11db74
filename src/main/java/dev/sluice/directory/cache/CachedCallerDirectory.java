package dev.sluice.directory.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.directory.DirectoryCalls;
import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityNames;
import dev.sluice.directory.InvalidRecordException;
import dev.sluice.directory.cache.IdentityCache.Freshness;
import dev.sluice.directory.cache.LookupBatcher.OverloadException;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.redis.RedisConnectionManager;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;

/** Directory of the identities in Redis, with a cache that follows their changes. Thread-safe. */
final class CachedCallerDirectory implements CallerDirectory, LookupBatcher.Owner {

    private final IdentityCache cache;
    private final ChangePoller poller;
    private final LookupBatcher batcher;
    private final RecordReader reader;
    private final KeyUsage usage;

    CachedCallerDirectory(RedisConnectionManager manager, DirectoryCalls calls, IdentityCache cache, int maxSize,
            String timeExpression) {
        this.cache = cache;
        this.poller = new ChangePoller(manager, calls, cache, timeExpression);
        this.batcher = new LookupBatcher(calls, this, timeExpression);
        this.reader = new RecordReader(calls, cache);
        this.usage = new KeyUsage(calls, maxSize, poller::currentTimeMillis, timeExpression);
    }

    /** Starts to follow the changes of other instances. */
    void start(RedisConnectionManager manager) {
        poller.start();
        manager.runEvery(KeyUsage.FLUSH_INTERVAL_MILLIS, usage::flush);
    }

    /** Writes what is not written yet. */
    Future<Void> stop() {
        return usage.flush();
    }

    @Override
    public long now() {
        return cache.now();
    }

    @Override
    public int connection() {
        return poller.connection();
    }

    @Override
    public void onPosition(Position position) {
        poller.onPosition(position);
    }

    /** An identity was stored or deleted by this instance. Called on the connection's event loop. */
    void onChange(IdentityKind kind, String name, long revision, List<String> hashes) {
        cache.evict(kind, name, hashes, revision);
        poller.noteStored(kind);
    }

    ChangePoller poller() {
        return poller;
    }

    KeyUsage usage() {
        return usage;
    }

    @Override
    public boolean mayHaveKey(String text) {
        return text.startsWith(KEY_PREFIX) || poller.isKnown() && poller.hasAny(IdentityKind.KEY);
    }

    @Override
    public boolean hasKeys() {
        return poller.hasAny(IdentityKind.KEY);
    }

    @Override
    public boolean isCachedKey(String hash) {
        var cached = cache.key(hash);
        return cached != null && cached.key() != null;
    }

    @Override
    public @Nullable KeyResult findKey(String hash) {
        var cached = usable(cache.key(hash), () -> readKey(hash));
        return cached == null ? null : result(cached);
    }

    private KeyResult result(CachedKey cached) {
        var key = cached.key();
        return key != null && key.isValid(poller.currentTimeMillis()) ? new KeyResult(key) : KeyResult.NONE;
    }

    @Override
    public Uni<KeyResult> loadKey(String hash) {
        return DirectoryCalls.toUni(() -> readKey(hash).recover(failure -> fallback(cache.key(hash), failure))
                .map(this::result));
    }

    private Future<CachedKey> readKey(String hash) {
        return batcher.read(new LookupBatcher.Lookup("hash", hash), (reply, position) -> reader.readKey(hash, reply, position));
    }

    private Future<CachedRecord> readRecord(IdentityKind kind, String name) {
        return batcher.read(new LookupBatcher.Lookup(kind.label(), name),
                (reply, position) -> reader.readRecord(kind, name, reply, position));
    }

    /** Returns an entry that may be used without reading Redis, or null; reads an ageing one again in the background. */
    private <E extends CachedEntry> @Nullable E usable(@Nullable E cached, Supplier<Future<E>> refresh) {
        if (cached == null) {
            return null;
        }
        return switch (cache.freshness(cached)) {
            case CURRENT -> cached;
            case AGEING -> {
                if (poller.isUp()) {
                    refresh.get();
                }
                yield cached;
            }
            case STALE -> poller.isUp() ? null : cached;
            case UNUSABLE -> null;
        };
    }

    /** Returns an entry that may be used if Redis cannot be read. */
    private <E extends CachedEntry> Future<E> fallback(@Nullable E cached, Throwable failure) {
        return cached != null && isUnavailable(failure)
                && cache.freshness(cached) != Freshness.UNUSABLE
                        ? Future.succeededFuture(cached)
                        : Future.failedFuture(failure);
    }

    /** Returns whether Redis has not replied; a record that cannot be read is another failure, without a substitute. */
    private static boolean isUnavailable(Throwable failure) {
        return failure instanceof StoreUnavailableException && !(failure instanceof InvalidRecordException);
    }

    @Override
    public void recordUse(ResolvedKey key) {
        usage.record(key.id());
    }

    @Override
    public @Nullable ResolvedCaller findCaller(@Nullable String user, @Nullable String team, @Nullable String org) {
        var userRecord = findRecord(IdentityKind.USER, user);
        var teamRecord = findRecord(IdentityKind.TEAM, team);
        if (userRecord == null && user != null || teamRecord == null && team != null) {
            return null;
        }
        var effectiveOrg = org(teamRecord, org);
        var orgRecord = findRecord(IdentityKind.ORG, effectiveOrg);
        return orgRecord == null && effectiveOrg != null
                ? null
                : ChainBuilder.build(null, null, userRecord, teamRecord, orgRecord);
    }

    private static @Nullable String org(@Nullable CachedRecord team, @Nullable String claimed) {
        return team != null && team.attributes() != null && team.attributes().org() != null ? team.attributes().org() : claimed;
    }

    /** Returns a record that may be used without reading Redis; null if there is no name, or it is to be read. */
    private @Nullable CachedRecord findRecord(IdentityKind kind, @Nullable String name) {
        if (name == null) {
            return null;
        }
        if (!poller.hasAny(kind) || !IdentityNames.isValid(name)) {
            return absent(name);
        }
        return usable(cache.record(kind, name), () -> readRecord(kind, name));
    }

    private CachedRecord absent(String name) {
        return new CachedRecord(name, null, cache.confirmation(), new Position("", 0, 0, cache.now()));
    }

    @Override
    public Uni<ResolvedCaller> loadCaller(@Nullable String user, @Nullable String team, @Nullable String org) {
        return DirectoryCalls
                .toUni(() -> loadRecords(user, team, org)
                        .recover(failure -> isUnavailable(failure) && !(failure instanceof OverloadException)
                                ? Future.succeededFuture(new ResolvedCaller(null,
                                        new IdentityChain(null, user, team, org, List.of(), List.of())))
                                : Future.failedFuture(failure)));
    }

    private Future<ResolvedCaller> loadRecords(@Nullable String user, @Nullable String team, @Nullable String org) {
        var first = new ArrayList<Future<?>>(2);
        var userRecord = loadRecord(IdentityKind.USER, user);
        var teamRecord = loadRecord(IdentityKind.TEAM, team);
        first.add(userRecord);
        first.add(teamRecord);
        return Future.all(first).compose(both -> loadRecord(IdentityKind.ORG, org(teamRecord.result(), org)))
                .map(orgRecord -> ChainBuilder.build(null, null, userRecord.result(), teamRecord.result(), orgRecord));
    }

    private Future<@Nullable CachedRecord> loadRecord(IdentityKind kind, @Nullable String name) {
        var known = findRecord(kind, name);
        if (name == null || known != null) {
            return Future.succeededFuture(known);
        }
        return readRecord(kind, name).recover(failure -> fallback(cache.record(kind, name), failure));
    }
}
