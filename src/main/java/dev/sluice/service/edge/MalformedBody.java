package dev.sluice.service.edge;

import dev.sluice.http.ErrorResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;

/**
 * Request body with invalid chunked framing. The exception handler of the request is called while a response can still be
 * written; after it, the connection is closed. If it does not respond, {@link MalformedRequestHandler} does.
 */
public final class MalformedBody {

    /** The error that is responded with. */
    static final ErrorResponse ERROR = ErrorResponse.badRequest("body", "The chunked encoding of the body is malformed");

    private MalformedBody() {
    }

    /** Returns whether a failure of a request is a malformed body, rather than a disconnected client. */
    public static boolean isCauseOf(HttpServerRequest request, Throwable failure) {
        return MalformedRequestHandler.isBodyFailure(request.connection(), failure);
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
