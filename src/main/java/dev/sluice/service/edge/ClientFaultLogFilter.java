package dev.sluice.service.edge;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.logging.Filter;
import java.util.logging.LogRecord;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import dev.sluice.store.LogInterval;
import io.netty.handler.codec.http2.Http2Exception;
import io.quarkus.logging.LoggingFilter;

/**
 * Bounds what clients can write to the log: Netty and Vert.x log HTTP/2 connections that they close because of a flood of control
 * frames, connections that do not begin as HTTP/2 requires, and those that are reset, with a stack trace each. One line a minute
 * remains for each kind, without the stack trace. Thread-safe.
 */
@LoggingFilter(name = "client-faults")
public final class ClientFaultLogFilter implements Filter {

    private static final long INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final String HTTP2 = "HTTP/2";
    /** Loggers of connections. They also log peers other than clients, whose failures have lines of their own. */
    private static final String[] LOGGERS = {"io.netty.channel.DefaultChannelPipeline",
            "io.vertx.core.net.impl.ConnectionBase", "io.vertx.core.http.impl.Http2ConnectionBase"};

    private final LongSupplier nanoTime;
    private final Map<String, LogInterval> intervals;

    /** Called by Quarkus. */
    public ClientFaultLogFilter() {
        this(System::nanoTime);
    }

    /** @param nanoTime as {@link System#nanoTime} */
    ClientFaultLogFilter(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.intervals = Stream.concat(Stream.of(HTTP2), Stream.of(LOGGERS))
                .collect(Collectors.toUnmodifiableMap(kind -> kind,
                        kind -> new LogInterval(INTERVAL_NANOS, nanoTime.getAsLong())));
    }

    @Override
    public boolean isLoggable(LogRecord record) {
        var logger = record.getLoggerName();
        var interval = record.getThrown() instanceof Http2Exception
                ? intervals.get(HTTP2)
                : logger == null ? null : intervals.get(logger);
        if (interval == null) {
            return true;
        }
        if (!interval.tryPass(nanoTime.getAsLong())) {
            return false;
        }
        record.setThrown(null);
        return true;
    }
}
