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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import org.HdrHistogram.Histogram;

/** Single-threaded client of event streams over keep-alive connections, for chunked responses with status 200. */
final class StreamLoad implements AutoCloseable {

    /** Pause between two polls of the sockets in an open loop. */
    private static final long POLL_INTERVAL_NANOS = 20_000;
    private static final long MAX_WAIT_NANOS = 60_000_000_000L;
    private static final int MAX_WAITING = 64;

    private static final long HEADER_SECTION_END = 0x0d0a0d0aL;
    private static final long LAST_CHUNK = 0x0d0a300d0a0d0aL;
    private static final long LAST_CHUNK_MASK = 0xffffffffffffffL;
    private static final int EVENT_END = 0x0a0a;

    private final HttpLoad.Target target;
    private final Selector selector = Selector.open();
    private final ArrayDeque<Connection> idle = new ArrayDeque<>();
    private final Histogram firstByte = new Histogram(60_000_000_000L, 3);
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
    private final long begin = System.nanoTime();
    private final long cpuBegin = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    private int next;
    private long events;
    /** Streams without their first byte. */
    private int waiting;

    StreamLoad(HttpLoad.Target target) throws IOException {
        this.target = target;
        for (int i = 0; i < target.connections(); i++) {
            idle.add(new Connection(target.ports().get(i % target.ports().size())));
        }
    }

    /**
     * Starts streams at a fixed rate and waits until all have ended.
     *
     * @return times from when a stream was due to the first byte of its body, in nanoseconds
     */
    Histogram firstBytes(double seconds, double perSecond) throws IOException {
        long first = System.nanoTime();
        double interval = 1e9 / perSecond;
        long total = (long) (seconds * perSecond);
        for (long sent = 0; sent < total;) {
            if (first + (long) (sent * interval) <= System.nanoTime()) {
                if (idle.isEmpty()) {
                    throw new IllegalStateException("all " + target.connections() + " connections have open streams");
                }
                start(first + (long) (sent++ * interval));
            }
            if (selector.selectNow(this::onReadable) == 0) {
                LockSupport.parkNanos(POLL_INTERVAL_NANOS);
            }
        }
        awaitEnd();
        return firstByte;
    }

    /** Starts a stream on each connection as soon as the one before has ended. */
    void closedLoop(double seconds) throws IOException {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        while (System.nanoTime() < end) {
            while (!idle.isEmpty()) {
                start(System.nanoTime());
            }
            selector.select(this::onReadable, 100);
        }
        awaitEnd();
    }

    /** Starts a stream on each connection, and returns when each has begun. */
    void startAll() throws IOException {
        long deadline = System.nanoTime() + MAX_WAIT_NANOS;
        while (!idle.isEmpty() || waiting > 0) {
            while (!idle.isEmpty() && waiting < MAX_WAITING) {
                start(System.nanoTime());
            }
            await(deadline);
        }
    }

    /** Reads the open streams for a time; returns the number of events read. */
    long read(double seconds) throws IOException {
        long before = events;
        long end = System.nanoTime() + (long) (seconds * 1e9);
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            selector.select(this::onReadable, Math.max(1, TimeUnit.NANOSECONDS.toMillis(left)));
        }
        return events - before;
    }

    void awaitEnd() throws IOException {
        long deadline = System.nanoTime() + MAX_WAIT_NANOS;
        while (idle.size() < target.connections()) {
            await(deadline);
        }
    }

    private void await(long deadline) throws IOException {
        if (System.nanoTime() > deadline) {
            throw new IllegalStateException(waiting + " streams have not begun, "
                    + (target.connections() - idle.size()) + " have not ended");
        }
        selector.select(this::onReadable, 100);
    }

    /** Returns the CPU time of this client as a share of the time since its creation. */
    double cpu() {
        return (double) (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpuBegin)
                / (System.nanoTime() - begin);
    }

    private void start(long due) throws IOException {
        idle.remove().start(due, target.requests().get(next));
        next = (next + 1) % target.requests().size();
        waiting++;
    }

    private void onReadable(SelectionKey key) {
        try {
            ((Connection) key.attachment()).read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        for (var key : selector.keys()) {
            key.channel().close();
        }
        selector.close();
    }

    private final class Connection {

        private final SocketChannel channel;
        private long due;
        private int headerBytes;
        private int status;
        private boolean inBody;
        private boolean begun;
        /** Bytes read last, the newest in the lowest bits. */
        private long tail;

        Connection(int port) throws IOException {
            channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, this);
        }

        void start(long due, byte[] request) throws IOException {
            this.due = due;
            headerBytes = 0;
            status = 0;
            inBody = false;
            begun = false;
            tail = 0;
            buffer.clear().put(request).flip();
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }

        void read() throws IOException {
            buffer.clear();
            if (channel.read(buffer) < 0) {
                throw new IOException("the server closed a connection");
            }
            buffer.flip();
            while (buffer.hasRemaining()) {
                if (inBody) {
                    readBody();
                } else {
                    readHeader(buffer.get());
                }
            }
        }

        private void readHeader(byte read) throws IOException {
            tail = tail << 8 | read & 0xff;
            if (++headerBytes >= 10 && headerBytes <= 12) {
                status = 10 * status + read - '0';
            }
            if ((tail & 0xffffffffL) == HEADER_SECTION_END) {
                if (status != 200) {
                    throw new IOException("status " + status);
                }
                inBody = true;
            }
        }

        private void readBody() {
            if (!begun) {
                begun = true;
                waiting--;
                firstByte.recordValue(System.nanoTime() - due);
            }
            while (buffer.hasRemaining()) {
                tail = tail << 8 | buffer.get() & 0xff;
                if ((tail & 0xffff) == EVENT_END) {
                    events++;
                } else if ((tail & LAST_CHUNK_MASK) == LAST_CHUNK) {
                    idle.add(this);
                }
            }
        }
    }
}
