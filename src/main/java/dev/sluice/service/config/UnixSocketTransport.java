package dev.sluice.service.config;

import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.vertx.core.impl.transports.JDKTransport;

/**
 * JDK transport of Vert.x with Unix domain sockets (JEP 380) for clients, which Vert.x 4 supports with native transports only
 * (<a href="https://github.com/eclipse-vertx/vert.x/pull/5361">vert.x#5361</a>).
 * Loaded through {@code META-INF/services} if native transports are preferred.
 */
public final class UnixSocketTransport extends JDKTransport {

    @Override
    public boolean supportsDomainSockets() {
        return true;
    }

    @Override
    public SocketAddress convert(io.vertx.core.net.SocketAddress address) {
        return address.isDomainSocket() ? UnixDomainSocketAddress.of(address.path()) : super.convert(address);
    }

    @Override
    public io.vertx.core.net.SocketAddress convert(SocketAddress address) {
        return address instanceof UnixDomainSocketAddress unix
                ? io.vertx.core.net.SocketAddress.domainSocketAddress(unix.getPath().toString())
                : super.convert(address);
    }

    @Override
    public ChannelFactory<? extends Channel> channelFactory(boolean domainSocket) {
        return domainSocket ? NioDomainSocketChannel::new : super.channelFactory(false);
    }
}
