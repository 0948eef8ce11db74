package dev.sluice.testing.faults;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;

/** Network between an instance and Redis, which can be delayed, partitioned, silent or closed. */
public final class FaultProxy implements AutoCloseable {

    /** Delay of data on its way to Redis; replies are not delayed. */
    private volatile long delayMillis;
    /** True while data is dropped silently; connections affected by it stay dead. */
    private volatile boolean silent;
    private boolean refusing;

    private final Vertx vertx;
    private final int target;
    private final NetClient client;
    private final Set<Pair> pairs = ConcurrentHashMap.newKeySet();
    private NetServer server;
    private int port;

    /** Both sides of one connection. */
    private final class Pair {

        private final NetSocket near;
        private final NetSocket far;
        private final Queue<Buffer> held = new ArrayDeque<>();
        private long due;
        private volatile boolean dead;

        Pair(NetSocket near, NetSocket far) {
            this.near = near;
            this.far = far;
        }

        void join() {
            pairs.add(this);
            near.handler(this::hold);
            far.handler(data -> pass(near, data));
            near.closeHandler(closed -> end(far));
            far.closeHandler(closed -> end(near));
        }

        /** One behind the other, also when the delay ends. */
        private void hold(Buffer data) {
            long now = System.currentTimeMillis();
            due = Math.max(due, now + delayMillis);
            if (due <= now && held.isEmpty()) {
                pass(far, data);
            } else {
                held.add(data);
                vertx.setTimer(Math.max(1, due - now), later -> pass(far, held.remove()));
            }
        }

        private void pass(NetSocket to, Buffer data) {
            dead |= silent;
            if (!dead) {
                to.write(data);
            }
        }

        private void end(NetSocket other) {
            pairs.remove(this);
            if (!dead) {
                other.close();
            }
        }

        void cut() {
            near.close();
            far.close();
        }
    }

    public FaultProxy(Vertx vertx, int target) {
        this.vertx = vertx;
        this.target = target;
        this.client = vertx.createNetClient();
        open();
    }

    private void open() {
        server = vertx.createNetServer().connectHandler(near -> {
            if (silent) {
                near.handler(swallowed -> {
                });
                return;
            }
            near.pause();
            client.connect(target, "127.0.0.1").onSuccess(far -> {
                new Pair(near, far).join();
                near.resume();
            }).onFailure(failure -> near.close());
        });
        port = server.listen(port, "127.0.0.1").toCompletionStage().toCompletableFuture().join().actualPort();
    }

    /** Everything takes this much longer. */
    public void delay(long millis) {
        delayMillis = millis;
    }

    /** Drops all data without closing connections, like a cut cable or a firewall that lost its state. */
    public void silence() {
        silent = true;
    }

    /** New connections work. The old ones stay dead. */
    public void speak() {
        silent = false;
    }

    /** Breaks all connections; new ones work. */
    public void cut() {
        List.copyOf(pairs).forEach(Pair::cut);
    }

    /** Closes all connections and rejects new ones. */
    public void refuse() {
        refusing = true;
        server.close().toCompletionStage().toCompletableFuture().join();
        cut();
    }

    public void accept() {
        refusing = false;
        open();
    }

    /** Restores normal operation, except for connections already closed. */
    public void heal() {
        delayMillis = 0;
        silent = false;
        if (refusing) {
            accept();
        }
        cut();
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
