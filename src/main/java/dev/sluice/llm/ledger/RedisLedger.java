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

/** The ledger in Redis: entries are collected for a moment, and written in one script per hash tag. */
final class RedisLedger implements LedgerStore {

    private static final long COLLECT_MILLIS = 20;
    private static final long RETRY_MILLIS = 500;
    private static final long PATIENCE_MILLIS = 2000;
    /** How long somebody is kept waiting who wants to know that it is written. */
    private static final long AT_ONCE_MILLIS = 250;
    /** How long Redis remembers the last batch: longer than any outage that is waited through. */
    private static final String NUMBER_SECONDS = Integer.toString(7 * 24 * 3600);
    private static final int TAGS = 256;
    /** What book.lua says of an entry. */
    private static final char BEFORE = '0';
    private static final char BOOKED = '1';
    private static final char CAPPED = '2';
    private static final char UNBOOKABLE = '3';
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Vertx vertx;
    private final RedisConnectionManager link;
    private final HashTags keys;
    private final int buffer;
    private final long atOnceMillis;
    private final LuaScript book = LuaScript.load(RedisLedger.class, "book.lua");
    private final LuaScript aside = LuaScript.load(RedisLedger.class, "aside.lua");
    private final String instance = UUID.randomUUID().toString();
    private final WriteBuffer[] shelves = new WriteBuffer[TAGS];
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Counter dropped;
    private final Counter foreign;
    private final ThrottledLog capped = new ThrottledLog();
    private final ThrottledLog unbookable = new ThrottledLog();
    private final ThrottledLog refusals = new ThrottledLog();
    private volatile long timer = -1;
    private volatile boolean closed;

    RedisLedger(Vertx vertx, RedisConnectionManager link, HashTags keys, int buffer, MeterRegistry meters) {
        this(vertx, link, keys, buffer, meters, AT_ONCE_MILLIS);
    }

    /** @param atOnceMillis how long a caller waits that wants to know whether an entry is new */
    RedisLedger(Vertx vertx, RedisConnectionManager link, HashTags keys, int buffer, MeterRegistry meters, long atOnceMillis) {
        this.atOnceMillis = atOnceMillis;
        this.vertx = vertx;
        this.link = link;
        this.keys = keys;
        this.buffer = buffer;
        for (int i = 0; i < TAGS; i++) {
            shelves[i] = new WriteBuffer();
        }
        dropped = Counter.builder("llm_ledger_dropped")
                .description(
                        "Calls that are missing from the ledger, in whole or in part: no room while Redis was away, or a sum"
                                + " at its largest value")
                .register(meters);
        foreign = Counter.builder("llm_ledger_foreign")
                .description("Keys of the ledger that held other data, which was moved").register(meters);
        Gauge.builder("llm_ledger_waiting", waiting, AtomicInteger::get)
                .description("Entries that wait to be written to the ledger").strongReference(true).register(meters);
        link.onChange(cause -> {
            if (cause == null) {
                flushSoon(1);
            }
        });
    }

    @Override
    public Uni<Boolean> book(Ledger.Entry entry, long hour) {
        int tag = keys.tag(entry.identifier());
        var shelf = shelves[tag];
        var line = new WriteBuffer.Line(entry.identifier(), hour, entry.provider(), entry.model());
        boolean room = waiting.get() < buffer;
        if (entry.requestId() == null) {
            int more = shelf.add(line, UsageTotals.of(entry), room);
            waiting.addAndGet(Math.max(0, more));
            if (more < 0) {
                dropped.increment();
            } else {
                flushSoon(COLLECT_MILLIS);
            }
            return Uni.createFrom().item(true);
        }
        if (!room) {
            dropped.increment();
            return Uni.createFrom().item(true);
        }
        var written = shelf.addOnce(line, UsageTotals.of(entry), mark(entry));
        if (written == null) {
            return Uni.createFrom().item(false);
        }
        waiting.incrementAndGet();
        if (!link.isUp()) {
            return Uni.createFrom().item(true);
        }
        var done = written.future();
        flushed(tag);
        flushSoon(RETRY_MILLIS);
        return uni(link.within(atOnceMillis, done).recover(late -> Future.succeededFuture(true)));
    }

