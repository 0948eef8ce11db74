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
 * Leased alerts that wait for a slot of their URL. What does not fit, or has waited so long that its lease might end during the
 * attempt, is left to a later lease. Not thread-safe.
 */
final class WaitingDeliveries {

    /** Maximum number of alerts that wait for one URL. */
    static final int MAX_PER_URL = 64;
    private static final int MAX = 1024;
    /** Maximum time that an alert waits, in milliseconds: the rest of its lease is longer than an attempt. */
    private static final long MAX_WAIT_MILLIS = AlertQueue.LEASE_MILLIS - HttpWebhookTransport.TIMEOUT_MILLIS * 3 / 2;

    private record Waiting(URI url, Supplier<Future<Void>> delivery, long until, Promise<Void> ended) {
    }

    private final DeliverySlots slots = new DeliverySlots();
    private final LongSupplier clock;
    private List<Waiting> waiting = new ArrayList<>();
    private final Map<URI, Integer> numbers = new HashMap<>();
    private boolean stopped;

    /** @param clock returns milliseconds */
    WaitingDeliveries(LongSupplier clock) {
        this.clock = clock;
    }

    /**
     * Makes a delivery when there is a slot for it.
     *
     * @return completes when the delivery has ended, or is left to a later lease
     */
    Future<Void> submit(URI url, Supplier<Future<Void>> delivery) {
        if (stopped) {
            return Future.succeededFuture();
        }
        if (slots.tryAcquire(url)) {
            return begin(url, delivery);
        }
        int number = numbers.getOrDefault(url, 0);
        if (number >= MAX_PER_URL || waiting.size() >= MAX) {
            return Future.succeededFuture();
        }
        Promise<Void> ended = Promise.promise();
        numbers.put(url, number + 1);
        waiting.add(new Waiting(url, delivery, clock.getAsLong() + MAX_WAIT_MILLIS, ended));
        return ended.future();
    }

    /** Leaves what waits to other instances; deliveries that have begun go on. */
    void stop() {
        stopped = true;
        waiting.forEach(delivery -> delivery.ended().complete());
        waiting.clear();
        numbers.clear();
    }

    private Future<Void> begin(URI url, Supplier<Future<Void>> delivery) {
        return delivery.get().onComplete(done -> {
            slots.release(url);
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
            } else if (slots.tryAcquire(next.url())) {
                remove(next);
                begin(next.url(), next.delivery()).onComplete(next.ended());
            } else {
                waiting.add(next);
            }
        }
    }

    private void remove(Waiting delivery) {
        numbers.computeIfPresent(delivery.url(), (url, number) -> number == 1 ? null : number - 1);
    }
}
