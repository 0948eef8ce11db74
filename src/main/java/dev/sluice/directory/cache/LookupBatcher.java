package dev.sluice.directory.cache;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.directory.DirectoryCalls;
import dev.sluice.redis.LuaScript;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.redis.client.Response;

/**
 * Reads identities from Redis. Lookups of the same identity share a read, and those that arrive while a call is in flight are sent
 * together in the next one. Thread-safe.
 */
final class LookupBatcher {

    /** Maximum number of lookups of one call, which takes Redis less than a millisecond. */
    static final int MAX_BATCH = 200;
    /** Maximum number of different lookups that wait; further ones fail. */
    static final int MAX_WAITING = 10_000;

    /** Type of a lookup, and the hash or name. */
    record Lookup(String type, String value) {
    }

    /**
     * Reads an item of a reply.
     *
     * @param <T> type of the result
     */
    @FunctionalInterface
    interface ItemReader<T> {

        /** @param position position at which the item was read */
        T read(Response item, Position position);
    }

    /** Receives replies on the connection's event loop, in the order in which Redis executed the calls. */
    interface Owner {

        /** Returns the time in nanoseconds. */
        long now();

        /** Returns the number of the connection: a reply that arrives over an earlier one is discarded. */
        int connection();

        /** Called before the results of a call are handed on. */
        void onPosition(Position position);
    }

    /** Failure of a lookup beyond {@link #MAX_WAITING}. Redis is available, so the limits of the identity must not be left out. */
    static final class OverloadException extends StoreUnavailableException {

        private static final long serialVersionUID = 1;

        OverloadException() {
            super(MAX_WAITING + " different identities are being read from Redis already", null);
        }
    }

    private static final class Waiting<T> {

        private final Lookup lookup;
        private final ItemReader<T> reader;
        private final Promise<T> promise = Promise.promise();

        Waiting(Lookup lookup, ItemReader<T> reader) {
            this.lookup = lookup;
            this.reader = reader;
        }

        void complete(Response item, Position position) {
            T result;
            try {
                result = reader.read(item, position);
            } catch (RuntimeException e) {
                promise.fail(e);
                return;
            }
            promise.complete(result);
        }
    }

    private static final int FIRST_ITEM = 3;

    private final DirectoryCalls calls;
    private final LuaScript script;
    private final Owner owner;
    /** Lookups that are waiting or in flight. Guarded by this. */
    private final Map<Lookup, Waiting<?>> byLookup = new HashMap<>();
    /** Lookups that are not sent yet. Guarded by this. */
    private final Queue<Waiting<?>> queue = new ArrayDeque<>();
    /** Set while a call is in flight. Guarded by this. */
    private boolean inFlight;

    LookupBatcher(DirectoryCalls calls, Owner owner, String timeExpression) {
        this.calls = calls;
        this.owner = owner;
        this.script = LuaScript.load(LookupBatcher.class, "lookup.lua", timeExpression);
    }

    /**
     * Looks an identity up.
     *
     * @param reader reads the item of the reply, on the connection's event loop; of lookups that share a read, that of the first
     * @return completes on the connection's event loop; fails with {@link StoreUnavailableException}
     */
    @SuppressWarnings("unchecked") // equal lookups have readers of one type
    <T> Future<T> read(Lookup lookup, ItemReader<T> reader) {
        Waiting<T> waiting;
        synchronized (this) {
            waiting = (Waiting<T>) byLookup.get(lookup);
            if (waiting != null) {
                return waiting.promise.future();
            }
            if (byLookup.size() >= MAX_WAITING) {
                return Future.failedFuture(new OverloadException());
            }
            waiting = new Waiting<>(lookup, reader);
            byLookup.put(lookup, waiting);
            queue.add(waiting);
        }
        sendNext();
        return waiting.promise.future();
    }

    private void sendNext() {
        var batch = nextBatch();
        if (batch.isEmpty()) {
            return;
        }
        var arguments = new ArrayList<String>(2 * batch.size());
        for (var waiting : batch) {
            arguments.add(waiting.lookup.type);
            arguments.add(waiting.lookup.value);
        }
        long sentAt = owner.now();
        int connection = owner.connection();
        calls.call(script, arguments, reply -> {
            end(batch);
            if (connection != owner.connection()) {
                throw new StoreUnavailableException("The connection to Redis was replaced", null);
            }
            var position = new Position(reply.get(1).toString(), reply.get(2).toLong(), reply.get(0).toLong(), sentAt);
            owner.onPosition(position);
            for (int i = 0; i < batch.size(); i++) {
                batch.get(i).complete(reply.get(FIRST_ITEM + i), position);
            }
            return null;
        }).onComplete(done -> {
            if (done.failed()) {
                end(batch);
                batch.forEach(waiting -> waiting.promise.tryFail(done.cause()));
            }
            synchronized (this) {
                inFlight = false;
            }
            sendNext();
        });
    }

    private synchronized List<Waiting<?>> nextBatch() {
        if (inFlight) {
            return List.of();
        }
        var batch = new ArrayList<Waiting<?>>();
        while (batch.size() < MAX_BATCH && !queue.isEmpty()) {
            batch.add(queue.remove());
        }
        inFlight = !batch.isEmpty();
        return batch;
    }

    /** Later lookups need a later read: the identity may have changed after this one. */
    private synchronized void end(List<Waiting<?>> batch) {
        batch.forEach(waiting -> byLookup.remove(waiting.lookup, waiting));
    }

    /** Returns the number of lookups that wait or are in flight. */
    synchronized int size() {
        return byLookup.size();
    }
}
