package dev.sluice.llm.ledger;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.identity.Sha256;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;

/** Ledger in Redis. Entries are batched for a moment and written with one script call per hash tag. */
final class RedisLedger implements LedgerStore {

    private static final long BATCH_DELAY_MILLIS = 20;
    private static final long RETRY_MILLIS = 500;
    private static final long TIMEOUT_MILLIS = 2000;
    /** Maximum time that a caller waits to learn whether its entry was written. */
    private static final long WRITE_WAIT_MILLIS = 250;
    /** How long Redis keeps the number of the last batch: longer than any outage during which entries are buffered. */
    private static final String BATCH_NUMBER_TTL_SECONDS = Integer.toString(7 * 24 * 3600);
    private static final int TAGS = 256;
    /** Outcomes of an entry, as returned by book.lua. */
    private static final char ALREADY_BOOKED = '0';
    private static final char BOOKED = '1';
    private static final char CAPPED = '2';
    private static final char UNBOOKABLE = '3';
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Vertx vertx;
    private final RedisConnectionManager redis;
    private final HashTags hashTags;
    private final int maxWaiting;
    private final long writeWaitMillis;
    private final LuaScript bookScript = LuaScript.load(RedisLedger.class, "book.lua");
    private final LuaScript asideScript = LuaScript.load(RedisLedger.class, "aside.lua");
    private final String instance = UUID.randomUUID().toString();
    private final WriteBuffer[] writeBuffers = new WriteBuffer[TAGS];
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean flushScheduled = new AtomicBoolean();
    private final Counter dropped;
    private final Counter foreignKeys;
    private final ThrottledLog capped = new ThrottledLog();
    private final ThrottledLog unbookable = new ThrottledLog();
    private final ThrottledLog rejections = new ThrottledLog();
    private volatile long timer = -1;
    private volatile boolean closed;

    RedisLedger(Vertx vertx, RedisConnectionManager redis, HashTags hashTags, int maxWaiting, MeterRegistry meters) {
        this(vertx, redis, hashTags, maxWaiting, meters, WRITE_WAIT_MILLIS);
    }

    /** @param writeWaitMillis maximum time that a caller waits to learn whether its entry is new */
    RedisLedger(Vertx vertx, RedisConnectionManager redis, HashTags hashTags, int maxWaiting, MeterRegistry meters,
            long writeWaitMillis) {
        this.writeWaitMillis = writeWaitMillis;
        this.vertx = vertx;
        this.redis = redis;
        this.hashTags = hashTags;
        this.maxWaiting = maxWaiting;
        for (int i = 0; i < TAGS; i++) {
            writeBuffers[i] = new WriteBuffer();
        }
        dropped = Counter.builder("llm_ledger_dropped")
                .description(
                        "Calls that are missing from the ledger, in whole or in part: the buffer was full while Redis was"
                                + " unavailable, or a sum was at its maximum")
                .register(meters);
        foreignKeys = Counter.builder("llm_ledger_foreign")
                .description("Ledger keys that contained foreign data, which was moved").register(meters);
        Gauge.builder("llm_ledger_waiting", waiting, AtomicInteger::get)
                .description("Ledger entries that wait to be written to Redis").strongReference(true).register(meters);
        redis.onChange(cause -> {
            if (cause == null) {
                flushSoon(1);
            }
        });
    }

    @Override
    public Uni<Boolean> book(Ledger.Entry entry, long hour) {
        int tag = hashTags.tag(entry.identifier());
        var writeBuffer = writeBuffers[tag];
        var key = new WriteBuffer.EntryKey(entry.identifier(), hour, entry.provider(), entry.model());
        boolean hasRoom = waiting.get() < maxWaiting;
        if (entry.requestId() == null) {
            int added = writeBuffer.add(key, UsageTotals.of(entry), hasRoom);
            waiting.addAndGet(Math.max(0, added));
            if (added < 0) {
                dropped.increment();
            } else {
                flushSoon(BATCH_DELAY_MILLIS);
            }
            return Uni.createFrom().item(true);
        }
        if (!hasRoom) {
            dropped.increment();
            return Uni.createFrom().item(true);
        }
        var written = writeBuffer.addOnce(key, UsageTotals.of(entry), requestKey(entry));
        if (written == null) {
            return Uni.createFrom().item(false);
        }
        waiting.incrementAndGet();
        if (!redis.isUp()) {
            return Uni.createFrom().item(true);
        }
        var done = written.future();
        flushTag(tag);
        flushSoon(RETRY_MILLIS);
        return toUni(redis.within(writeWaitMillis, done).recover(late -> Future.succeededFuture(true)));
    }

    private String requestKey(Ledger.Entry entry) {
        return hashTags.keyPrefix(entry.identifier()) + "u:" + entry.provider() + ':' + Sha256.hex(entry.requestId()) + ':'
                + entry.identifier();
    }

