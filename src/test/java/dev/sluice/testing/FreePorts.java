package dev.sluice.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ports for processes that a test starts. They lie below the range from which operating systems take the local ports of outgoing
 * connections (32,768 and above on Linux, RFC 6335 says 49,152), so that no connection can take one between the choice and the
 * start of the process. A port is returned once.
 */
public final class FreePorts {

    /** A Redis Cluster node also listens on the port 10,000 above its own, which is thus outside the ranges. */
    private static final int COUNT = 5_000;
    /** Number of the process from 1, of two that run tests at the same time: each has its own range. */
    private static final int FORK = Integer.getInteger("sluice.test.fork", 1);
    private static final int FIRST = 12_000 + (FORK - 1) % 2 * COUNT;
    private static final AtomicInteger NEXT = new AtomicInteger(ThreadLocalRandom.current().nextInt(COUNT));

    private FreePorts() {
    }

    /** Returns a port of the loopback address on which nothing listens. */
    public static int next() {
        for (int attempt = 0; attempt < COUNT; attempt++) {
            int port = FIRST + Math.floorMod(NEXT.getAndIncrement(), COUNT);
            if (isFree(port)) {
                return port;
            }
        }
        throw new IllegalStateException("no free port");
    }

    private static boolean isFree(int port) {
        try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