    private String mark(Ledger.Entry entry) {
        return keys.keyPrefix(entry.identifier()) + "u:" + entry.provider() + ':' + Sha256.hex(entry.requestId()) + ':'
                + entry.identifier();
    }

    private String page(String identifier, long hour) {
        return keys.keyPrefix(identifier) + "l:" + hour + ':' + identifier;
    }

    private void flushSoon(long millis) {
        if (closed) {
            if (link.isUp()) {
                flush(); // what a call that ends late has used
            }
            return;
        }
        if (scheduled.compareAndSet(false, true)) {
            timer = vertx.setTimer(millis, now -> {
                scheduled.set(false);
                flush();
            });
            if (closed) {
                vertx.cancelTimer(timer); // it was closed meanwhile
            }
        }
    }

    private void flush() {
        boolean left = false;
        for (int tag = 0; tag < TAGS; tag++) {
            if (!shelves[tag].empty()) {
                left = true;
                if (link.isUp()) {
                    flushed(tag);
                }
            }
        }
        if (left && !closed) {
            flushSoon(RETRY_MILLIS);
        }
    }

    /** Sends what waits, if nothing is on its way; completes when that was tried. */
    private Future<Void> flushed(int tag) {
        var shelf = shelves[tag];
        var batch = shelf.begin();
        if (batch == null) {
            return Future.succeededFuture();
        }
        return within(send(tag, batch)).compose(reply -> {
            if (reply.type() == ResponseType.MULTI) {
                return movedAside(tag, batch, reply);
            }
            booked(batch, reply.toString());
            return Future.succeededFuture(true);
        }).onComplete(done -> {
            boolean booked = done.succeeded() && done.result();
            waiting.addAndGet(-shelf.end(booked));
            if (done.succeeded() && !booked) {
                flushed(tag);
            } else if (!shelf.empty() && !(closed && done.failed())) {
                flushSoon(booked ? 1 : RETRY_MILLIS);
            }
            if (done.failed() && RedisScriptConnection.isRejection(done.cause())) {
                refusals.warn(
                        times -> LOG.warnf("Redis refuses to book calls of language models, they wait: refusals=%d error=%s",
                                times, done.cause().getMessage()));
            }
        }).mapEmpty();
    }

    /** @param outcomes as book.lua returns them; missing where they are not known any more */
    private void booked(WriteBuffer.Batch batch, String outcomes) {
        for (int i = 0; i < batch.items().size(); i++) {
            var item = batch.items().get(i);
            char outcome = i < outcomes.length() ? outcomes.charAt(i) : BOOKED;
            if (outcome == CAPPED) {
                dropped.increment();
                capped.warn(
                        times -> LOG.warnf("A sum of the ledger is at its largest value and cannot grow: provider=%s model=%s"
                                + " entries=%d", item.line().provider(), item.line().model(), times));
            } else if (outcome == UNBOOKABLE) {
                dropped.increment();
                unbookable.warn(
                        times -> LOG.errorf("Redis cannot book an entry of the ledger, it is dropped: provider=%s model=%s"
                                + " entries=%d", item.line().provider(), item.line().model(), times));
            }
            if (item.written() != null) {
                item.written().tryComplete(outcome != BEFORE);
            }
        }
    }

    /** Moves the data of others out of these keys; the batch was not booked, and is sent again. */
    private Future<Boolean> movedAside(int tag, WriteBuffer.Batch batch, Response positions) {
        var sent = new Sent(tag, batch);
        var moves = new ArrayList<Future<Void>>();
        for (var position : positions) {
            var key = sent.keys.get(position.toInteger() - 1);
            var hour = sent.hours.get(key);
            var prefix = keys.keyPrefix(tag);
            var to = prefix + "f:" + System.currentTimeMillis() + ':';
            moves.add(within(link.eval(aside, List.of(key, to + key.substring(prefix.length())),
                    List.of(sent.pages.contains(key) ? "hash" : "string", Long.toString(LedgerHash.expiry(hour)))))
                    .map(moved -> {
                        if (moved.toInteger() == 1) {
                            foreign.increment();
                            LOG.warnf("A key of the ledger held other data, which was moved and is kept for 31 days: keys=%s*",
                                    to);
                        }
                        return null;
                    }));
        }
        return Future.all(moves).map(false);
    }

