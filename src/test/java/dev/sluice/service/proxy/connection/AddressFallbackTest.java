package dev.sluice.service.proxy.connection;

import static dev.sluice.service.proxy.HopTestBase.awaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
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
    /** Names of the threads that have looked the host up. */
    private final List<String> lookUps = new CopyOnWriteArrayList<>();
    private volatile CountDownLatch beforeLookUp = new CountDownLatch(0);
    private int port;
    private ContextInternal context;
    private UpstreamConnector connector;

    @BeforeEach
    void start() throws IOException {
        port = FreePorts.next();
        listen(SECOND);
        var options = new HttpClientOptions();
        context = (ContextInternal) vertx.getOrCreateContext();
        connector = new UpstreamConnector((VertxInternal) vertx, context,
                UpstreamUrl.parse("http://localhost:" + port), () -> options, UnaryOperator.identity(), host -> {
                    lookUps.add(Thread.currentThread().getName());
                    awaitRelease();
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
        return onEventLoop(this::connecting).orTimeout(30, TimeUnit.SECONDS).join();
    }

    private <T> CompletableFuture<T> onEventLoop(Supplier<CompletableFuture<T>> action) {
        var done = new CompletableFuture<T>();
        context.runOnContext(now -> action.get().whenComplete((result, failure) -> {
            if (failure == null) {
                done.complete(result);
            } else {
                done.completeExceptionally(failure);
            }
        }));
        return done;
    }

    private void awaitRelease() {
        try {
            beforeLookUp.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private CompletableFuture<String> connecting() {
        var connected = new CompletableFuture<String>();
        connector.connect(connection -> {
            connected.complete(connection.http().remoteAddress().hostAddress());
            connection.http().evictionHandler(closing -> {
            }).close();
        }, connected::completeExceptionally);
        return connected;
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
    void hostIsNotLookedUpOnTheEventLoop() {
        addresses = List.of(SECOND);
        assertThat(connect()).isEqualTo(SECOND);
        assertThat(lookUps).hasSize(1).allMatch(thread -> !thread.contains("eventloop"));
    }

    /** A slow look-up occupies a thread. */
    @Test
    void connectionsShareALookUp() throws Exception {
        addresses = List.of(SECOND);
        var release = new CountDownLatch(1);
        beforeLookUp = release;
        var all = new ArrayList<CompletableFuture<String>>();
        for (int i = 0; i < 50; i++) {
            all.add(onEventLoop(this::connecting));
        }
        all.add(onEventLoop(() -> CompletableFuture.completedFuture("not blocked")));
        assertThat(all.get(50).get(30, TimeUnit.SECONDS)).isEqualTo("not blocked");
        release.countDown();
        assertThat(all.subList(0, 50)).allSatisfy(one -> assertThat(one.get(30, TimeUnit.SECONDS)).isEqualTo(SECOND));
        assertThat(lookUps).hasSize(1);
    }

    @Test
    void unknownHostFails() {
        addresses = List.of("no.such.host.invalid");
        assertThatThrownBy(this::connect).hasCauseInstanceOf(UpstreamException.class).cause()
                .extracting(failure -> ((UpstreamException) failure).kind()).isEqualTo(UpstreamException.Cause.UNKNOWN_HOST);
        assertThat(lookUps).hasSize(1);
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
