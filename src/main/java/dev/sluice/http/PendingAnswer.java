package dev.sluice.http;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import java.util.function.UnaryOperator;

import jakarta.ws.rs.container.ContainerResponseContext;

import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.policy.AwaitedUnits;
import dev.sluice.settlement.SettlementQueue;
import dev.sluice.store.ReservationToken;
import io.vertx.core.MultiMap;
import io.vertx.ext.web.RoutingContext;

/**
 * Units that are reserved for an admitted request until its answer is known. They are settled once, by the first call that reports an
 * answer or its absence. If there is none, because the instance is lost, they stay counted. Thread-safe.
 */
public final class PendingAnswer {

    private static final String KEY = PendingAnswer.class.getName();

    private final AtomicBoolean settled = new AtomicBoolean();
    private final List<AwaitedUnits> awaited;
    private final String reservation;
    private final IdentityChain chain;
    private final SettlementQueue settlements;

    /**
     * @param awaited what is reserved
     * @param reservation token of the reservation; null if nothing was reserved, because the request would have been denied
     * @param chain the chain of the caller
     */
    PendingAnswer(List<AwaitedUnits> awaited, String reservation, IdentityChain chain, SettlementQueue settlements) {
        this.chain = chain;
        this.awaited = awaited;
        this.reservation = reservation;
        this.settlements = settlements;
    }

    /** Settles by the answer when its head is written. */
    void observe(RoutingContext request) {
        var response = request.response();
        request.put(KEY, this);
        request.addHeadersEndHandler(written -> onAnswer(response.getStatusCode(), response.headers()));
    }

    /** Returns what is settled by the answer of a request; null if nothing is. */
    static PendingAnswer of(RoutingContext request) {
        return request.get(KEY);
    }

    /**
     * Settles by an answer, and takes fields that have its cost off it.
     *
     * @param headers header fields of the answer; may be changed
     */
    public void onAnswer(int status, MultiMap headers) {
        onAnswer(status, name -> headers.contains(name) ? String.join(",", headers.getAll(name)) : null, headers::remove);
    }

    /** Settles by the response of a JAX-RS resource, of which the head is not written yet. */
    void onAnswer(ContainerResponseContext response) {
        onAnswer(response.getStatus(), response::getHeaderString,
                name -> response.getHeaders().keySet().removeIf(name::equalsIgnoreCase));
    }

    private void onAnswer(int status, UnaryOperator<String> fields, Consumer<String> removal) {
        settle(units -> units.used(status, fields));
        for (var units : awaited) {
            if (units.hiddenField() != null) {
                removal.accept(units.hiddenField());
            }
        }
    }

    /** Settles a request that was not answered. */
    public void onNoAnswer() {
        settle(AwaitedUnits::usedWithoutAnswer);
    }

    /** Returns whether no answer was reported yet. */
    public boolean isOpen() {
        return !settled.get();
    }

    private void settle(ToLongFunction<AwaitedUnits> used) {
        if (!settled.compareAndSet(false, true) || reservation == null) {
            return;
        }
        if (awaited.size() == 1) {
            var units = awaited.get(0);
            settle(units.identifier(), Map.of(units.resource(), used.applyAsLong(units)));
            return;
        }
        var byIdentifier = new HashMap<String, Map<String, Long>>(); // an identifier settles all of its resources at once
        for (var units : awaited) {
            byIdentifier.computeIfAbsent(units.identifier(), identifier -> new HashMap<>())
                    .put(units.resource(), used.applyAsLong(units));
        }
        byIdentifier.forEach(this::settle);
    }

    private void settle(String identifier, Map<String, Long> used) {
        settlements.settle(identifier, chain.contains(identifier) ? reservation : ReservationToken.withoutRoot(reservation),
                used);
    }
}
