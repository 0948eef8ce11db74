package dev.sluice.directory;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.redis.LuaScript;
import dev.sluice.store.ThrottledLog;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import io.vertx.redis.client.Response;

/** Store of identities in Redis. Scripts make each change atomically, with its indexes, audit entry and notification. */
public final class RedisIdentityStore implements IdentityStore {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final int RADIX = 36;
    /** Digits of the microseconds since 1970 in an id, enough until the year 6100. */
    private static final int TIME_DIGITS = 11;
    /** Random digits of an id: two keys of one microsecond get the same with a probability of 1 in 2.8 trillion. */
    private static final int RANDOM_DIGITS = 8;
    private static final long RANDOM_VALUES = (long) Math.pow(RADIX, RANDOM_DIGITS);
    private static final int FIELDS_PER_IDENTITY = 3;
    private static final int REVISION = 16;

    private final DirectoryCalls calls;
    private final ChangeListener listener;
    private final ThrottledLog brokenRecords = new ThrottledLog();
    private final LuaScript writeScript;
    private final LuaScript findScript;
    private final LuaScript listScript;
    private final LuaScript auditScript;
    private final LuaScript clockScript;
    private final LuaScript recordScript;

    /** Receives the changes of this instance, before those that make them learn of their success. */
    @FunctionalInterface
    public interface ChangeListener {

        /**
         * Called on the connection's event loop.
         *
         * @param kind kind of the identity
         * @param name its name
         * @param revision number of the change
         * @param hashes for a key, the hashes that it had before and has now
         */
        void onChange(IdentityKind kind, String name, long revision, List<String> hashes);
    }

    /**
     * @param listener receives the changes
     * @param timeExpression the Lua expression with which the scripts read the time
     */
    public RedisIdentityStore(DirectoryCalls calls, ChangeListener listener, String timeExpression) {
        this.calls = calls;
        this.listener = listener;
        this.writeScript = LuaScript.load(RedisIdentityStore.class, "write.lua", timeExpression);
        this.findScript = LuaScript.load(RedisIdentityStore.class, "find.lua", timeExpression);
        this.listScript = LuaScript.load(RedisIdentityStore.class, "list.lua", timeExpression);
        this.auditScript = LuaScript.load(RedisIdentityStore.class, "audit.lua", timeExpression);
        this.recordScript = LuaScript.load(RedisIdentityStore.class, "record.lua", timeExpression);
        this.clockScript = LuaScript.load(RedisIdentityStore.class, "clock.lua", timeExpression);
    }

    @Override
    public Uni<@Nullable StoredIdentity> find(IdentityKind kind, String name) {
        return calls.callUni(findScript, List.of(kind.label(), name), reply -> {
            var record = reply.get(0).toString();
            return record.isEmpty() ? null : read(kind, name, record, reply.get(1).toString());
        });
    }

    /** @throws StoreUnavailableException if the record is not one of Sluice's */
    private StoredIdentity read(IdentityKind kind, String name, String record, String usedHour) {
        var identity = StoredRecord.read(kind, name, record, usedHour);
        if (identity == null) {
            throw calls.foreignRecord(kind, name);
        }
        return identity;
    }

    @Override
    public Uni<WriteResult> write(IdentityWrite write) {
        var document = write.document() == null ? null : StoredRecord.withoutLastUse(write.document());
        var arguments = List.of(write.kind().label(), write.name(), Long.toString(write.expectedRevision()),
                document == null ? "" : document.encode(), write.audit() == null ? "" : write.audit().encode(),
                write.lastUse() == null ? "" : Long.toString(TimeUnit.SECONDS.toHours(write.lastUse().getEpochSecond())));
        return calls.callUni(writeScript, arguments, reply -> {
            var status = WriteResult.Status.valueOf(reply.get(0).toString());
            if (status != WriteResult.Status.DONE) {
                return new WriteResult(status, null);
            }
            var hashes = reply.get(3).toString();
            long revision = revision(reply.get(1));
            listener.onChange(write.kind(), write.name(), revision, hashes.isEmpty() ? List.of() : List.of(hashes.split(" ")));
            return new WriteResult(status, document == null
                    ? null
                    : new StoredIdentity(write.kind(), write.name(), revision,
                            StoredRecord.withLastUse(document, reply.get(2).toString())));
        });
    }

    private long revision(Response reply) {
        try {
            return Long.parseLong(reply.toString());
        } catch (NumberFormatException e) {
            throw calls.foreignValue(calls.key(REVISION), "");
        }
    }

    @Override
    public Uni<IdentityPage> list(IdentityQuery query) {
        var kind = query.kind();
        var disabled = query.disabled();
        var arguments = List.of(kind.label(), orEmpty(query.user()), orEmpty(query.team()), orEmpty(query.org()),
                disabled == null ? "" : disabled ? "1" : "0", query.prefix(), Integer.toString(query.limit()),
                orEmpty(query.after()));
        return calls.callUni(listScript, arguments, reply -> {
            var identities = new ArrayList<StoredIdentity>();
            for (int i = 1; i + FIELDS_PER_IDENTITY <= reply.size(); i += FIELDS_PER_IDENTITY) {
                var identity = StoredRecord.read(kind, reply.get(i).toString(), reply.get(i + 1).toString(),
                        reply.get(i + 2).toString());
                if (identity == null) {
                    calls.foreignRecord(kind, reply.get(i).toString()); // the others are listed
                } else {
                    identities.add(identity);
                }
            }
            var next = reply.get(0).toString();
            return new IdentityPage(List.copyOf(identities), next.isEmpty() ? null : next);
        });
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }

    @Override
    public Uni<String> newKeyId() {
        return calls.callUni(clockScript, List.of(), reply -> digits(reply.toLong(), TIME_DIGITS)
                + digits(ThreadLocalRandom.current().nextLong(RANDOM_VALUES), RANDOM_DIGITS));
    }

    private static String digits(long number, int count) {
        var digits = Long.toString(number, RADIX);
        return "0".repeat(Math.max(0, count - digits.length())) + digits;
    }

    @Override
    public Uni<Void> record(JsonObject entry) {
        return calls.callUni(recordScript, List.of(entry.encode()), reply -> (Void) null);
    }

    @Override
    public Uni<AuditPage> audit(int limit, @Nullable String after) {
        return calls.callUni(auditScript, List.of(Integer.toString(limit + 1), orEmpty(after)), reply -> {
            var entries = new ArrayList<JsonObject>();
            String last = null;
            for (int i = 0; i + 1 < reply.size() && i < 2 * limit; i += 2) {
                last = reply.get(i).toString();
                var entry = auditEntry(last, reply.get(i + 1).toString());
                if (entry != null) {
                    entries.add(entry);
                }
            }
            return new AuditPage(List.copyOf(entries), reply.size() > 2 * limit ? last : null);
        });
    }

    private @Nullable JsonObject auditEntry(String id, String text) {
        try {
            return StoredRecord.withTime(new JsonObject(text), id);
        } catch (DecodeException | NumberFormatException e) {
            brokenRecords.log(times -> LOG.warnf("An entry of the audit log in Redis cannot be read and is left out: id=%s"
                    + " occurrences=%d", id, times));
            return null;
        }
    }
}
