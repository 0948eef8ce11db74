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

/** Where every request to the service comes in. What two servers might read differently is turned away before anybody reads it. */
@ApplicationScoped
class RequestFramingGuard {

    /** Before all others. */
    private static final int ORDER = -1000;

    void open(@Observes Router router) {
        router.route().order(ORDER).handler(RequestFramingGuard::handle);
    }

    private static void handle(RoutingContext context) {
        ConnectionTimeoutHandler.begins(context.request());
        SecurityHeaders.put(context.response().headers());
        var doubtful = doubtful(context.request());
        if (doubtful == null) {
            context.next();
            return;
        }
        if (context.request().version() != HttpVersion.HTTP_2) {
            context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE); // where it ends is doubtful too
            ConnectionTimeoutHandler.readNoMore(context.request().connection());
            context.addEndHandler(told -> context.request().connection().close());
        }
        doubtful.send(context);
    }

    /** Null where nothing is. */
    private static ErrorResponse doubtful(HttpServerRequest request) {
        if (request.version() == null) {
            return ErrorResponse.unreadable("version", "HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here");
        }
        if (request.uri().indexOf('#') >= 0) {
            // Servers disagree whether the path ends there, and no client may send it (RFC 9112, 3.2).
            return ErrorResponse.unreadable("path", "A request target has no fragment");
        }
        if (request.headers().getAll(HttpHeaders.HOST).size() > 1) {
            return ErrorResponse.unreadable("host", "A request has one host");
        }
        return framed(request)
                ? null
                : ErrorResponse.unreadable("transfer-encoding", "The only transfer-encoding is chunked, in HTTP/1.1");
    }

    /** Whether it is clear where the body ends. Netty takes codings that it does not know for none. */
    private static boolean framed(HttpServerRequest request) {
        List<String> codings = request.headers().getAll(HttpHeaders.TRANSFER_ENCODING);
        return codings.isEmpty() || request.version() == HttpVersion.HTTP_1_1 && codings.size() == 1
                && codings.get(0).strip().equalsIgnoreCase("chunked");
    }
}
