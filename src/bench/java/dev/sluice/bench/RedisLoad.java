package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Redis load generator like {@code redis-benchmark -c 32 -P 16}: 32 connections from one thread, each with a pipeline of 16
 * requests, and the next 16 after all replies.
 */
final class RedisLoad {

    private static final int CONNECTIONS = 32;
    private static final int PIPELINE = 16;

    /**
     * @param replies number of replies
     * @param admitted number of decisions with an odd status; a reply contains a time and four numbers per decision
     */
    record Outcome(double perSecond, long replies, long admitted) {
    }

    private final List<byte[]> requests;
    private final Selector selector;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(256 * 1024);
    private int next;
    private long replies;
    private long admitted;
    private long remaining;
    private boolean stopping;
    private int active;

    private RedisLoad(int port, List<byte[]> requests) throws IOException {
        this.requests = requests;
        this.selector = Selector.open();
        for (int i = 0; i < CONNECTIONS; i++) {
            var channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, new Connection(channel));
        }
    }

    /** Sends the requests in a cycle until the time is over. */
    static Outcome run(int port, List<byte[]> requests, double seconds) {
        return run(port, requests, System.nanoTime() + (long) (seconds * 1e9), Long.MAX_VALUE);
    }

    /** Sends each request once. */
    static Outcome once(int port, List<byte[]> requests) {
        return run(port, requests, Long.MAX_VALUE, requests.size());
    }

    private static Outcome run(int port, List<byte[]> requests, long end, long maxRequests) {
        try {
            var load = new RedisLoad(port, requests);
            load.remaining = maxRequests;
            long begin = System.nanoTime();
            for (var key : load.selector.keys()) {
                ((Connection) key.attachment()).send();
            }
            while (load.active > 0) {
                load.selector.select(load::onReadable, 1000);
                load.stopping = System.nanoTime() >= end;
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            for (var key : load.selector.keys()) {
                key.channel().close();
            }
            load.selector.close();
            return new Outcome(load.replies / seconds, load.replies, load.admitted);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void onReadable(SelectionKey key) {
        try {
            ((Connection) key.attachment()).read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Encodes a command in RESP. */
    static byte[] encodeCommand(List<String> arguments) {
        var request = new StringBuilder("*").append(arguments.size()).append("\r\n");
        for (var word : arguments) {
            request.append('$').append(word.getBytes(StandardCharsets.UTF_8).length).append("\r\n").append(word).append("\r\n");
        }
        return request.toString().getBytes(StandardCharsets.UTF_8);
    }

    private final class Connection {

        private final SocketChannel channel;
        private final StringBuilder parseLine = new StringBuilder();
        /** Number of pending replies. */
        private int pendingReplies;
        /** Number of pending values of the current reply. */
        private int pendingValues;
        private int valueIndex;
        /** Number of pending bytes of the current string. */
        private int bytesToSkip;

        Connection(SocketChannel channel) {
            this.channel = channel;
        }

        void send() throws IOException {
            if (stopping || remaining == 0) {
                return;
            }
            buffer.clear();
            for (; pendingReplies < PIPELINE && remaining > 0; pendingReplies++, remaining--) {
                buffer.put(requests.get(next));
                next = next + 1 < requests.size() ? next + 1 : 0;
            }
            active++;
            buffer.flip();
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }

        void read() throws IOException {
            buffer.clear();
            if (channel.read(buffer) < 0) {
                throw new IOException("Redis closed a connection");
            }
            buffer.flip();
            while (buffer.hasRemaining()) {
                int b = buffer.get();
                if (bytesToSkip > 0) {
                    bytesToSkip--;
                } else if (b == '\n') {
                    parseLine();
                    parseLine.setLength(0);
                } else if (b != '\r') {
                    parseLine.append((char) b);
                }
            }
            if (pendingReplies == 0) {
                active--;
                send();
            }
        }

        /** Parses a value, or the header of an array. */
        private void parseLine() {
            char type = parseLine.charAt(0);
            if (type == '-') {
                throw new IllegalStateException(parseLine.toString());
            }
            if (pendingValues == 0) {
                pendingValues = 1;
                valueIndex = 0;
            }
            pendingValues--;
            if (type == '*') {
                pendingValues += parseNumber();
            } else if (type == '$') {
                bytesToSkip = parseNumber() < 0 ? 0 : parseNumber() + 2;
            } else if (type == ':' && valueIndex >= 2 && (valueIndex - 2) % 4 == 0 && parseNumber() > 0
                    && parseNumber() % 2 == 1) {
                admitted++;
            }
            valueIndex++;
            if (pendingValues == 0) {
                pendingReplies--;
                replies++;
            }
        }

        private int parseNumber() {
            return (int) Long.parseLong(parseLine, 1, parseLine.length(), 10);
        }
    }
}
