package dev.sluice.service.proxy;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** The exchanges of an upstream that are not complete, without established WebSockets. For any thread. */
final class ExchangesInFlight {

    /** Exchange that can be ended early. */
    interface Abortable {

        /** Ends the exchange before the service stops, from any thread; completes when the client's response has ended, too. */
        CompletableFuture<Void> abort();
    }

    private final Set<Abortable> exchanges = ConcurrentHashMap.newKeySet();
    private volatile boolean stopped;

    void add(Abortable exchange) {
        exchanges.add(exchange);
        if (stopped) {
            exchange.abort();
        }
    }

    void remove(Abortable exchange) {
        exchanges.remove(exchange);
    }

    int count() {
        return exchanges.size();
    }

    /** Aborts all exchanges, and those that begin later; completes when their responses have ended. */
    CompletableFuture<Void> abort() {
        stopped = true;
        return CompletableFuture.allOf(exchanges.stream().map(Abortable::abort).toArray(CompletableFuture[]::new));
    }
}
