package dev.sluice.llm.ledger;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import org.jboss.logging.Logger;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.ThrottledLog;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;

/**
 * Writes the ledger's entries to Redis: buffers them for a moment, and sends them in batches, one at a time. Batches that fail
 * are retried until they are written or this instance stops. Thread-safe.
 * <p>
 * On one Redis server all entries share a buffer. Where the keys of one call must have one hash tag, as on a cluster, or a key
 * with foreign data cannot be moved, each hash tag has a buffer of its own.
 */
final class LedgerWriter {

    private static final long BATCH_DELAY_MILLIS = 5;
    private static final long RETRY_MILLIS = 500;
    private static final long TIMEOUT_MILLIS = 2000;
    /** How often a batch is sent again because foreign data was moved, while its entries are awaited. */
    private static final int MAX_REPEATS = 2;
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Vertx vertx;
    private final RedisConnectionManager redis;
    private final LedgerKeys keys;
    private final int maxWaiting;
    private final LuaScript bookScript = LuaScript.load(LedgerWriter.class, "book.lua");
    private final LuaScript asideScript = LuaScript.load(LedgerWriter.class, "aside.lua");
    private final String instance = UUID.randomUUID().toString();
    private final WriteBuffer[] writeBuffers = new WriteBuffer[HashTags.TAGS];
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean flushScheduled = new AtomicBoolean();
    private final BatchOutcomes outcomes;
    private final Counter foreignKeys;
    private final ThrottledLog rejections = new ThrottledLog();
    /** True if each hash tag has a buffer of its own. The first buffer holds the entries of all hash tags until then. */
    private volatile boolean separate;
    private volatile long timer = -1;
    private volatile boolean closed;

    /** @param maxWaiting maximum number of buffered entries */
    LedgerWriter(Vertx vertx, RedisConnectionManager redis, LedgerKeys keys, int maxWaiting, MeterRegistry meters) {
        this.vertx = vertx;
        this.redis = redis;
        this.keys = keys;
        this.maxWaiting = maxWaiting;
        for (int i = 0; i < HashTags.TAGS; i++) {
            writeBuffers[i] = new WriteBuffer();
        }
        outcomes = new BatchOutcomes(meters);
        foreignKeys = Counter.builder("llm_ledger_foreign")
                .description("Ledger keys that contained foreign data, which was moved").register(meters);
        Gauge.builder("llm_ledger_waiting", waiting, AtomicInteger::get)
                .description("Ledger entries that wait to be written to Redis").strongReference(true).register(meters);
        redis.onChange(cause -> {
            if (cause == null) {
                var connection = redis.connectionOrNull();
                separate |= connection != null && connection.isSharded();
                flushSoon(1);
            }
        });
    }

