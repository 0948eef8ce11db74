package dev.sluice.service.proxy;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.service.config.ServiceConfig;
import io.quarkus.runtime.ShutdownEvent;

/**
 * Open WebSockets. At shutdown, after the requests in flight have ended and a grace period has passed, each is closed with status
 * 1001 (going away). Thread-safe.
 */
@ApplicationScoped
public class WebSocketTunnels {

    /** An open WebSocket. */
    interface Tunnel {

        /** Sends a Close frame to both sides. Callable from any thread. */
        void closeGracefully(int status);
    }

    private static final Logger LOG = Logger.getLogger(WebSocketTunnels.class);
    private static final int GOING_AWAY = 1001;
    /** Maximum time for both sides to confirm the closing. */
    private static final Duration CLOSING_TIMEOUT = Duration.ofSeconds(2);

    private final Duration gracePeriod;
    private final Set<Tunnel> open = ConcurrentHashMap.newKeySet();
    private volatile CountDownLatch allClosed;

    WebSocketTunnels(ServiceConfig settings) {
        this.gracePeriod = settings.upstream().webSocketGracePeriod();
    }

    void add(Tunnel tunnel) {
        open.add(tunnel);
        if (allClosed != null) {
            tunnel.closeGracefully(GOING_AWAY);
        }
    }

    void remove(Tunnel tunnel) {
        open.remove(tunnel);
        var latch = allClosed;
        if (latch != null && open.isEmpty()) {
            latch.countDown();
        }
    }

    void onShutdown(@Observes ShutdownEvent shutdown) throws InterruptedException {
        if (open.isEmpty()) {
            return;
        }
        LOG.infof("Closing WebSockets: open=%d, grace period=%d ms", open.size(), gracePeriod.toMillis());
        var latch = new CountDownLatch(1);
        allClosed = latch;
        if (!open.isEmpty() && !latch.await(gracePeriod.toMillis(), TimeUnit.MILLISECONDS)) {
            open.forEach(tunnel -> tunnel.closeGracefully(GOING_AWAY));
            if (!latch.await(CLOSING_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warnf("WebSockets were not closed by their peers in time: open=%d", open.size());
            }
        }
    }
}
