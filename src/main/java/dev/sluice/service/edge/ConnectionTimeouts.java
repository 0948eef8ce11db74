package dev.sluice.service.edge;

import java.net.InetSocketAddress;
import java.time.Duration;

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
 * Gives every connection to the service its {@link ConnectionTimeoutHandler}, before a byte has come over it. Vert.x has no place for
 * that: it tells of requests that have come, and Netty of connections.
 */
@ApplicationScoped
class ConnectionTimeouts {

    private static final Logger LOG = Logger.getLogger(ConnectionTimeouts.class);
    private static final String NAME = "patience";

    private final ServiceConfig.Connections settings;
    private final VertxInternal vertx;

    ConnectionTimeouts(ServiceConfig settings, Vertx vertx) {
        this.settings = settings.connections();
        this.vertx = (VertxInternal) vertx;
    }

    void validate(@Observes ConfigProblems problems) {
        positive(problems, "head-timeout", settings.headTimeout());
        positive(problems, "body-timeout", settings.bodyTimeout());
        positive(problems, "idle-timeout", settings.idleTimeout());
        positive(problems, "reader-timeout", settings.readerTimeout());
    }

    private static void positive(ConfigProblems problems, String name, Duration value) {
        if (value.toMillis() < 1 || value.toMillis() > Integer.MAX_VALUE) {
            problems.add("rate-limit.connections." + name, value.toString(), "a duration from 1ms");
        }
    }

    void http(@ObservesAsync HttpServerStart started) {
        watch(started.options().getPort());
    }

    void https(@ObservesAsync HttpsServerStart started) {
        watch(started.options().getPort());
    }

    private void watch(int port) {
        for (var acceptor : vertx.getAcceptorEventLoopGroup()) {
            acceptor.execute(() -> {
                if (acceptor instanceof SingleThreadEventLoop loop) {
                    loop.registeredChannelsIterator().forEachRemaining(channel -> watch(channel, port));
                } else {
                    LOG.warn("Connections cannot be watched: heads of requests may come as slowly as they like");
                }
            });
        }
    }

    private void watch(Channel channel, int port) {
        if (channel instanceof ServerChannel && channel.localAddress() instanceof InetSocketAddress address
                && address.getPort() == port && channel.pipeline().get(NAME) == null) {
            channel.pipeline().addFirst(NAME,
                    new Accepted(new ConnectionTimeoutHandler.Limits(settings.headTimeout().toMillis(),
                            settings.idleTimeout().toMillis(), settings.readerTimeout().toMillis())));
        }
    }

    /** What a server's channel reads are connections. */
    private static final class Accepted extends ChannelInboundHandlerAdapter {

        private final ConnectionTimeoutHandler.Limits limits;

        Accepted(ConnectionTimeoutHandler.Limits limits) {
            this.limits = limits;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object connection) {
            ((Channel) connection).pipeline().addLast(NAME, new ConnectionTimeoutHandler(limits));
            context.fireChannelRead(connection);
        }
    }
}