    /** Books an entry without an idempotency key. */
    void add(LedgerEntry entry, long hour) {
        int added = writeBuffers[buffer(entry.identifier())].add(key(entry, hour), LedgerSum.of(entry), hasRoom());
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
     * @return completes with whether the entry is new, when that is known; with true if it is dropped
     */
    Future<Boolean> addOnce(LedgerEntry entry, long hour) {
        if (!hasRoom()) {
            outcomes.countDropped();
            return Future.succeededFuture(true);
        }
        int buffer = buffer(entry.identifier());
        var result = writeBuffers[buffer].addOnce(key(entry, hour), LedgerSum.of(entry), keys.request(entry));
        if (result == null) {
            return Future.succeededFuture(false);
        }
        waiting.incrementAndGet();
        if (redis.isUp()) {
            flush(buffer);
            flushSoon(RETRY_MILLIS);
        }
        return result.future();
    }

    private int buffer(String identifier) {
        return separate ? keys.tag(identifier) : 0;
    }

    private boolean hasRoom() {
        return waiting.get() < maxWaiting;
    }

    private static WriteBuffer.EntryKey key(LedgerEntry entry, long hour) {
        return new WriteBuffer.EntryKey(entry.identifier(), hour, entry.owner(), entry.provider(), entry.model());
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
        for (int buffer = 0; buffer < HashTags.TAGS; buffer++) {
            if (!writeBuffers[buffer].isEmpty()) {
                remaining = true;
                if (redis.isUp()) {
                    flush(buffer);
                }
            }
        }
        if (remaining && !closed) {
            flushSoon(RETRY_MILLIS);
        }
    }

    /** Sends the next batch of a buffer unless one is in flight; completes when the attempt has ended. */
    private Future<Void> flush(int buffer) {
        var writeBuffer = writeBuffers[buffer];
        var batch = writeBuffer.startBatch();
        if (batch == null) {
            return Future.succeededFuture();
        }
        return send(buffer, batch).onComplete(done -> {
            boolean ended = done.succeeded() && done.result();
            waiting.addAndGet(-writeBuffer.endBatch(ended));
            if (done.succeeded() && !ended) {
                flush(buffer);
            } else if (!writeBuffer.isEmpty() && !(closed && done.failed())) {
                flushSoon(ended ? 1 : RETRY_MILLIS);
            }
            if (done.failed() && RedisScriptConnection.isRejection(done.cause())) {
                rejections.log(
                        times -> LOG.warnf("Redis rejects ledger writes; entries are buffered: rejections=%d error=%s",
                                times, done.cause().getMessage()));
            }
        }).mapEmpty();
    }

    /** @return whether the batch has ended; if not, it is sent again */
    private Future<Boolean> send(int buffer, WriteBuffer.Batch batch) {
        var arguments = new BatchArguments(keys, instance, buffer, batch);
        var sent = withTimeout(redis.eval(bookScript, arguments.keys(), arguments.arguments()));
        return sent.transform(done -> {
            if (done.failed()) {
                return RedisScriptConnection.isCrossSlot(done.cause()) ? distribute(batch, done.cause()) : sent.map(false);
            }
            if (done.result().type() == ResponseType.MULTI) {
                return moveForeignKeys(arguments, done.result()).recover(
                        failure -> RedisScriptConnection.isRejection(failure)
                                ? distribute(batch, failure)
                                : Future.failedFuture(failure));
            }
            outcomes.record(batch, done.result().toString());
            return Future.succeededFuture(true);
        });
    }

    /** Moves foreign data out of the ledger's keys. The batch was not booked and is sent again. */
    private Future<Boolean> moveForeignKeys(BatchArguments arguments, Response positions) {
        var moves = new ArrayList<Future<Void>>();
        for (var position : positions) {
            var key = arguments.key(position.toInteger());
            var prefix = keys.foreignPrefix(key, System.currentTimeMillis());
            moves.add(withTimeout(redis.eval(asideScript, List.of(key, prefix + keys.withoutPrefix(key)),
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

    /**
     * Distributes a batch, of which nothing was booked because of its keys, to the buffers of its hash tags: the keys are in
     * different slots, or foreign data could not be moved, which then holds up the entries of one hash tag only.
     *
     * @return completes with true; fails if all entries have the same hash tag
     */
    private Future<Boolean> distribute(WriteBuffer.Batch batch, Throwable failure) {
        if (batch.entries().stream().mapToInt(entry -> keys.tag(entry.key().identifier())).distinct().count() < 2) {
            return Future.failedFuture(failure);
        }
        separate = true;
        for (var entry : batch.entries()) {
            waiting.addAndGet(writeBuffers[keys.tag(entry.key().identifier())].put(entry));
        }
        flushSoon(1);
        return Future.succeededFuture(true);
    }

    /** Writes the entries of an identifier booked so far, as far as possible. */
    Future<Void> drain(String identifier) {
        return drain(0).compose(done -> separate ? drain(keys.tag(identifier)) : Future.succeededFuture());
    }

    /** Writes the entries of all identifiers booked so far, as far as possible. */
    Future<Void> drain() {
        return drain(0)
                .compose(done -> Future.join(IntStream.range(1, HashTags.TAGS).filter(tag -> !writeBuffers[tag].isEmpty())
                        .mapToObj(this::drain).toList()))
                .<Void>mapEmpty().otherwiseEmpty();
    }

    private Future<Void> drain(int buffer) {
        return drain(buffer, writeBuffers[buffer].batches() + MAX_REPEATS).otherwiseEmpty();
    }

    private Future<Void> drain(int buffer, int attempts) {
        return writeBuffers[buffer].inFlight().compose(done -> attempts == 0 || writeBuffers[buffer].isEmpty()
                ? Future.succeededFuture()
                : flush(buffer).compose(sent -> drain(buffer, attempts - 1)));
    }

    /** Adds an identifier's buffered entries to a report. */
    void addBufferedTo(UsageReport report, String identifier, long fromHour, long toHour) {
        int buffer = buffer(identifier);
        writeBuffers[buffer].addTo(identifier, fromHour, toHour, report);
        if (buffer != 0) { // entries from before the hash tags had buffers of their own
            writeBuffers[0].addTo(identifier, fromHour, toHour, report);
        }
    }

    /** Writes the buffered entries as far as possible in a short time, and stops the timer. */
    Future<Void> close() {
        if (!redis.isUp()) {
            stop();
            return Future.succeededFuture();
        }
        return withTimeout(drain()).otherwiseEmpty().onComplete(done -> stop());
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
