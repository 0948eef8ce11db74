package dev.sluice.service.edge;

import java.net.InetSocketAddress;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.ObservesAsync;

import org.jboss.logging.Logger;

import dev.sluice.config.ConfigProblems;
import dev.sluice.service.config.ServiceConfig;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.netty.channel.SingleThreadEventLoop;
import io.quarkus.vertx.http.HttpServerStart;
import io.quarkus.vertx.http.HttpsServerStart;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;

/**
 * Installs a {@link ConnectionTimeoutHandler} on every connection of the server before its first byte is read. Vert.x has no
 * hook for this: it reports requests, whereas Netty reports connections.
 */
@ApplicationScoped
class ConnectionTimeouts {

    private static final Logger LOG = Logger.getLogger(ConnectionTimeouts.class);
    private static final String NAME = "connection-timeouts";

    private final ServiceConfig.Connections settings;
    private final VertxInternal vertx;

    ConnectionTimeouts(ServiceConfig settings, Vertx vertx) {
        this.settings = settings.connections();
        this.vertx = (VertxInternal) vertx;
    }

    void validate(@Observes ConfigProblems problems) {
        problems.checkDuration("rate-limit.connections.head-timeout", settings.headTimeout());
        problems.checkDuration("rate-limit.connections.body-timeout", settings.bodyTimeout());
        problems.checkDuration("rate-limit.connections.idle-timeout", settings.idleTimeout());
        problems.checkDuration("rate-limit.connections.reader-timeout", settings.readerTimeout());
    }

    void onHttpStart(@ObservesAsync HttpServerStart started) {
        install(started.options().getPort());
    }

    void onHttpsStart(@ObservesAsync HttpsServerStart started) {
        install(started.options().getPort());
    }

    private void install(int port) {
        for (var acceptor : vertx.getAcceptorEventLoopGroup()) {
            acceptor.execute(() -> {
                if (acceptor instanceof SingleThreadEventLoop loop) {
                    loop.registeredChannelsIterator().forEachRemaining(channel -> install(channel, port));
                } else {
                    LOG.warn("Connection timeouts cannot be installed: slow request headers are not limited");
                }
            });
        }
    }

    private void install(Channel channel, int port) {
        if (channel instanceof ServerChannel && channel.localAddress() instanceof InetSocketAddress address
                && address.getPort() == port && channel.pipeline().get(NAME) == null) {
            channel.pipeline().addFirst(NAME,
                    new ConnectionInitializer(new ConnectionTimeoutHandler.Limits(settings.headTimeout().toMillis(),
                            settings.idleTimeout().toMillis(), settings.readerTimeout().toMillis())));
        }
    }

    /** Adds the handler to each accepted connection, which is what a server channel reads. */
    private static final class ConnectionInitializer extends ChannelInboundHandlerAdapter {

        private final ConnectionTimeoutHandler.Limits limits;

        ConnectionInitializer(ConnectionTimeoutHandler.Limits limits) {
            this.limits = limits;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object connection) {
            ((Channel) connection).pipeline().addLast(NAME, new ConnectionTimeoutHandler(limits));
            context.fireChannelRead(connection);
        }
    }
}
