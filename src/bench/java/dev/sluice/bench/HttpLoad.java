package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

import org.HdrHistogram.Histogram;

/**
 * Single-threaded load generator with keep-alive connections and prepared requests, which parses as little of the responses as
 * possible. In a closed loop, each connection sends its next request after the response. In an open loop, requests are due at a
 * fixed rate, and latency is measured from the due time rather than the time of sending, so that a stall of the server counts
 * for all requests that were due meanwhile (no coordinated omission).
 */
final class HttpLoad {

    /**
     * @param ports ports of the servers, over which the connections are evenly distributed
     * @param requests requests that are sent in a cycle over all connections
     * @param protocol opens the connections
     */
    record Target(List<Integer> ports, int connections, List<byte[]> requests, LoadConnection.Factory protocol) {

        Target(List<Integer> ports, int connections, List<byte[]> requests) {
            this(ports, connections, requests, Http1Connection::new);
        }

        Target(int port, int connections, List<byte[]> requests) {
            this(List.of(port), connections, requests);
        }
    }

    /**
     * @param perSecond responses per second
     * @param ok number of responses with status 200
     * @param denied number of responses with status 429
     * @param fallback number of responses with the header X-RateLimit-Mode, which Redis did not decide
     * @param latency latencies in nanoseconds
     * @param loaderCpu CPU time of the load generator's thread, as a share of the elapsed time
     */
    record Outcome(double perSecond, long ok, long denied, long other, long fallback, Histogram latency, double loaderCpu) {

        long responses() {
            return ok + denied + other;
        }

        /** Fails if the responses are not as expected. */
        Outcome expecting(int status) {
            long expected = status == 200 ? ok : denied;
            if (other > 0 || expected != ok + denied) {
                throw new IllegalStateException(
                        "expected " + status + " only; 200: " + ok + ", 429: " + denied + ", other: " + other);
            }
            return this;
        }

        double micros(double percentile) {
            return latency.getValueAtPercentile(percentile) / 1e3;
        }
    }

    /** Pause between two polls of the sockets in an open loop. */
    private static final long POLL_INTERVAL_NANOS = 20_000;

    private final Target target;
    private final Selector selector;
    private final ArrayDeque<LoadConnection> idle = new ArrayDeque<>();
    private final Histogram latency = new Histogram(60_000_000_000L, 3);
    private final ByteBuffer input = ByteBuffer.allocateDirect(64 * 1024);
    private int next;
    private int inFlight;
    private long ok;
    private long denied;
    private long other;
    private long fallback;

    private HttpLoad(Target target) throws IOException {
        this.target = target;
        this.selector = Selector.open();
        for (int i = 0; i < target.connections(); i++) {
            idle.add(open(target.ports().get(i % target.ports().size())));
        }
    }

    private LoadConnection open(int port) throws IOException {
        var channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        var connection = target.protocol().open(channel);
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ, connection);
        return connection;
    }

    /** Runs a closed loop. */
    static Outcome closed(Target target, double seconds) {
        return run(target, load -> load.closedLoop((long) (seconds * 1e9)));
    }

    /** Runs an open loop. */
    static Outcome open(Target target, double seconds, double perSecond) {
        return run(target, load -> load.openLoop((long) (seconds * 1e9), perSecond, Long.MAX_VALUE));
    }

    /** Runs an open loop above the capacity of the server; requests that cannot be sent in time are dropped. */
    static Outcome overload(Target target, double seconds, double perSecond) {
        return run(target, load -> load.openLoop((long) (seconds * 1e9), perSecond, (long) (seconds * 1e9)));
    }

    /** Sends each request once. */
    static Outcome once(Target target) {
        return run(target, load -> load.sendEach(target.requests().size(), Integer.MAX_VALUE));
    }

    /**
     * Sends one request on each connection, then runs a task while all of them are open and idle.
     *
     * @param maxInFlight maximum number of requests that wait for their responses
     */
    static Outcome onceAndIdle(Target target, int maxInFlight, Runnable task) {
        return run(target, load -> {
            load.sendEach(target.connections(), maxInFlight);
            task.run();
        });
    }

    private interface Task {
        void run(HttpLoad load) throws IOException;
    }

    private static Outcome run(Target target, Task task) {
        try {
            var load = new HttpLoad(target);
            var threads = ManagementFactory.getThreadMXBean();
            long begin = System.nanoTime();
            long cpu = threads.getCurrentThreadCpuTime();
            task.run(load);
            double nanos = System.nanoTime() - begin;
            double loaderCpu = (threads.getCurrentThreadCpuTime() - cpu) / nanos;
            load.close();
            return new Outcome((load.ok + load.denied + load.other) / (nanos / 1e9), load.ok, load.denied, load.other,
                    load.fallback, load.latency, loaderCpu);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void closedLoop(long nanos) throws IOException {
        long end = System.nanoTime() + nanos;
        while (System.nanoTime() < end) {
            while (!idle.isEmpty()) {
                send(System.nanoTime());
            }
            selector.select(this::onReadable, 100);
        }
        drain();
    }

    private void sendEach(int count, int maxInFlight) throws IOException {
        int sent = 0;
        while (sent < count) {
            for (; sent < count && inFlight < maxInFlight && !idle.isEmpty(); sent++) {
                send(System.nanoTime());
            }
            selector.select(this::onReadable, 100);
        }
        drain();
    }

    /** @param maxNanos duration after which the loop ends although not all requests have been sent */
    private void openLoop(long nanos, double perSecond, long maxNanos) throws IOException {
        long begin = System.nanoTime();
        double interval = 1e9 / perSecond;
        long sent = 0;
        long total = (long) (nanos / interval);
        for (long now = begin; sent < total && now - begin < maxNanos; now = System.nanoTime()) {
            while (sent < total && !idle.isEmpty() && begin + (long) (sent * interval) <= now) {
                send(begin + (long) (sent++ * interval));
            }
            if (selector.selectNow(this::onReadable) == 0) {
                LockSupport.parkNanos(POLL_INTERVAL_NANOS);
            }
        }
        drain();
    }

    private void drain() throws IOException {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (inFlight > 0) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(inFlight + " requests had no response");
            }
            selector.select(this::onReadable, 100);
        }
    }

    private void send(long due) throws IOException {
        var connection = idle.poll();
        connection.send(due, target.requests().get(next));
        next = next + 1 < target.requests().size() ? next + 1 : 0;
        inFlight++;
    }

    private void onReadable(SelectionKey key) {
        try {
            var connection = (LoadConnection) key.attachment();
            int status = connection.read(input);
            if (status != LoadConnection.INCOMPLETE) {
                count(connection, status);
                inFlight--;
                idle.add(connection);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void count(LoadConnection connection, int status) {
        latency.recordValue(System.nanoTime() - connection.due());
        if (connection.hasMode()) {
            fallback++;
        }
        switch (status) {
            case 200 -> ok++;
            case 429 -> denied++;
            default -> other++;
        }
    }

    private void close() throws IOException {
        for (var key : selector.keys()) {
            key.channel().close();
        }
        selector.close();
    }
}
