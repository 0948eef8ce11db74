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
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

import org.HdrHistogram.Histogram;

/**
 * Single-threaded HTTP load generator with keep-alive connections and prepared requests, which parses only status and length of
 * responses. In a closed loop, each connection sends its next request after the response. In an open loop, requests are due at a
 * fixed rate, and latency is measured from the due time rather than the time of sending, so that a stall of the server counts
 * for all requests that were due meanwhile (no coordinated omission).
 */
final class HttpLoad {

    /**
     * @param ports ports of the servers, over which the connections are evenly distributed
     * @param requests requests that are sent in a cycle over all connections
     */
    record Target(List<Integer> ports, int connections, List<byte[]> requests) {

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
    private final ArrayDeque<Connection> idle = new ArrayDeque<>();
    private final Histogram latency = new Histogram(60_000_000_000L, 3);
    private final ByteBuffer input = ByteBuffer.allocateDirect(64 * 1024);
    private boolean stopping;
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
            idle.add(new Connection(target.ports().get(i % target.ports().size())));
        }
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
        stopping = true;
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
            var connection = (Connection) key.attachment();
            if (connection.read()) {
                inFlight--;
                idle.add(connection);
                if (stopping) {
                    return;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void close() throws IOException {
        for (var key : selector.keys()) {
            key.channel().close();
        }
        selector.close();
    }

    private final class Connection {

        private final SocketChannel channel;
        private byte[] response = new byte[2 * 1024];
        private int length;
        private long due;

        Connection(int port) throws IOException {
            channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, this);
        }

        void send(long due, byte[] request) throws IOException {
            this.due = due;
            input.clear().put(request).flip();
            while (input.hasRemaining()) {
                channel.write(input);
            }
        }

        /** Returns whether the response is complete. */
        boolean read() throws IOException {
            input.clear();
            int count = channel.read(input);
            if (count < 0) {
                throw new IOException(
                        "the server closed a connection after: " + new String(response, 0, length, StandardCharsets.UTF_8));
            }
            input.flip();
            if (length + count > response.length) {
                response = Arrays.copyOf(response, 2 * (length + count));
            }
            input.get(response, length, count);
            length += count;
            int body = headerSectionEnd();
            if (body < 0 || length < body + contentLength(body)) {
                return false;
            }
            if (hasMode(body)) {
                fallback++;
            }
            latency.recordValue(System.nanoTime() - due);
            int status = (response[9] - '0') * 100 + (response[10] - '0') * 10 + response[11] - '0';
            if (status == 200) {
                ok++;
            } else if (status == 429) {
                denied++;
            } else {
                other++;
            }
            length = 0;
            return true;
        }

        private int headerSectionEnd() {
            for (int i = 3; i < length; i++) {
                if (response[i] == '\n' && response[i - 1] == '\r' && response[i - 2] == '\n') {
                    return i + 1;
                }
            }
            return -1;
        }

        /** Returns whether there is an X-RateLimit-Mode header; no other header of these servers has an "m" in that position. */
        private boolean hasMode(int headerSectionEnd) {
            for (int i = 0; i < headerSectionEnd - 18; i++) {
                if (response[i] == '\n' && (response[i + 1] | 0x20) == 'x' && (response[i + 13] | 0x20) == 'm'
                        && response[i + 17] == ':') {
                    return true;
                }
            }
            return false;
        }

        /** Returns the Content-Length, which all measured servers send. */
        private int contentLength(int headerSectionEnd) throws IOException {
            for (int i = 0; i < headerSectionEnd - 16; i++) {
                if (response[i] == '\n' && (response[i + 1] | 0x20) == 'c' && (response[i + 9] | 0x20) == 'l'
                        && response[i + 15] == ':') {
                    int value = 0;
                    for (int j = i + 17; response[j] != '\r'; j++) {
                        value = 10 * value + response[j] - '0';
                    }
                    return value;
                }
            }
            throw new IOException("no Content-Length: " + new String(response, 0, length, StandardCharsets.UTF_8));
        }
    }
}
