package dev.sluice.redis;

import java.util.ArrayList;
import java.util.List;

import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;

/** Adapter to the event loops of Vert.x, which have no public API: only a verticle gets a context on an event loop. */
public final class EventLoops {

    private EventLoops() {
    }

    /** Returns all event loops. */
    public static EventLoopGroup group(Vertx vertx) {
        return ((VertxInternal) vertx).getEventLoopGroup();
    }

    /** Returns a new context on each event loop: Vert.x spreads contexts over the loops in turn. */
    public static List<Context> contexts(Vertx vertx) {
        var contexts = new ArrayList<Context>();
        for (EventExecutor ignored : group(vertx)) {
            contexts.add(((VertxInternal) vertx).createEventLoopContext());
        }
        return contexts;
    }
}
