package dev.sluice.llm.ledger;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import dev.sluice.caller.Hashes;
import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.redis.KeySpace;
import dev.sluice.redis.RedisLink;
import dev.sluice.redis.RedisScript;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

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

    private final Vertx vertx;
    private final RedisLink link;
    private final KeySpace keys;
    private final int buffer;
    private final RedisScript book = RedisScript.load(RedisLedger.class, "book.lua");
    private final String instance = UUID.randomUUID().toString();
    private final Shelf[] shelves = new Shelf[TAGS];
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Counter dropped;

    RedisLedger(Vertx vertx, RedisLink link, KeySpace keys, int buffer, MeterRegistry meters) {
        this.vertx = vertx;
        this.link = link;
        this.keys = keys;
        this.buffer = buffer;
        for (int i = 0; i < TAGS; i++) {
            shelves[i] = new Shelf();
        }
        dropped = Counter.builder("llm_ledger_dropped")
                .description("Calls that the ledger had no room for while Redis was away")
                .register(meters);
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
        var line = new Shelf.Line(entry.identifier(), hour, entry.provider(), entry.model());
        boolean room = waiting.get() < buffer;
        if (entry.requestId() == null) {
            int more = shelf.add(line, Tally.of(entry), room);
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
        var written = shelf.addOnce(line, Tally.of(entry), mark(entry));
        if (written == null) {
            return Uni.createFrom().item(false);
        }
        waiting.incrementAndGet();
        if (!link.up()) {
            return Uni.createFrom().item(true);
        }
        var done = written.future();
        flushed(tag);
        flushSoon(RETRY_MILLIS);
        return uni(link.within(AT_ONCE_MILLIS, done).recover(late -> Future.succeededFuture(true)));
    }

    private String mark(Ledger.Entry entry) {
        return keys.of(entry.identifier()) + "u:" + entry.provider() + ':' + Hashes.sha256(entry.requestId()) + ':'
                + entry.identifier();
    }

    private String page(String identifier, long hour) {
        return keys.of(identifier) + "l:" + hour + ':' + identifier;
    }

    private void flushSoon(long millis) {
        if (scheduled.compareAndSet(false, true)) {
            vertx.setTimer(millis, timer -> {
                scheduled.set(false);
                flush();
            });
        }
    }

    private void flush() {
        boolean left = false;
        for (int tag = 0; tag < TAGS; tag++) {
            if (!shelves[tag].empty()) {
                left = true;
                if (link.up()) {
                    flushed(tag);
                }
            }
        }
        if (left) {
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
        return within(send(tag, batch)).<Void>map(booked -> {
            for (int i = 0; i < batch.items().size(); i++) {
                var written = batch.items().get(i).written();
                if (written != null) {
                    written.tryComplete(booked.size() == 0 || booked.get(i).toInteger() == 1);
                }
            }
            return null;
        }).onComplete(done -> {
            waiting.addAndGet(-shelf.end(done.succeeded()));
            if (done.succeeded() && !shelf.empty()) {
                flushSoon(1);
            }
        });
    }

    private Future<Response> send(int tag, Shelf.Batch batch) {
        var involved = new ArrayList<String>();
        var positions = new HashMap<String, String>();
        involved.add(keys.of(tag) + "s:" + instance);
        var arguments = new ArrayList<String>();
        arguments.add(Long.toString(batch.number()));
        arguments.add(NUMBER_SECONDS);
        for (var item : batch.items()) {
            var line = item.line();
            var pairs = Page.increments(line.provider(), line.model(), item.tally());
            arguments.add(position(page(line.identifier(), line.hour()), involved, positions));
            arguments.add(Long.toString(Page.expiry(line.hour())));
            arguments.add(item.request() == null ? "0" : position(item.request(), involved, positions));
            arguments.add(Integer.toString(pairs.size() / 2));
            arguments.addAll(pairs);
        }
        return link.eval(book, involved, arguments);
    }

    private static String position(String key, List<String> involved, Map<String, String> positions) {
        return positions.computeIfAbsent(key, name -> {
            involved.add(name);
            return Integer.toString(involved.size());
        });
    }

    @Override
    public Uni<Void> written(String identifier) {
        return uni(link.up()
                ? link.within(AT_ONCE_MILLIS, emptied(keys.tag(identifier), 3)).otherwiseEmpty()
                : Future.succeededFuture());
    }

    @Override
    public Uni<Void> close() {
        if (!link.up()) {
            return Uni.createFrom().voidItem();
        }
        var all = new ArrayList<Future<Void>>();
        for (int tag = 0; tag < TAGS; tag++) {
            all.add(emptied(tag, buffer));
        }
        return uni(within(Future.join(all)).<Void>mapEmpty().otherwiseEmpty());
    }

    @Override
    public Uni<Account> read(String identifier, long fromHour, long toHour) {
        int tag = keys.tag(identifier);
        if (!link.up()) {
            var account = new Account();
            shelves[tag].read(identifier, fromHour, toHour, account);
            return Uni.createFrom().item(account);
        }
        return uni(emptied(tag, 3).compose(done -> {
            var pages = new ArrayList<Future<Response>>();
            for (long hour = fromHour; hour <= toHour; hour++) {
                pages.add(link.send(Request.cmd(Command.HGETALL).arg(page(identifier, hour))));
            }
            return within(Future.all(pages)).map(all -> {
                var account = new Account();
                pages.forEach(page -> Page.read(fields(page.result()), account));
                return account;
            });
        })).onFailure().transform(failure -> failure instanceof StoreUnavailableException
                ? failure
                : new StoreUnavailableException("Redis answered with an error", failure));
    }

    private static Map<String, String> fields(Response page) {
        var fields = new HashMap<String, String>();
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