    private Future<Response> send(int tag, WriteBuffer.Batch batch) {
        var sent = new Sent(tag, batch);
        return link.eval(book, sent.keys, sent.arguments);
    }

    /** A batch as book.lua takes it. */
    private final class Sent {

        private final List<String> keys = new ArrayList<>();
        private final List<String> arguments = new ArrayList<>();
        private final Map<String, String> positions = new HashMap<>();
        /** The hashes among the keys; the others are marks of requests. */
        private final Set<String> pages = new HashSet<>();
        /** The hour of the entry that a key belongs to. */
        private final Map<String, Long> hours = new HashMap<>();

        Sent(int tag, WriteBuffer.Batch batch) {
            keys.add(RedisLedger.this.keys.keyPrefix(tag) + "s:" + instance);
            arguments.add(Long.toString(batch.number()));
            arguments.add(NUMBER_SECONDS);
            for (var item : batch.items()) {
                var line = item.line();
                var pairs = LedgerHash.increments(line.provider(), line.model(), item.tally());
                var page = page(line.identifier(), line.hour());
                pages.add(page);
                arguments.add(position(page, line.hour()));
                arguments.add(Long.toString(LedgerHash.expiry(line.hour())));
                arguments.add(item.request() == null ? "0" : position(item.request(), line.hour()));
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
    public Uni<Void> written(String identifier) {
        return uni(link.isUp()
                ? link.within(atOnceMillis, emptied(keys.tag(identifier), 3)).otherwiseEmpty()
                : Future.succeededFuture());
    }

    @Override
    public Uni<Void> close() {
        if (!link.isUp()) {
            end();
            return Uni.createFrom().voidItem();
        }
        var all = new ArrayList<Future<Void>>();
        for (int tag = 0; tag < TAGS; tag++) {
            all.add(emptied(tag, buffer));
        }
        return uni(within(Future.join(all)).<Void>mapEmpty().otherwiseEmpty().onComplete(done -> end()));
    }

    private void end() {
        closed = true;
        if (vertx.cancelTimer(timer)) {
            scheduled.set(false);
        }
    }

    /** Whether a timer is set. */
    boolean timed() {
        return scheduled.get();
    }

    @Override
    public Uni<UsageReport> read(String identifier, long fromHour, long toHour) {
        int tag = keys.tag(identifier);
        if (!link.isUp()) {
            var account = new UsageReport();
            shelves[tag].read(identifier, fromHour, toHour, account);
            return Uni.createFrom().item(account);
        }
        return uni(emptied(tag, 3).compose(done -> {
            var pages = new ArrayList<Future<Response>>();
            for (long hour = fromHour; hour <= toHour; hour++) {
                pages.add(link.send(Request.cmd(Command.HGETALL).arg(page(identifier, hour)))
                        .recover(RedisLedger::unlessForeign));
            }
            return within(Future.all(pages)).map(all -> {
                var account = new UsageReport();
                pages.forEach(page -> LedgerHash.read(fields(page.result()), account));
                return account;
            });
        })).onFailure().transform(failure -> failure instanceof StoreUnavailableException
                ? failure
                : new StoreUnavailableException("Redis answered with an error", failure));
    }

    /** A key that holds other data holds no account; it is moved when something is booked there. */
    private static Future<Response> unlessForeign(Throwable failure) {
        return failure.getMessage() != null && failure.getMessage().startsWith("WRONGTYPE")
                ? Future.succeededFuture()
                : Future.failedFuture(failure);
    }

    private static Map<String, String> fields(Response page) {
        var fields = new HashMap<String, String>();
        if (page == null) {
            return fields;
        }
        for (var field : page.getKeys()) {
            fields.put(field, page.get(field).toString());
        }
        return fields;
    }

    /** What was booked here before is written, as far as it can be. */
    private Future<Void> emptied(int tag, int tries) {
        return shelves[tag].underWay().compose(done -> tries == 0 || shelves[tag].empty()
                ? Future.succeededFuture()
                : flushed(tag).otherwiseEmpty().compose(sent -> emptied(tag, tries - 1)));
    }

    private <T> Future<T> within(Future<T> future) {
        return link.within(PATIENCE_MILLIS, future);
    }

    private static <T> Uni<T> uni(Future<T> future) {
        return Uni.createFrom().completionStage(future.toCompletionStage());
    }
}
