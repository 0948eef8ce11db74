package dev.sluice.llm.ledger;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.jboss.logging.Logger;

import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;

/**
 * Writes the ledger's entries to Redis: buffers them for a moment, and sends the batches of each hash tag in one script call
 * at a time. Batches that fail are retried until they are written or this instance stops. Thread-safe.
 */
final class LedgerWriter {

    private static final long BATCH_DELAY_MILLIS = 20;
    private static final long RETRY_MILLIS = 500;
    private static final long TIMEOUT_MILLIS = 2000;
    private static final int TAGS = 256;
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Vertx vertx;
    private final RedisConnectionManager redis;
    private final LedgerKeys keys;
    private final int maxWaiting;
    private final LuaScript bookScript = LuaScript.load(LedgerWriter.class, "book.lua");
    private final LuaScript asideScript = LuaScript.load(LedgerWriter.class, "aside.lua");
    private final String instance = UUID.randomUUID().toString();
    private final WriteBuffer[] writeBuffers = new WriteBuffer[TAGS];
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean flushScheduled = new AtomicBoolean();
    private final BatchOutcomes outcomes;
    private final Counter foreignKeys;
    private final ThrottledLog rejections = new ThrottledLog();
    private volatile long timer = -1;
    private volatile boolean closed;

    /** @param maxWaiting maximum number of buffered entries */
    LedgerWriter(Vertx vertx, RedisConnectionManager redis, LedgerKeys keys, int maxWaiting, MeterRegistry meters) {
        this.vertx = vertx;
        this.redis = redis;
        this.keys = keys;
        this.maxWaiting = maxWaiting;
        for (int i = 0; i < TAGS; i++) {
            writeBuffers[i] = new WriteBuffer();
        }
        outcomes = new BatchOutcomes(meters);
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

    /** Books an entry without an idempotency key. */
    void add(LedgerEntry entry, long hour) {
        int added = writeBuffers[keys.tag(entry.identifier())].add(key(entry, hour), UsageTotals.of(entry), hasRoom());
        waiting.addAndGet(Math.max(0, added));
        if (added < 0) {
            outcomes.countDropped();
        } else {
            flushSoon(BATCH_DELAY_MILLIS);
        }
    }

    /**
     * Books an entry with an idempotency key.
     *
     * @return completes with whether the entry is new; at once with true if that cannot be determined now
     */
    Future<Boolean> addOnce(LedgerEntry entry, long hour) {
        if (!hasRoom()) {
            outcomes.countDropped();
            return Future.succeededFuture(true);
        }
        int tag = keys.tag(entry.identifier());
        var result = writeBuffers[tag].addOnce(key(entry, hour), UsageTotals.of(entry), keys.request(entry));
        if (result == null) {
            return Future.succeededFuture(false);
        }
        waiting.incrementAndGet();
        if (!redis.isUp()) {
            return Future.succeededFuture(true);
        }
        var isNew = result.future();
        flushTag(tag);
        flushSoon(RETRY_MILLIS);
        return isNew;
    }

    private boolean hasRoom() {
        return waiting.get() < maxWaiting;
    }

    private static WriteBuffer.EntryKey key(LedgerEntry entry, long hour) {
        return new WriteBuffer.EntryKey(entry.identifier(), hour, entry.provider(), entry.model());
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
            outcomes.record(batch, reply.toString());
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

    /** Moves foreign data out of the ledger's keys. The batch was not booked and is sent again. */
    private Future<Boolean> moveForeignKeys(int tag, WriteBuffer.Batch batch, Response positions) {
        var arguments = new BatchArguments(keys, instance, tag, batch);
        var moves = new ArrayList<Future<Void>>();
        for (var position : positions) {
            var key = arguments.key(position.toInteger());
            var prefix = keys.foreignPrefix(tag, System.currentTimeMillis());
            moves.add(withTimeout(redis.eval(asideScript, List.of(key, prefix + keys.withoutPrefix(tag, key)),
                    List.of(arguments.type(key), Long.toString(arguments.expirySeconds(key))))).map(moved -> {
                        if (moved.toInteger() == 1) {
                            foreignKeys.increment();
                            LOG.warnf("Ledger key contained foreign data, which was moved and is kept for 31 days: keys=%s*",
                                    prefix);
                        }
                        return null;
                    }));
        }
        return Future.all(moves).map(false);
    }

    private Future<Response> send(int tag, WriteBuffer.Batch batch) {
        var arguments = new BatchArguments(keys, instance, tag, batch);
        return redis.eval(bookScript, arguments.keys(), arguments.arguments());
    }

    /** Writes the entries of a hash tag booked so far, as far as possible. */
    Future<Void> drain(int tag, int attempts) {
        return writeBuffers[tag].inFlight().compose(done -> attempts == 0 || writeBuffers[tag].isEmpty()
                ? Future.succeededFuture()
                : flushTag(tag).otherwiseEmpty().compose(sent -> drain(tag, attempts - 1)));
    }

    /** Adds an identifier's buffered entries to a report. */
    void addBufferedTo(UsageReport report, String identifier, long fromHour, long toHour) {
        writeBuffers[keys.tag(identifier)].addTo(identifier, fromHour, toHour, report);
    }

    /** Writes the buffered entries as far as possible in a short time, and stops the timer. */
    Future<Void> close() {
        if (!redis.isUp()) {
            stop();
            return Future.succeededFuture();
        }
        var all = new ArrayList<Future<Void>>();
        for (int tag = 0; tag < TAGS; tag++) {
            all.add(drain(tag, maxWaiting));
        }
        return withTimeout(Future.join(all)).<Void>mapEmpty().otherwiseEmpty().onComplete(done -> stop());
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

    private <T> Future<T> withTimeout(Future<T> future) {
        return redis.within(TIMEOUT_MILLIS, future);
    }
}
