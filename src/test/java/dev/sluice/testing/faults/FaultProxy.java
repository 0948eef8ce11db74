package dev.sluice.testing.faults;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import dev.sluice.testing.FreePorts;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;

/** TCP proxy between an instance and Redis, which can delay or drop data and reject connections. */
public final class FaultProxy implements AutoCloseable {

    /** Delay of data on its way to Redis; replies are not delayed. */
    private volatile long delayMillis;
    /** True while data is dropped silently; affected connections never recover. */
    private volatile boolean blackholing;
    private boolean stopped;

    private final Vertx vertx;
    private final int targetPort;
    private final NetClient client;
    private final Set<ProxiedConnection> connections = ConcurrentHashMap.newKeySet();
    private NetServer server;
    private int port;

    /** Both sides of one connection. */
    private final class ProxiedConnection {

        private final NetSocket client;
        private final NetSocket server;
        private final Queue<Buffer> delayed = new ArrayDeque<>();
        private long due;
        private volatile boolean blackholed;

        ProxiedConnection(NetSocket near, NetSocket far) {
            this.client = near;
            this.server = far;
        }

        void forward() {
            connections.add(this);
            client.handler(this::delay);
            server.handler(data -> forward(client, data));
            client.closeHandler(closed -> closeOther(server));
            server.closeHandler(closed -> closeOther(client));
        }

        /** Keeps the order of data, also when the delay is reset. */
        private void delay(Buffer data) {
            long now = System.currentTimeMillis();
            due = Math.max(due, now + delayMillis);
            if (due <= now && delayed.isEmpty()) {
                forward(server, data);
            } else {
                delayed.add(data);
                vertx.setTimer(Math.max(1, due - now), later -> forward(server, delayed.remove()));
            }
        }

        private void forward(NetSocket to, Buffer data) {
            blackholed |= blackholing;
            if (!blackholed) {
                to.write(data);
            }
        }

        private void closeOther(NetSocket other) {
            connections.remove(this);
            if (!blackholed) {
                other.close();
            }
        }

        void close() {
            client.close();
            server.close();
        }
    }

    public FaultProxy(Vertx vertx, int target) {
        this.vertx = vertx;
        this.targetPort = target;
        this.client = vertx.createNetClient();
        port = FreePorts.next();
        listen();
    }

    private void listen() {
        server = vertx.createNetServer().connectHandler(near -> {
            if (blackholing) {
                near.handler(swallowed -> {
                });
                return;
            }
            near.pause();
            client.connect(targetPort, "127.0.0.1").onSuccess(far -> {
                new ProxiedConnection(near, far).forward();
                near.resume();
            }).onFailure(failure -> near.close());
        });
        server.listen(port, "127.0.0.1").toCompletionStage().toCompletableFuture().join();
    }

    /** Delays all data on its way to Redis. */
    public void delay(long millis) {
        delayMillis = millis;
    }

    /** Drops all data without closing connections, like a cut cable or a firewall that lost its state. */
    public void startBlackholing() {
        blackholing = true;
    }

    /** Ends {@link #startBlackholing()} for new connections; affected ones never recover. */
    public void stopBlackholing() {
        blackholing = false;
    }

    /** Closes all connections; new ones work. */
    public void closeConnections() {
        List.copyOf(connections).forEach(ProxiedConnection::close);
    }

    /** Closes all connections and rejects new ones. */
    public void stopListening() {
        stopped = true;
        server.close().toCompletionStage().toCompletableFuture().join();
        closeConnections();
    }

    /** Ends {@link #stopListening()}. */
    public void startListening() {
        stopped = false;
        listen();
    }

    /** Restores normal operation, except for connections already closed. */
    public void reset() {
        delayMillis = 0;
        blackholing = false;
        if (stopped) {
            startListening();
        }
        closeConnections();
    }

    public int port() {
        return port;
    }

    @Override
    public void close() {
        server.close().toCompletionStage().toCompletableFuture().join();
        client.close();
    }
}
