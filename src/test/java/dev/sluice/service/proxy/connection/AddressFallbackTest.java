package dev.sluice.service.proxy.connection;

import static dev.sluice.service.proxy.HopTestBase.awaiting;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.service.proxy.ProxyServer;
import dev.sluice.testing.FreePorts;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;

/** A host with several addresses, of which not all accept connections. */
class AddressFallbackTest {

    /** Address of localhost. */
    private static final String PREFERRED = "127.0.0.1";
    private static final int BACKLOG = 1000;
    private static final String SECOND = "127.0.0.3";
    private static final String THIRD = "127.0.0.4";

    private final Vertx vertx = Vertx.vertx();
    private final List<ServerSocket> servers = new ArrayList<>();
    private volatile List<String> addresses = List.of(PREFERRED, SECOND);
    private int port;
    private UpstreamConnector connector;

    @BeforeEach
    void start() throws IOException {
        port = FreePorts.next();
        listen(SECOND);
        var options = new HttpClientOptions();
        connector = new UpstreamConnector((VertxInternal) vertx, (ContextInternal) vertx.getOrCreateContext(),
                UpstreamUrl.parse("http://localhost:" + port), () -> options, UnaryOperator.identity(), host -> {
                    var resolved = new InetAddress[addresses.size()];
                    for (int i = 0; i < resolved.length; i++) {
                        resolved[i] = InetAddress.getByName(addresses.get(i));
                    }
                    return resolved;
                });
    }

    @AfterEach
    void stop() throws IOException {
        for (var server : servers) {
            server.close();
        }
        ProxyServer.join(vertx.close());
    }

    private void listen(String address) throws IOException {
        var server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(new InetSocketAddress(address, port), BACKLOG); // nothing accepts them
        servers.add(server);
    }

    /** Opens a connection, and returns its address; fails if there is none. */
    private String connect() {
        var connected = new CompletableFuture<String>();
        connector.connect(connection -> {
            connected.complete(connection.http().remoteAddress().hostAddress());
            connection.http().evictionHandler(closing -> {
            }).close();
        }, connected::completeExceptionally);
        return connected.orTimeout(30, TimeUnit.SECONDS).join();
    }

    @Test
    void preferredAddressIsUsedWhenItAcceptsConnectionsAgain() throws IOException {
        assertThat(connect()).isEqualTo(SECOND);
        assertThat(connect()).isEqualTo(SECOND);
        listen(PREFERRED);
        awaiting("the preferred address").until(() -> connect().equals(PREFERRED));
        assertThat(connect()).isEqualTo(PREFERRED);
    }

    @Test
    void preferredAddressIsUsedWhenTheOtherRefusesConnections() throws IOException {
        assertThat(connect()).isEqualTo(SECOND);
        listen(PREFERRED);
        servers.get(0).close();
        assertThat(connect()).isEqualTo(PREFERRED);
    }

    @Test
    void changedAddressesAreUsed() throws IOException {
        assertThat(connect()).isEqualTo(SECOND);
        listen(THIRD);
        addresses = List.of(PREFERRED, THIRD);
        awaiting("the new address").until(() -> connect().equals(THIRD));
        servers.get(0).close();
        assertThat(connect()).isEqualTo(THIRD);
    }
}
