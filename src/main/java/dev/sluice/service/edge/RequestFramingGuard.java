package dev.sluice.service.edge;

import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.http.ErrorResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * First route of every request: rejects what cannot be read, and ambiguous framing (request smuggling), before any other handler
 * reads the request.
 */
@ApplicationScoped
class RequestFramingGuard {

    /** Before all other routes. */
    private static final int ORDER = -1000;

    private final Cors cors;

    RequestFramingGuard(Cors cors) {
        this.cors = cors;
    }

    void register(@Observes Router router) {
        router.route().order(ORDER).handler(this::handle);
    }

    private void handle(RoutingContext context) {
        ConnectionTimeoutHandler.onRequest(context.request());
        SecurityHeaders.put(context.response().headers());
        cors.addTo(context.request());
        var malformed = MalformedRequestHandler.onRequest(context);
        var error = malformed == null ? framingError(context.request()) : malformed;
        if (error == null) {
            context.next();
            return;
        }
        if (context.request().version() != HttpVersion.HTTP_2) {
            context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE); // the end of the request is ambiguous too
            MalformedRequestHandler.discardInput(context.request().connection());
            context.addEndHandler(ended -> context.request().connection().close());
        }
        error.send(context);
    }

    /** Returns the error, or null if the request is unambiguous. */
    private static ErrorResponse framingError(HttpServerRequest request) {
        if (request.version() == null) {
            return ErrorResponse.badRequest("version", "HTTP version must be 1.0, 1.1 or 2");
        }
        var targetError = RequestTargets.error(request.uri());
        if (targetError != null) {
            return targetError;
        }
        if (request.version() == HttpVersion.HTTP_2 && request.uri() != null && !request.uri().startsWith("/")
                && !request.uri().equals("*")) { // RFC 9113, section 8.3.1
            return ErrorResponse.badRequest("path", "The path must begin with a slash");
        }
        if (request.headers().getAll(HttpHeaders.HOST).size() > 1) {
            return ErrorResponse.badRequest("host", "The request must have exactly one Host header");
        }
        return isUnambiguous(request)
                ? null
                : ErrorResponse.badRequest("transfer-encoding", "transfer-encoding must be chunked, in HTTP/1.1 only");
    }

    /** Returns whether the end of the body is unambiguous. Netty ignores transfer codings it does not know. */
    private static boolean isUnambiguous(HttpServerRequest request) {
        List<String> codings = request.headers().getAll(HttpHeaders.TRANSFER_ENCODING);
        return codings.isEmpty() || request.version() == HttpVersion.HTTP_1_1 && codings.size() == 1
                && codings.get(0).strip().equalsIgnoreCase("chunked");
    }
}
