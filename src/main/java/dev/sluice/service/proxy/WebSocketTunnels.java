package dev.sluice.service.proxy;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.service.config.ServiceConfig;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.vertx.core.Vertx;

/**
 * Open WebSockets. A graceful shutdown waits for them as for requests in flight; when the shutdown delay and a grace period have
 * passed, each is closed with status 1001 (going away). Thread-safe.
 */
@ApplicationScoped
public class WebSocketTunnels {

    /** An open WebSocket. Its methods are called on any thread. */
    interface Tunnel {

        /** Sends a Close frame to both sides. */
        void closeGracefully(int status);

        /** Closes the connections to both sides. */
        void closeNow();
    }

    private static final Logger LOG = Logger.getLogger(WebSocketTunnels.class);
    private static final int GOING_AWAY = 1001;
    /** Maximum time for both sides to confirm the closing. */
    private static final long CLOSING_TIMEOUT_MILLIS = 2000;

    private final Vertx vertx;
    private final long graceMillis;
    private final Set<Tunnel> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closing;

    WebSocketTunnels(Vertx vertx, ServiceConfig settings,
            @ConfigProperty(name = "quarkus.shutdown.delay") Optional<Duration> shutdownDelay) {
        this.vertx = vertx;
        this.graceMillis = Math.max(1, settings.upstream().webSocketGracePeriod().plus(shutdownDelay.orElse(Duration.ZERO))
                .toMillis());
    }

    void add(Tunnel tunnel) {
        open.add(tunnel);
        if (closing) {
            tunnel.closeGracefully(GOING_AWAY);
        }
    }

    void remove(Tunnel tunnel) {
        open.remove(tunnel);
    }

    void onShutdown(@Observes ShutdownDelayInitiatedEvent shutdown) {
        vertx.setTimer(graceMillis, passed -> closeAll());
    }

    private void closeAll() {
        closing = true;
        if (open.isEmpty()) {
            return;
        }
        LOG.infof("Closing WebSockets: open=%d", open.size());
        open.forEach(tunnel -> tunnel.closeGracefully(GOING_AWAY));
        vertx.setTimer(CLOSING_TIMEOUT_MILLIS, late -> open.forEach(Tunnel::closeNow));
    }
}
