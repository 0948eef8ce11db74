package dev.sluice.service.edge;

import io.netty.util.concurrent.FastThreadLocal;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;

/** One {@link LoopTimer} for each event loop. */
public final class LoopTimers {

    private final FastThreadLocal<LoopTimer> timers;

    /** @param tickMillis interval at which timeouts are checked */
    public LoopTimers(long tickMillis) {
        timers = new FastThreadLocal<>() {

            @Override
            protected LoopTimer initialValue() {
                return new LoopTimer(((ContextInternal) Vertx.currentContext()).nettyEventLoop(), tickMillis);
            }
        };
    }

    /** Returns the timer of the current event loop. */
    public LoopTimer current() {
        return timers.get();
    }
}
