package dev.sluice.service.edge;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.logging.Filter;
import java.util.logging.LogRecord;

import dev.sluice.store.LogInterval;
import io.netty.handler.codec.http2.Http2Exception;
import io.quarkus.logging.LoggingFilter;

/**
 * Bounds what clients can write to the log: Netty logs a stack trace for each HTTP/2 connection that it closes because of a flood
 * of control frames. One line a minute remains, without the stack trace. Thread-safe.
 */
@LoggingFilter(name = "client-faults")
public final class ClientFaultLogFilter implements Filter {

    private static final long INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final LongSupplier nanoTime;
    private final LogInterval interval;

    /** Called by Quarkus. */
    public ClientFaultLogFilter() {
        this(System::nanoTime);
    }

    /** @param nanoTime as {@link System#nanoTime} */
    ClientFaultLogFilter(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.interval = new LogInterval(INTERVAL_NANOS, nanoTime.getAsLong());
    }

    @Override
    public boolean isLoggable(LogRecord record) {
        if (!(record.getThrown() instanceof Http2Exception)) {
            return true;
        }
        if (!interval.tryPass(nanoTime.getAsLong())) {
            return false;
        }
        record.setThrown(null);
        return true;
    }
}
