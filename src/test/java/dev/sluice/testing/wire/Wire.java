package dev.sluice.testing.wire;

import java.io.IOException;
import java.io.UncheckedIOException;

import dev.sluice.testing.LoopbackSocket;

/** Version of HTTP that a client speaks, each without TLS. */
public enum Wire {
    /** Without keep-alive. */
    HTTP_1_0, HTTP_1_1,
    /** With prior knowledge. */
    HTTP_2;

    public WireConnection open(int port) throws IOException {
        return open(port, LoopbackSocket.DEFAULT_ADDRESS);
    }

    /** @param localAddress source address of the connection */
    public WireConnection open(int port, String localAddress) throws IOException {
        return this == HTTP_2 ? new Http2Wire(port, localAddress) : new Http1Wire(port, localAddress, this);
    }

    /** Sends a request over a new connection, and reads the response to its end. */
    public WireResponse exchange(int port, WireRequest request) {
        return exchange(port, LoopbackSocket.DEFAULT_ADDRESS, request);
    }

    /** @param localAddress source address of the connection */
    public WireResponse exchange(int port, String localAddress, WireRequest request) {
        try (var connection = open(port, localAddress)) {
            return connection.exchange(request);
        } catch (IOException e) {
            throw new UncheckedIOException(this + " " + request.method + ' ' + request.target, e);
        }
    }
}
