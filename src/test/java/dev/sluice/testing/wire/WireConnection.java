package dev.sluice.testing.wire;

import java.io.IOException;

/** Connection of a client, over which requests are sent one after another. */
public interface WireConnection extends AutoCloseable {

    /** Sends a request with its body. Blocks while the server does not read the body. */
    void send(WireRequest request) throws IOException;

    /** Reads the header section of the next final response; interim responses are skipped. */
    WireResponse readHead() throws IOException;

    /**
     * Reads the next bytes of the body and adds them to the response.
     *
     * @return false if the response has ended, as {@link WireResponse#ending()} says
     */
    boolean readMore(WireResponse response) throws IOException;

    /** Reads the rest of the body. */
    default WireResponse readToEnd(WireResponse response) throws IOException {
        while (readMore(response)) {
            // until the end
        }
        return response;
    }

    /** Sends a request, and reads the response to its end. */
    default WireResponse exchange(WireRequest request) throws IOException {
        send(request);
        return readToEnd(readHead());
    }

    /** Aborts the request in progress: over HTTP/1 by closing the connection with a reset, over HTTP/2 by resetting the stream. */
    void abort() throws IOException;

    @Override
    void close() throws IOException;
}