    private String hashKey(String identifier, long hour) {
        return hashTags.keyPrefix(identifier) + "l:" + hour + ':' + identifier;
    }

    private void flushSoon(long millis) {
        if (closed) {
            if (redis.isUp()) {
                flush(); // entries of calls that end during shutdown
            }
            return;
        }
        if (flushScheduled.compareAndSet(false, true)) {
            timer = vertx.setTimer(millis, now -> {
                flushScheduled.set(false);
                flush();
            });
            if (closed) {
                vertx.cancelTimer(timer); // closed in the meantime
            }
        }
    }

    private void flush() {
        boolean remaining = false;
        for (int tag = 0; tag < TAGS; tag++) {
            if (!writeBuffers[tag].isEmpty()) {
                remaining = true;
                if (redis.isUp()) {
                    flushTag(tag);
                }
            }
        }
        if (remaining && !closed) {
            flushSoon(RETRY_MILLIS);
        }
    }

    /** Sends the next batch unless one is in flight; completes when the attempt has ended. */
    private Future<Void> flushTag(int tag) {
        var writeBuffer = writeBuffers[tag];
        var batch = writeBuffer.startBatch();
        if (batch == null) {
            return Future.succeededFuture();
        }
        return withTimeout(send(tag, batch)).compose(reply -> {
            if (reply.type() == ResponseType.MULTI) {
                return moveForeignKeys(tag, batch, reply);
            }
            recordOutcomes(batch, reply.toString());
            return Future.succeededFuture(true);
        }).onComplete(done -> {
            boolean booked = done.succeeded() && done.result();
            waiting.addAndGet(-writeBuffer.endBatch(booked));
            if (done.succeeded() && !booked) {
                flushTag(tag);
            } else if (!writeBuffer.isEmpty() && !(closed && done.failed())) {
                flushSoon(booked ? 1 : RETRY_MILLIS);
            }
            if (done.failed() && RedisScriptConnection.isRejection(done.cause())) {
                rejections.log(
                        times -> LOG.warnf("Redis rejects ledger writes; entries are buffered: rejections=%d error=%s",
                                times, done.cause().getMessage()));
            }
        }).mapEmpty();
    }

    /** @param outcomes as returned by book.lua; shorter if the outcome is not known any more */
    private void recordOutcomes(WriteBuffer.Batch batch, String outcomes) {
        for (int i = 0; i < batch.entries().size(); i++) {
            var item = batch.entries().get(i);
            char outcome = i < outcomes.length() ? outcomes.charAt(i) : BOOKED;
            if (outcome == CAPPED) {
                dropped.increment();
                capped.log(
                        times -> LOG.warnf("Ledger sum is at its maximum and cannot grow: provider=%s model=%s entries=%d",
                                item.key().provider(), item.key().model(), times));
            } else if (outcome == UNBOOKABLE) {
                dropped.increment();
                unbookable.log(
                        times -> LOG.errorf("Ledger entry cannot be booked and is dropped: provider=%s model=%s entries=%d",
                                item.key().provider(), item.key().model(), times));
            }
            if (item.result() != null) {
                item.result().tryComplete(outcome != ALREADY_BOOKED);
            }
        }
    }

    /** Moves foreign data out of the ledger's keys. The batch was not booked and is sent again. */
    private Future<Boolean> moveForeignKeys(int tag, WriteBuffer.Batch batch, Response positions) {
        var scriptCall = new ScriptCall(tag, batch);
        var moves = new ArrayList<Future<Void>>();
        for (var position : positions) {
            var key = scriptCall.keys.get(position.toInteger() - 1);
            var hour = scriptCall.hours.get(key);
            var prefix = hashTags.keyPrefix(tag);
            var destination = prefix + "f:" + System.currentTimeMillis() + ':';
            moves.add(withTimeout(redis.eval(asideScript, List.of(key, destination + key.substring(prefix.length())),
                    List.of(scriptCall.hashKeys.contains(key) ? "hash" : "string",
                            Long.toString(LedgerHash.expirySeconds(hour)))))
                    .map(moved -> {
                        if (moved.toInteger() == 1) {
                            foreignKeys.increment();
                            LOG.warnf("Ledger key contained foreign data, which was moved and is kept for 31 days: keys=%s*",
                                    destination);
                        }
                        return null;
                    }));
        }
        return Future.all(moves).map(false);
    }

    private Future<Response> send(int tag, WriteBuffer.Batch batch) {
        var scriptCall = new ScriptCall(tag, batch);
        return redis.eval(bookScript, scriptCall.keys, scriptCall.arguments);
    }

    /** Keys and arguments of book.lua for a batch. */
    private final class ScriptCall {

