package dev.sluice.service.edge;

import java.net.InetSocketAddress;
import java.util.OptionalInt;
import java.util.function.Consumer;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.ObservesAsync;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.config.ConfigProblems;
import dev.sluice.identity.ClientAddressResolver;
import dev.sluice.service.config.ServiceConfig;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.util.AttributeKey;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.value.registry.ValueRegistry;
import io.quarkus.value.registry.ValueRegistry.RuntimeKey;
import io.quarkus.vertx.http.HttpServer;
import io.quarkus.vertx.http.HttpServerStart;
import io.quarkus.vertx.http.HttpsServerStart;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.impl.VertxInternal;

/**
 * Installs a {@link ConnectionTimeoutHandler} and an {@link HttpPipelineInitializer} on every connection of the server before
 * its first byte is read. Vert.x has no hook for this: it reports requests, whereas Netty reports connections.
 */
@ApplicationScoped
class ConnectionInitializer {

    private static final Logger LOG = Logger.getLogger(ConnectionInitializer.class);
    private static final String NAME = "connection-initializer";
    private static final AttributeKey<HttpServerOptions> OPTIONS = AttributeKey.valueOf(ConnectionInitializer.class, "options");

    private final ServiceConfig.Connections settings;
    private final VertxInternal vertx;
    private final ValueRegistry ports;
    private final ClientAddressResolver addresses;
    private final ClientConnectionLimit connections;

    ConnectionInitializer(ServiceConfig settings, Vertx vertx, ValueRegistry ports, ClientAddressResolver addresses,
            @ConfigProperty(name = ClientConnectionLimit.SETTING) OptionalInt maxConnections) {
        this.connections = new ClientConnectionLimit(maxConnections.orElse(Integer.MAX_VALUE));
        this.addresses = addresses;
        this.ports = ports;
        this.settings = settings.connections();
        this.vertx = (VertxInternal) vertx;
    }

    void validate(@Observes ConfigProblems problems) {
        problems.checkDuration("rate-limit.connections.head-timeout", settings.headTimeout());
        problems.checkDuration("rate-limit.connections.body-timeout", settings.bodyTimeout());
        problems.checkDuration("rate-limit.connections.idle-timeout", settings.idleTimeout());
        problems.checkDuration("rate-limit.connections.reader-timeout", settings.readerTimeout());
    }

    /** Replaces the handlers after a live reload in dev mode, which keeps the server and its connections. */
    void onReload(@Observes StartupEvent started) {
        if (LaunchMode.current() == LaunchMode.DEVELOPMENT) {
            forEachServerChannel(channel -> {
                var options = channel.attr(OPTIONS).get();
                if (options != null) {
                    channel.pipeline().replace(NAME, NAME, acceptHandler(options));
                }
            });
        }
    }

    void onHttpStart(@ObservesAsync HttpServerStart started) {
        install(started.options(), HttpServer.HTTP_PORT);
    }

    void onHttpsStart(@ObservesAsync HttpsServerStart started) {
        install(started.options(), HttpServer.HTTPS_PORT);
    }

    private void install(HttpServerOptions options, RuntimeKey<Integer> actualPort) {
        // The options have port 0 if a free port was to be chosen.
        int port = options.getPort() > 0 ? options.getPort() : ports.get(actualPort);
        forEachServerChannel(channel -> install(channel, port, options));
    }

    private void forEachServerChannel(Consumer<Channel> action) {
        for (var acceptor : vertx.getAcceptorEventLoopGroup()) {
            acceptor.execute(() -> {
                if (acceptor instanceof SingleThreadEventLoop loop) {
                    loop.registeredChannelsIterator().forEachRemaining(channel -> {
                        if (channel instanceof ServerChannel) {
                            action.accept(channel);
                        }
                    });
                } else {
                    LOG.warn("Connection handlers cannot be installed: slow request headers are not limited");
                }
            });
        }
    }

    private void install(Channel channel, int port, HttpServerOptions options) {
        if (channel.localAddress() instanceof InetSocketAddress address && address.getPort() == port
                && channel.pipeline().get(NAME) == null) {
            channel.attr(OPTIONS).set(options);
            channel.pipeline().addFirst(NAME, acceptHandler(options));
        }
    }

    private AcceptHandler acceptHandler(HttpServerOptions options) {
        var limits = new ConnectionTimeoutHandler.Limits(settings.headTimeout().toMillis(), settings.idleTimeout().toMillis(),
                settings.readerTimeout().toMillis());
        return new AcceptHandler(connections, limits, options, addresses);
    }

    /** Adds the handlers to each accepted connection, which is what a server channel reads. */
    private static final class AcceptHandler extends ChannelInboundHandlerAdapter {

        private final ClientConnectionLimit connections;
        private final ConnectionTimeoutHandler.Limits limits;
        private final HttpServerOptions options;
        private final ClientAddressResolver addresses;

        AcceptHandler(ClientConnectionLimit connections, ConnectionTimeoutHandler.Limits limits, HttpServerOptions options,
                ClientAddressResolver addresses) {
            this.connections = connections;
            this.addresses = addresses;
            this.limits = limits;
            this.options = options;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object accepted) {
            var connection = (Channel) accepted;
            if (!connections.tryOpen(connection)) {
                connection.unsafe().closeForcibly(); // it belongs to no event loop yet
                return;
            }
            connection.pipeline().addLast("connection-timeouts", new ConnectionTimeoutHandler(limits))
                    .addLast("http-pipeline-initializer", new HttpPipelineInitializer(options, addresses::isProxy));
            context.fireChannelRead(connection);
        }
    }
}
