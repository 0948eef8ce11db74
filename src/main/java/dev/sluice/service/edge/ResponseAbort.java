package dev.sluice.service.edge;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOption;
import io.netty.handler.ssl.SslHandler;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;

/** Aborts a response so that the client does not take what it has received for the whole. */
public final class ResponseAbort {

    /** INTERNAL_ERROR (RFC 9113, section 7). With NO_ERROR, a client may take the response for complete. */
    private static final long INTERNAL_ERROR = 2;

    private ResponseAbort() {
    }

    /**
     * Resets the HTTP/2 stream or closes the HTTP/1 connection; with HTTP/1.0, where closing would be the end of the body, resets
     * the connection.
     *
     * @return whether there was anything to abort
     */
    public static boolean abort(HttpServerRequest request) {
        if (request.version() == HttpVersion.HTTP_2) {
            return request.response().reset(INTERNAL_ERROR);
        }
        if (request.response().ended()) {
            return false;
        }
        if (request.version() == HttpVersion.HTTP_1_0 && request.connection() instanceof ConnectionBase connection) {
            connection.channel().config().setOption(ChannelOption.SO_LINGER, 0);
            var tls = connection.channel().pipeline().context(SslHandler.class);
            if (tls != null) { // its close_notify would be the end of the body
                connection.writeToChannel(Unpooled.EMPTY_BUFFER, true,
                        connection.channel().newPromise().addListener(flushed -> tls.close()));
                return true;
            }
        }
        // Not response().reset(), which does not run the end handlers of an HTTP/1 response: vert.x#5271. A graceful shutdown, which
        // counts requests in flight, would never complete.
        request.connection().close();
        return true;
    }
}
