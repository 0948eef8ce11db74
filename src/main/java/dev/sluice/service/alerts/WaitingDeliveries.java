package dev.sluice.service.alerts;

import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import io.vertx.core.Future;
import io.vertx.core.Promise;

/**
 * Leased alerts that wait for a slot of their owner and URL. What does not fit, or has waited so long that its lease might end during the
 * attempt, is left to a later lease. Not thread-safe.
 */
final class WaitingDeliveries {

    /** Maximum number of alerts of one owner that wait. */
    static final int MAX_PER_OWNER = 64;
    private static final int MAX = 1024;
    /** Maximum time that an alert waits, in milliseconds: the rest of its lease is longer than an attempt. */
    private static final long MAX_WAIT_MILLIS = AlertQueue.LEASE_MILLIS - HttpWebhookTransport.TIMEOUT_MILLIS * 3 / 2;

    private record Waiting(String owner, URI url, Supplier<Future<Void>> delivery, long until, Promise<Void> ended) {
    }

    private final DeliverySlots slots = new DeliverySlots();
    private final LongSupplier clock;
    private List<Waiting> waiting = new ArrayList<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private boolean stopped;

    /** @param clock returns milliseconds */
    WaitingDeliveries(LongSupplier clock) {
        this.clock = clock;
    }

    /**
     * Makes a delivery when there is a slot for it.
     *
     * @param owner as in {@link AlertTarget}
     * @return completes when the delivery has ended, or is left to a later lease
     */
    Future<Void> submit(String owner, URI url, Supplier<Future<Void>> delivery) {
        if (stopped) {
            return Future.succeededFuture();
        }
        if (slots.tryAcquire(owner, url)) {
            return begin(owner, url, delivery);
        }
        int number = numbers.getOrDefault(owner, 0);
        if (number >= MAX_PER_OWNER || waiting.size() >= MAX) {
            return Future.succeededFuture();
        }
        Promise<Void> ended = Promise.promise();
        numbers.put(owner, number + 1);
        waiting.add(new Waiting(owner, url, delivery, clock.getAsLong() + MAX_WAIT_MILLIS, ended));
        return ended.future();
    }

    /** Leaves what waits to other instances; deliveries that have begun go on. */
    void stop() {
        stopped = true;
        waiting.forEach(delivery -> delivery.ended().complete());
        waiting.clear();
        numbers.clear();
    }

    private Future<Void> begin(String owner, URI url, Supplier<Future<Void>> delivery) {
        return delivery.get().onComplete(done -> {
            slots.release(owner, url);
            beginWaiting();
        });
    }

    private void beginWaiting() {
        long now = clock.getAsLong();
        var all = waiting;
        waiting = new ArrayList<>();
        for (var next : all) {
            if (stopped || next.until() < now) {
                remove(next);
                next.ended().complete();
            } else if (slots.tryAcquire(next.owner(), next.url())) {
                remove(next);
                begin(next.owner(), next.url(), next.delivery()).onComplete(next.ended());
            } else {
                waiting.add(next);
            }
        }
    }

    private void remove(Waiting delivery) {
        numbers.computeIfPresent(delivery.owner(), (owner, number) -> number == 1 ? null : number - 1);
    }
}
