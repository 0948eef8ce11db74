package dev.sluice.service.proxy;

import dev.sluice.service.proxy.connection.UpstreamException;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;

/**
 * Observes a {@link ProxyExchange} and may change its response. Called on the event loop and in the context of the request. An
 * exception that a method throws fails the exchange.
 */
public interface ExchangeListener {

    /** The request has been sent, unless its body is streamed. */
    default void onRequestSent() {
    }

    /**
     * The response has begun.
     *
     * @param status status code
     * @param headers header fields of the response without those of the connection; may be changed
     */
    void onResponse(int status, MultiMap headers);

    /**
     * A part of the response body has arrived.
     *
     * @return what is sent to the client instead; may be empty
     */
    default Buffer onChunk(Buffer chunk) {
        return chunk;
    }

    /**
     * The response is complete.
     *
     * @return what is sent to the client at the end of the body; may be null
     */
    default Buffer onEnd() {
        return null;
    }

    /** The client has received everything, or has disconnected while the rest of the response was read for the listener. */
    default void onComplete() {
    }

    /** The upstream broke its response off; the client's response has been aborted. */
    default void onAborted() {
    }

    /**
     * The rest of the response is not read: the client has disconnected and {@link #drainMillis} have passed, or the service stops.
     */
    default void onUnread() {
        onAborted();
    }

    /** A method of this listener has failed in the middle of the response, which is aborted. */
    default void onFault() {
        onAborted();
    }

    /** The client has disconnected, and nothing more is read from the upstream. */
    default void onCancelled() {
    }

    /**
     * No response was sent to the client, not even its head; the listener sends one.
     *
     * @param failure an {@link UpstreamException}, or what a method of this listener has thrown
     */
    void onFailure(Throwable failure);

    /** Returns for how long the rest of a response is read after the client has disconnected; 0 for not at all. */
    default long drainMillis() {
        return 0;
    }
}
