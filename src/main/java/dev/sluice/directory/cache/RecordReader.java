package dev.sluice.directory.cache;

import java.util.ArrayList;
import java.util.List;

import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

import dev.sluice.directory.DirectoryCalls;
import dev.sluice.directory.IdentityAttributes;
import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.InvalidLimitsException;
import dev.sluice.directory.InvalidRecordException;
import dev.sluice.directory.StoredRecord;
import dev.sluice.store.ThrottledLog;
import io.vertx.redis.client.Response;

/** Reads the replies of {@code lookup.lua} into the cache. Used on the connection's event loop. */
final class RecordReader {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final int KEY_FIELDS = 8;

    private final DirectoryCalls calls;
    private final IdentityCache cache;
    private final ThrottledLog invalidDocuments = new ThrottledLog();

    RecordReader(DirectoryCalls calls, IdentityCache cache) {
        this.calls = calls;
        this.cache = cache;
    }

    /**
     * Reads a key.
     *
     * @param position position at which it was read
     * @throws InvalidRecordException if a record is not valid: limits that cannot be read must not be left out
     */
    CachedKey readKey(String hash, Response reply, Position position) {
        calls.checkForeign(reply);
        var id = reply.size() < KEY_FIELDS ? "" : reply.get(0).toString();
        var key = id.isEmpty() ? null : parse(IdentityKind.KEY, id, reply.get(1).toString());
        if (key == null) {
            return cache.put(hash, new CachedKey(null, List.of(), cache.confirmation(), position));
        }
        var user = store(IdentityKind.USER, reply.get(2).toString(), reply.get(3).toString(), position);
        var team = store(IdentityKind.TEAM, reply.get(4).toString(), reply.get(5).toString(), position);
        var org = store(IdentityKind.ORG, reply.get(6).toString(), reply.get(7).toString(), position);
        var records = new ArrayList<CachedRecord>(3);
        for (var record : new CachedRecord[]{user, team, org}) {
            if (record != null) {
                records.add(record);
            }
        }
        var identifier = user == null ? IdentityKind.KEY.identifier(id) : IdentityKind.USER.identifier(user.name());
        boolean disabled = key.disabled()
                || user != null && user.attributes() != null && user.attributes().disabled();
        var resolved = new ResolvedKey(id, identifier, ChainBuilder.build(id, key, user, team, org), disabled,
                key.expiries().getOrDefault(hash, Long.MIN_VALUE));
        return cache.put(hash, new CachedKey(resolved, records, cache.confirmation(), position));
    }

    /** Reads a user, team or organisation, as {@link #readKey} does. */
    CachedRecord readRecord(IdentityKind kind, String name, Response reply, Position position) {
        calls.checkForeign(reply);
        return store(kind, name, reply.get(0).toString(), position);
    }

    /** @return null if there is no name */
    private @Nullable CachedRecord store(IdentityKind kind, String name, String record, Position position) {
        if (name.isEmpty()) {
            return null;
        }
        return cache.put(kind, new CachedRecord(name, parse(kind, name, record), cache.confirmation(), position), position);
    }

    /** @return null if there is no record */
    private @Nullable IdentityAttributes parse(IdentityKind kind, String name, String record) {
        if (record.isEmpty()) {
            return null;
        }
        var stored = StoredRecord.read(kind, name, record, "");
        if (stored == null) {
            throw calls.foreignRecord(kind, name);
        }
        try {
            return IdentityAttributes.of(stored.document());
        } catch (InvalidLimitsException e) {
            invalidDocuments.log(times -> LOG.errorf("A stored identity is not valid, so its requests get 503 until it is"
                    + " changed: kind=%s name=%s field=%s error=%s occurrences=%d", kind.label(), name, e.pointer(),
                    e.getMessage(), times));
            throw new InvalidRecordException("A stored identity is not valid at " + e.pointer());
        }
    }
}
