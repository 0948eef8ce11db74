package dev.sluice.http;

import dev.sluice.api.ConcurrencySlot;
import io.vertx.ext.web.RoutingContext;

/**
 * Slots of limits of requests in flight that an HTTP request holds until it ends: its response has been written, its connection or
 * stream has been closed, or the WebSocket that it has become is closed. Confined to the event loop of the request.
 */
public final class RequestSlot {

    private static final String KEY = RequestSlot.class.getName();

    private final ConcurrencySlot slot;
    private boolean tunnelled;

    private RequestSlot(ConcurrencySlot slot) {
        this.slot = slot;
    }

    /** Holds slots until a request ends. Those of a request that has ended already are released. */
    static void hold(RoutingContext request, ConcurrencySlot slot) {
        if (slot == ConcurrencySlot.NONE) {
            return;
        }
        if (request.response().closed() || request.response().ended()) {
            slot.release();
            return;
        }
        var held = new RequestSlot(slot);
        request.put(KEY, held);
        request.addEndHandler(end -> {
            if (!held.tunnelled) {
                slot.release();
            }
        });
    }

    /**
     * The request continues as another protocol, of which Vert.x does not report the end.
     *
     * @return the slots, to be released when that protocol ends
     */
    public static ConcurrencySlot continueAsTunnel(RoutingContext request) {
        RequestSlot held = request.get(KEY);
        if (held == null) {
            return ConcurrencySlot.NONE;
        }
        held.tunnelled = true;
        return held.slot;
    }
}
