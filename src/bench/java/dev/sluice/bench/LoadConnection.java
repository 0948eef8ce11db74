package dev.sluice.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Connection of a load generator, with one request at a time. */
abstract class LoadConnection {

    /** A response that has not arrived as a whole. */
    static final int INCOMPLETE = 0;

    /** Opens a connection, whose socket is connected and blocking. */
    interface Factory {
        LoadConnection open(SocketChannel channel) throws IOException;
    }

    private final SocketChannel channel;
    private final ByteBuffer output = ByteBuffer.allocateDirect(64 * 1024);
    private byte[] received = new byte[2 * 1024];
    private int length;
    private long due;

    LoadConnection(SocketChannel channel) {
        this.channel = channel;
    }

    /** Sends a request that is due at a time of {@link System#nanoTime}. */
    void send(long time, byte[] request) throws IOException {
        due = time;
        send(request);
    }

    long due() {
        return due;
    }

    abstract void send(byte[] request) throws IOException;

    /** Returns whether the last response says that Redis did not decide. */
    abstract boolean hasMode();

    /**
     * Parses what has been received and not discarded.
     *
     * @return the status of the response in HTTP's codes, or {@link #INCOMPLETE}
     */
    abstract int parse(byte[] bytes, int size) throws IOException;

    /** Removes bytes from the start of those that have been received. */
    final void discard(int count) {
        length -= count;
        System.arraycopy(received, count, received, 0, length);
    }

    final void write(byte[]... parts) throws IOException {
        output.clear();
        for (var part : parts) {
            output.put(part);
        }
        output.flip();
        while (output.hasRemaining()) {
            channel.write(output);
        }
    }

    /**
     * Reads what is there.
     *
     * @param input a buffer to read into
     * @return the status of the response in HTTP's codes, or {@link #INCOMPLETE}
     */
    final int read(ByteBuffer input) throws IOException {
        input.clear();
        int count = channel.read(input);
        if (count < 0) {
            throw new IOException(
                    "the server closed a connection after: " + new String(received, 0, length, StandardCharsets.UTF_8));
        }
        input.flip();
        if (length + count > received.length) {
            received = Arrays.copyOf(received, 2 * (length + count));
        }
        input.get(received, length, count);
        length += count;
        return parse(received, length);
    }
}