        private final List<String> keys = new ArrayList<>();
        private final List<String> arguments = new ArrayList<>();
        private final Map<String, String> positions = new HashMap<>();
        /** Keys that contain hashes; the others are idempotency keys. */
        private final Set<String> hashKeys = new HashSet<>();
        /** Hour of the entry that a key belongs to. */
        private final Map<String, Long> hours = new HashMap<>();

        ScriptCall(int tag, WriteBuffer.Batch batch) {
            keys.add(RedisLedger.this.hashTags.keyPrefix(tag) + "s:" + instance);
            arguments.add(Long.toString(batch.number()));
            arguments.add(BATCH_NUMBER_TTL_SECONDS);
            for (var item : batch.entries()) {
                var key = item.key();
                var pairs = LedgerHash.increments(key.provider(), key.model(), item.totals());
                var hashKey = hashKey(key.identifier(), key.hour());
                hashKeys.add(hashKey);
                arguments.add(position(hashKey, key.hour()));
                arguments.add(Long.toString(LedgerHash.expirySeconds(key.hour())));
                arguments.add(item.requestKey() == null ? "0" : position(item.requestKey(), key.hour()));
                arguments.add(Integer.toString(pairs.size() / 2));
                arguments.addAll(pairs);
            }
        }

        private String position(String key, long hour) {
            return positions.computeIfAbsent(key, name -> {
                keys.add(name);
                hours.put(name, hour);
                return Integer.toString(keys.size());
            });
        }
    }

    @Override
    public Uni<Void> awaitWritten(String identifier) {
        return toUni(redis.isUp()
                ? redis.within(writeWaitMillis, drain(hashTags.tag(identifier), 3)).otherwiseEmpty()
                : Future.succeededFuture());
    }

    @Override
    public Uni<Void> close() {
        if (!redis.isUp()) {
            stop();
            return Uni.createFrom().voidItem();
        }
        var all = new ArrayList<Future<Void>>();
        for (int tag = 0; tag < TAGS; tag++) {
            all.add(drain(tag, maxWaiting));
        }
        return toUni(withTimeout(Future.join(all)).<Void>mapEmpty().otherwiseEmpty().onComplete(done -> stop()));
    }

    private void stop() {
        closed = true;
        if (vertx.cancelTimer(timer)) {
            flushScheduled.set(false);
        }
    }

    /** Returns whether a timer is running. */
    boolean isFlushScheduled() {
        return flushScheduled.get();
    }

    @Override
    public Uni<UsageReport> read(String identifier, long fromHour, long toHour) {
        int tag = hashTags.tag(identifier);
        if (!redis.isUp()) {
            var report = new UsageReport();
            writeBuffers[tag].addTo(identifier, fromHour, toHour, report);
            return Uni.createFrom().item(report);
        }
        return toUni(drain(tag, 3).compose(done -> {
            var replies = new ArrayList<Future<Response>>();
            for (long hour = fromHour; hour <= toHour; hour++) {
                replies.add(redis.send(Request.cmd(Command.HGETALL).arg(hashKey(identifier, hour)))
                        .recover(RedisLedger::emptyIfForeign));
            }
            return withTimeout(Future.all(replies)).map(all -> {
                var report = new UsageReport();
                replies.forEach(reply -> LedgerHash.addTo(fields(reply.result()), report));
                return report;
            });
        })).onFailure().transform(failure -> failure instanceof StoreUnavailableException
                ? failure
                : new StoreUnavailableException("Redis replied with an error", failure));
    }

    /** Treats a key with foreign data as empty; the data is moved when an entry is booked there. */
    private static Future<Response> emptyIfForeign(Throwable failure) {
        return failure.getMessage() != null && failure.getMessage().startsWith("WRONGTYPE")
                ? Future.succeededFuture()
                : Future.failedFuture(failure);
    }

    private static Map<String, String> fields(Response reply) {
        var fields = new HashMap<String, String>();
        if (reply == null) {
            return fields;
        }
        for (var field : reply.getKeys()) {
            fields.put(field, reply.get(field).toString());
        }
        return fields;
    }

    /** Writes the entries booked so far, as far as possible. */
    private Future<Void> drain(int tag, int attempts) {
        return writeBuffers[tag].inFlight().compose(done -> attempts == 0 || writeBuffers[tag].isEmpty()
                ? Future.succeededFuture()
                : flushTag(tag).otherwiseEmpty().compose(sent -> drain(tag, attempts - 1)));
    }

    private <T> Future<T> withTimeout(Future<T> future) {
        return redis.within(TIMEOUT_MILLIS, future);
    }

    private static <T> Uni<T> toUni(Future<T> future) {
        return Uni.createFrom().completionStage(future.toCompletionStage());
    }
}
