package dev.sluice.llm.ledger;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.LongStream;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Ledger in Redis. {@link LedgerWriter} writes it; a read waits for the identifier's entries that are being written. */
final class RedisLedger implements LedgerStore {

    private static final long READ_TIMEOUT_MILLIS = 2000;
    /** Maximum number of hours that are read by one batch of commands. */
    private static final int HOURS_AT_ONCE = 24;
    /** Maximum time that a caller waits to learn whether its entry was written. */
    private static final long WRITE_WAIT_MILLIS = 250;

    private final RedisConnectionManager redis;
    private final LedgerKeys keys;
    private final LedgerWriter writer;
    private final DayRows dayRows;
    private final long writeWaitMillis;
    private final LuaScript outputsScript = LuaScript.load(RedisLedger.class, "outputs.lua");

    RedisLedger(Vertx vertx, RedisConnectionManager redis, HashTags hashTags, int maxWaiting, MeterRegistry meters) {
        this(vertx, redis, hashTags, maxWaiting, meters, WRITE_WAIT_MILLIS);
    }

    /** @param writeWaitMillis maximum time that a caller waits to learn whether its entry is new */
    RedisLedger(Vertx vertx, RedisConnectionManager redis, HashTags hashTags, int maxWaiting, MeterRegistry meters,
            long writeWaitMillis) {
        this.redis = redis;
        this.keys = new LedgerKeys(hashTags);
        this.writer = new LedgerWriter(vertx, redis, keys, maxWaiting, meters);
        this.dayRows = new DayRows(redis, keys);
        this.writeWaitMillis = writeWaitMillis;
    }

    @Override
    public void add(LedgerEntry entry, long hour) {
        writer.add(entry, hour);
    }

    @Override
    public Uni<@Nullable Boolean> book(LedgerEntry entry, long hour, Consumer<Boolean> later) {
        if (entry.requestId() == null) {
            add(entry, hour);
            return Uni.createFrom().item(true);
        }
        var isNew = writer.addOnce(entry, hour);
        if (isNew.isComplete()) {
            return toUni(isNew);
        }
        var now = redis.isUp() ? redis.within(writeWaitMillis, isNew) : Future.<Boolean>failedFuture("Redis is unavailable");
        return toUni(now.recover(unknown -> {
            isNew.onSuccess(later::accept);
            return Future.succeededFuture(null);
        }));
    }

    @Override
    public Uni<Void> awaitWritten(String identifier) {
        return toUni(redis.isUp()
                ? redis.within(writeWaitMillis, writer.drain(identifier)).otherwiseEmpty()
                : Future.succeededFuture());
    }

    @Override
    public Uni<Void> close() {
        return toUni(writer.close());
    }

    /** Returns whether a timer is running. */
    boolean isFlushScheduled() {
        return writer.isFlushScheduled();
    }

    @Override
    public Uni<UsageReport> read(String identifier, long fromHour, long toHour) {
        if (!redis.isUp()) {
            var report = new UsageReport(identifier, (int) (toHour - fromHour));
            writer.addBufferedTo(report, identifier, fromHour, toHour);
            return Uni.createFrom().item(report);
        }
        var report = new UsageReport(identifier, (int) (toHour - fromHour));
        return toUni(writer.drain(identifier)
                .compose(done -> redis.within(READ_TIMEOUT_MILLIS, readHours(report, identifier, fromHour, toHour))))
                .onFailure().transform(RedisLedger::unavailable);
    }

    /** Adds the entries of some hours after the others: hundreds of reads at once would delay decisions. */
    private Future<UsageReport> readHours(UsageReport report, String identifier, long fromHour, long toHour) {
        if (fromHour > toHour) {
            return Future.succeededFuture(report);
        }
        long next = Math.min(toHour + 1, fromHour + HOURS_AT_ONCE);
        var replies = LongStream.range(fromHour, next)
                .mapToObj(hour -> redis.send(Request.cmd(Command.HGETALL).arg(keys.hour(identifier, hour)))
                        .recover(RedisLedger::emptyIfForeign))
                .toList();
        return Future.all(replies).compose(all -> {
            replies.forEach(reply -> LedgerHash.addTo(fields(reply.result()), report));
            return readHours(report, identifier, next, toHour);
        });
    }

    @Override
    public Uni<Void> readSpend(SpendRange range, Consumer<SpendRow> rows) {
        if (!redis.isUp()) {
            return Uni.createFrom().failure(new StoreUnavailableException("Redis is unavailable", null));
        }
        return toUni(redis.within(READ_TIMEOUT_MILLIS, writer.drain()).compose(done -> dayRows.read(range, rows)))
                .onFailure().transform(RedisLedger::unavailable);
    }

    @Override
    public Uni<Void> computeDays(long day) {
        return toUni(redis.isUp() ? dayRows.computeBefore(day) : Future.succeededFuture());
    }

    private static Throwable unavailable(Throwable failure) {
        return failure instanceof StoreUnavailableException
                ? failure
                : new StoreUnavailableException("Redis replied with an error", failure);
    }

    @Override
    public Uni<OutputHistogram> readOutputs(String identifier, String provider, String model, long fromHour, long toHour) {
        if (!redis.isUp()) {
            return Uni.createFrom().failure(new StoreUnavailableException("Redis is unavailable", null));
        }
        return toUni(writer.drain(identifier).compose(done -> {
            var hours = new ArrayList<String>();
            for (long hour = fromHour; hour <= toHour; hour++) {
                hours.add(keys.hour(identifier, hour));
            }
            return redis.within(READ_TIMEOUT_MILLIS,
                    redis.eval(outputsScript, hours, LedgerHash.bucketArguments(provider, model))).map(RedisLedger::histogram);
        }));
    }

    private static OutputHistogram histogram(Response bucketsAndCalls) {
        var outputs = new OutputHistogram();
        for (int i = 0; i + 1 < bucketsAndCalls.size(); i += 2) {
            outputs.addToBucket(bucketsAndCalls.get(i).toInteger(), bucketsAndCalls.get(i + 1).toLong());
        }
        return outputs;
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

    private static <T> Uni<T> toUni(Future<T> future) {
        return Uni.createFrom().completionStage(future.toCompletionStage());
    }
}
