package dev.sluice.service.edge;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.jboss.logging.Logger;

import dev.sluice.store.LogInterval;
import io.netty.channel.Channel;

/**
 * Bounds the connections that clients have open, those that have sent nothing included: Quarkus counts a connection only when its
 * first request arrives. Thread-safe.
 */
final class ClientConnectionLimit {

    static final String SETTING = "quarkus.http.limits.max-connections";

    private static final Logger LOG = Logger.getLogger(ClientConnectionLimit.class);
    private static final long WARNING_INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final int max;
    private final AtomicInteger open = new AtomicInteger();
    private final LogInterval warnings = new LogInterval(WARNING_INTERVAL_NANOS, System.nanoTime());

    /** @param max maximum number of connections */
    ClientConnectionLimit(int max) {
        this.max = max;
    }

    /**
     * Counts a connection until it is closed.
     *
     * @return false if there are too many; the connection is then to be closed
     */
    boolean tryOpen(Channel connection) {
        if (open.incrementAndGet() > max) {
            open.decrementAndGet();
            warn();
            return false;
        }
        connection.closeFuture().addListener(closed -> open.decrementAndGet());
        return true;
    }

    private void warn() {
        if (warnings.tryPass(System.nanoTime())) {
            LOG.warnf("New connections of clients are closed: as many are open as %s=%d allows", SETTING, max);
        }
    }
}
