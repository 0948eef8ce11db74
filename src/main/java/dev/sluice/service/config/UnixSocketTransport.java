package dev.sluice.service.config;

import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.vertx.core.impl.transports.JDKTransport;

/**
 * The transport of the JDK, with its Unix domain sockets (JEP 380) for clients. Vert.x 4 offers them with native transports only.
 * It finds this class by {@code META-INF/services}, where native transports are preferred.
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
