package dev.sluice.llm.ledger;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * Sums of the ledger by day in Redis: for each day and hash tag a hash, by identifier, owner, provider and model. They are computed
 * from the hours of the identifiers that have booked since, which book.lua collects in a set, before they are read, and in any
 * case before the hours expire. Thread-safe and non-blocking.
 */
final class DayRows {

    private static final long TIMEOUT_MILLIS = 2000;
    /** Number of hash tags that are read at once. */
    private static final int PARALLEL_TAGS = 8;
    /** Numbers of days and of hours' hashes that a script call reads. More would block Redis for other clients for too long. */
    private static final int MAX_DAYS = 4;
    private static final int MAX_HOURS = 96;
    /** Index of the sum of 2^hour in a value of days.lua. */
    private static final int HOURS_INDEX = 8;

    /** Hours of an identifier, of one day. */
    private record Group(String identifier, long day, List<Long> hours) {
    }

    private final RedisConnectionManager redis;
    private final LedgerKeys keys;
    private final LuaScript daysScript = LuaScript.load(DayRows.class, "days.lua");
    private final LuaScript rowsScript = LuaScript.load(DayRows.class, "rows.lua");
    private final LuaScript asideScript = LuaScript.load(DayRows.class, "aside.lua");

    DayRows(RedisConnectionManager redis, LedgerKeys keys) {
        this.redis = redis;
        this.keys = keys;
    }

    /**
     * Passes the rows of a range to a consumer, on an event loop, one after the other. Rows of one hour or day, owner and model may be
     * passed repeatedly: their sum is the usage.
     *
     * @return completes when all have been passed; fails if Redis does not reply
     */
    Future<Void> read(SpendRange range, Consumer<SpendRow> rows) {
        Consumer<SpendRow> oneByOne = row -> {
            synchronized (rows) {
                rows.accept(row);
            }
        };
        return forEachTag(new AtomicInteger(), tag -> compute(tag, day -> day >= range.firstDay() && day <= range.lastDay())
                .compose(computed -> read(tag, range, oneByOne)));
    }

    /** Computes the sums of the days before a day, of all identifiers that have booked in them since. */
    Future<Void> computeBefore(long day) {
        return forEachTag(new AtomicInteger(), tag -> compute(tag, changed -> changed < day));
    }

    /** Step for one hash tag. */
    private interface TagStep {
        Future<Void> run(int tag);
    }

    private static Future<Void> forEachTag(AtomicInteger next, TagStep step) {
        return Future.all(IntStream.range(0, PARALLEL_TAGS).mapToObj(worker -> continueWith(next, step)).toList()).mapEmpty();
    }

    private static Future<Void> continueWith(AtomicInteger next, TagStep step) {
        int tag = next.getAndIncrement();
        return tag >= HashTags.TAGS
                ? Future.succeededFuture()
                : step.run(tag).compose(done -> continueWith(next, step))
                        .onFailure(failure -> next.set(HashTags.TAGS));
    }

    private Future<Void> compute(int tag, LongPredicate days) {
        return within(redis.send(Request.cmd(Command.ZRANGE).arg(keys.changedDays(tag)).arg(0).arg(-1)))
                .recover(failure -> isForeign(failure) ? Future.succeededFuture() : Future.failedFuture(failure))
                .compose(changed -> {
                    var groups = new ArrayList<Group>();
                    for (var member : changed == null ? List.<Response>of() : changed) {
                        var group = group(member.toString());
                        if (group != null && days.test(group.day())) {
                            groups.add(group);
                        }
                    }
                    return forEachBatch(batches(groups), batch -> compute(tag, batch));
                });
    }

