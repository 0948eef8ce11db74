package dev.sluice.redis;

import java.util.ArrayList;
import java.util.List;

import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;

/** Adapter to the event loops of Vert.x, whose public interface creates a context only for a verticle. */
public final class EventLoops {

    private EventLoops() {
    }

    /** Returns a new context on each event loop: Vert.x spreads contexts over the loops in turn. */
    public static List<Context> contexts(Vertx vertx) {
        var contexts = new ArrayList<Context>();
        for (EventExecutor ignored : vertx.nettyEventLoopGroup()) {
            contexts.add(((VertxInternal) vertx).createEventLoopContext());
        }
        return contexts;
    }
}
