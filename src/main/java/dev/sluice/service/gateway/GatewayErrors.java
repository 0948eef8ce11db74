package dev.sluice.service.gateway;

import dev.sluice.http.ErrorResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;

/**
 * Sends errors of the gateway. A gRPC call gets a status of gRPC in a response without body ("Trailers-Only"): its client does not
 * read the body of an HTTP error.
 *
 * @see <a href="https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md">gRPC over HTTP/2</a>
 * @see <a href="https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md">HTTP to gRPC status code mapping</a>
 */
final class GatewayErrors {

    private static final String GRPC = "application/grpc";

    private GatewayErrors() {
    }

    static void send(RoutingContext context, ErrorResponse error) {
        if (!context.request().isEnded()) {
            context.request().resume(); // discard the rest of the body
        }
        if (isGrpc(context)) {
            context.response().setStatusCode(200).putHeader(HttpHeaders.CONTENT_TYPE, GRPC)
                    .putHeader("grpc-status", Integer.toString(grpcStatus(error.status())))
                    .putHeader("grpc-message", error.message().replace("%", "%25")).end();
        } else {
            error.send(context);
        }
    }

    static boolean isGrpc(RoutingContext context) {
        var type = context.request().getHeader(HttpHeaders.CONTENT_TYPE);
        return type != null && type.startsWith(GRPC)
                && (type.length() == GRPC.length() || "+;".indexOf(type.charAt(GRPC.length())) >= 0);
    }

    private static int grpcStatus(int httpStatus) {
        return switch (httpStatus) {
            case 400 -> 13; // INTERNAL
            case 401 -> 16; // UNAUTHENTICATED
            case 403 -> 7; // PERMISSION_DENIED
            case 404 -> 12; // UNIMPLEMENTED
            case 408 -> 4; // DEADLINE_EXCEEDED
            case 413, 429 -> 8; // RESOURCE_EXHAUSTED
            case 502, 503, 504 -> 14; // UNAVAILABLE
            default -> 2; // UNKNOWN
        };
    }
}
