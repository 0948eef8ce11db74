package dev.sluice.service.edge;

import dev.sluice.http.ErrorResponse;
import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;

/**
 * Request body with invalid chunked framing. The exception handler of the request is called while a response can still be
 * written; after it, the connection is closed. If it does not respond, {@link MalformedRequestHandler} does.
 */
public final class MalformedBody {

    /** The error that is responded with. */
    static final ErrorResponse ERROR = ErrorResponse.badRequest("body", "The chunked encoding of the body is malformed");

    private static final AttributeKey<Throwable> FAILURE = AttributeKey.valueOf(MalformedBody.class, "failure");

    private MalformedBody() {
    }

    /** Returns whether a failure of a request is a malformed body, rather than a disconnected client. */
    public static boolean isCauseOf(HttpServerRequest request, Throwable failure) {
        return failure != null && request.connection() instanceof ConnectionBase connection
                && connection.channel().attr(FAILURE).get() == failure;
    }

    /** Marks the failure of the request body that is being received on a connection. */
    static void mark(Channel connection, Throwable failure) {
        connection.attr(FAILURE).set(failure);
    }

    /**
     * Responds with 400 if a failure of a request is a malformed body and the response has not begun. Must be called in the
     * exception handler of the request, synchronously.
     *
     * @return whether the failure is a malformed body
     */
    public static boolean respond(RoutingContext context, Throwable failure) {
        if (!isCauseOf(context.request(), failure)) {
            return false;
        }
        var response = context.response();
        if (!response.headWritten() && !response.ended() && !response.closed()) {
            response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
            ERROR.send(context);
        }
        return true;
    }
}