    /** Returns the hours of the day that a member of the set stands for; null if it is foreign. */
    private static Group group(String member) {
        int colon = member.indexOf(':');
        try {
            long day = Long.parseLong(member.substring(0, Math.max(0, colon)));
            long first = day * LedgerHash.HOURS_OF_DAY;
            boolean expired = LedgerHash.expirySeconds(first) * 1000 <= System.currentTimeMillis();
            return new Group(member.substring(colon + 1), day, expired // the sums can only become less
                    ? List.of()
                    : LongStream.range(first, first + LedgerHash.HOURS_OF_DAY).boxed().toList());
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static List<List<Group>> batches(List<Group> groups) {
        var batches = new ArrayList<List<Group>>();
        int hours = 0;
        for (var group : groups) {
            hours += group.hours().size();
            if (batches.isEmpty() || hours > MAX_HOURS) {
                batches.add(new ArrayList<>());
                hours = group.hours().size();
            }
            batches.get(batches.size() - 1).add(group);
        }
        return batches;
    }

    /** Step for a batch of groups. */
    private interface BatchStep {
        Future<Void> run(List<Group> batch);
    }

    private static Future<Void> forEachBatch(List<List<Group>> batches, BatchStep step) {
        Future<Void> done = Future.succeededFuture();
        for (var batch : batches) {
            done = done.compose(previous -> step.run(batch));
        }
        return done;
    }

    private Future<Void> compute(int tag, List<Group> batch) {
        return within(eval("write", tag, batch)).recover(failure -> isForeign(failure)
                ? moveForeign(tag, batch).compose(moved -> within(eval("write", tag, batch)))
                : Future.failedFuture(failure)).mapEmpty();
    }

    private Future<Response> eval(String mode, int tag, List<Group> batch) {
        var involved = new ArrayList<String>();
        var arguments = new ArrayList<String>();
        involved.add(keys.changedDays(tag));
        arguments.add(mode);
        for (var group : batch) {
            involved.add(keys.day(tag, group.day()));
            arguments.add(group.identifier());
            arguments.add(LedgerKeys.changedDay(group.identifier(), group.day() * LedgerHash.HOURS_OF_DAY));
            arguments.add(Long.toString(LedgerHash.dayExpirySeconds(group.day())));
            arguments.add(Integer.toString(group.hours().size()));
            for (long hour : group.hours()) {
                involved.add(keys.hour(group.identifier(), hour));
                arguments.add(Long.toString(hour % LedgerHash.HOURS_OF_DAY));
            }
        }
        return redis.eval(daysScript, involved, arguments);
    }

    /** Moves foreign data out of the keys of days. */
    private Future<Void> moveForeign(int tag, List<Group> batch) {
        var days = new TreeSet<Long>();
        batch.forEach(group -> days.add(group.day()));
        return Future.all(days.stream().map(day -> {
            var key = keys.day(tag, day);
            return within(redis.send(Request.cmd(Command.HGET).arg(key).arg("calls"))).recover(failure -> isForeign(failure)
                    ? within(redis.eval(asideScript,
                            List.of(key, keys.foreignPrefix(key, System.currentTimeMillis()) + keys.withoutPrefix(key)),
                            List.of("hash", Long.toString(LedgerHash.dayExpirySeconds(day)))))
                    : Future.failedFuture(failure));
        }).toList()).mapEmpty();
    }

    private Future<Void> read(int tag, SpendRange range, Consumer<SpendRow> rows) {
        var reads = new ArrayList<Future<Void>>();
        var days = LongStream.rangeClosed(range.firstDay(), range.lastDay()).boxed().toList();
        for (int from = 0; from < days.size(); from += MAX_DAYS) {
            var some = days.subList(from, Math.min(days.size(), from + MAX_DAYS));
            var involved = some.stream().map(day -> keys.day(tag, day)).toList();
            reads.add(within(redis.eval(rowsScript, involved, List.of())).compose(reply -> {
                var hours = new LinkedHashMap<String, Group>();
                for (int i = 0; i < some.size(); i++) {
                    addRows(reply.get(i), some.get(i), range, rows, hours);
                }
                return forEachBatch(batches(List.copyOf(hours.values())), batch -> readHours(tag, batch, rows));
            }));
        }
        return Future.all(reads).mapEmpty();
    }

    /**
     * Passes the rows of a day to a consumer.
     *
     * @param hours receives the hours to read instead, by identifier and hour, if the day is not in the range as a whole
     */
    private static void addRows(Response fieldsAndValues, long day, SpendRange range, Consumer<SpendRow> rows,
            LinkedHashMap<String, Group> hours) {
        boolean byHour = range.isReadByHour(day);
        for (int i = 0; i + 1 < fieldsAndValues.size(); i += 2) {
            var names = new JsonArray(fieldsAndValues.get(i).toString());
            var values = fieldsAndValues.get(i + 1).toString().split(" ");
            long first = day * LedgerHash.HOURS_OF_DAY;
            if (!byHour) {
                rows.accept(row(first, names, values));
                continue;
            }
            long mask = Long.parseLong(values[HOURS_INDEX]);
            for (long hour = Math.max(first, range.fromHour()); hour < Math.min(first + LedgerHash.HOURS_OF_DAY,
                    range.toHour()); hour++) {
                if ((mask & 1L << hour - first) != 0) {
                    hours.putIfAbsent(hour + ":" + names.getString(0),
                            new Group(names.getString(0), day, List.of(hour)));
                }
            }
        }
    }

    private Future<Void> readHours(int tag, List<Group> batch, Consumer<SpendRow> rows) {
        return within(eval("read", tag, batch)).map(reply -> {
            for (int group = 0; group < batch.size(); group++) {
                var fieldsAndValues = reply.get(group);
                for (int i = 0; i + 1 < fieldsAndValues.size(); i += 2) {
                    rows.accept(row(batch.get(group).hours().get(0), new JsonArray(fieldsAndValues.get(i).toString()),
                            fieldsAndValues.get(i + 1).toString().split(" ")));
                }
            }
            return null;
        });
    }

    private static SpendRow row(long hour, JsonArray names, String[] values) {
        return new SpendRow(hour, CallOwner.decode(names.getString(0), names.getString(1)), names.getString(2),
                names.getString(3), new UsageTotals(count(values[0]), count(values[1]), count(values[2]), count(values[3]),
                        count(values[4]), new BigInteger(values[5]), count(values[6]), count(values[7])));
    }

    private static long count(String value) {
        return value.length() < 19
                ? Long.parseLong(value)
                : new BigInteger(value).min(BigInteger.valueOf(Long.MAX_VALUE)).longValue();
    }

    private static boolean isForeign(Throwable failure) {
        return failure.getMessage() != null && failure.getMessage().contains("WRONGTYPE");
    }

    private <T> Future<T> within(Future<T> future) {
        return redis.within(TIMEOUT_MILLIS, future);
    }
}
