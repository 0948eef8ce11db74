package dev.sluice.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;

/** Opens TCP connections to servers at 127.0.0.1. */
public final class LoopbackSocket {

    /** Source address that the system chooses by itself. */
    public static final String DEFAULT_ADDRESS = "127.0.0.1";

    private LoopbackSocket() {
    }

    /**
     * Connects to a port.
     * <p>
     * A socket that is bound to its default address first takes a port of its own, which stays taken for the 60 s of TIME_WAIT:
     * 28,000 connections a minute use up all of them (EADDRINUSE). Without bind the system chooses the port on connecting, and
     * reuses one of TIME_WAIT after a second (tcp_tw_reuse of ip-sysctl).
     *
     * @param localAddress source address of the connection
     */
    public static Socket connect(int port, String localAddress) throws IOException {
        var server = InetAddress.getByName(DEFAULT_ADDRESS);
        return DEFAULT_ADDRESS.equals(localAddress)
                ? new Socket(server, port)
                : new Socket(server, port, InetAddress.getByName(localAddress), 0);
    }
}
