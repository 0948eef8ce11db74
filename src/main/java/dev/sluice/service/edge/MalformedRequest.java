package dev.sluice.service.edge;

import dev.sluice.http.ErrorResponse;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.headers.HeadersMultiMap;

/**
 * Stand-in for a request that cannot be decoded: a request without a body which the routes answer with an error. It carries
 * the error in a header whose name no client can send, because it contains a colon.
 */
final class MalformedRequest {

    private static final String ERROR = "sluice:error";
    private static final String FIELD = "sluice:field";
    private static final String MESSAGE = "sluice:message";
    private static final String TOO_LONG_LINE = "414";
    private static final String TOO_LONG_HEADERS = "431";
    private static final String OTHER = "400";

    private MalformedRequest() {
    }

    /** Creates the stand-in; keeps what determines the form of the response. */
    static HttpRequest of(HttpRequest request) {
        var headers = HeadersMultiMap.headers();
        boolean decodedLine = !(request instanceof FullHttpRequest); // otherwise, Netty has made it up
        if (decodedLine) {
            for (var name : new CharSequence[]{HttpHeaderNames.ACCEPT, HttpHeaderNames.ORIGIN}) {
                var value = request.headers().get(name);
                if (value != null) {
                    headers.set(name, value);
                }
            }
        }
        headers.set(HttpHeaderNames.HOST, "sluice"); // Vert.x Web requires one
        headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        var cause = request.decoderResult().cause();
        if (cause instanceof TooLongFrameException) {
            headers.set(ERROR, cause instanceof TooLongHttpLineException ? TOO_LONG_LINE : TOO_LONG_HEADERS);
        } else {
            headers.set(ERROR, OTHER);
            boolean ours = cause instanceof MalformedRequestException;
            headers.set(FIELD, ours ? ((MalformedRequestException) cause).field() : decodedLine ? "headers" : "request");
            headers.set(MESSAGE, ours
                    ? cause.getMessage()
                    : decodedLine ? "The request headers are malformed" : "The request line is malformed");
        }
        return new DefaultHttpRequest(HttpVersion.HTTP_1_1, decodedLine ? request.method() : HttpMethod.GET, "/", headers);
    }

    /** Returns the error of a stand-in; null if the request is another. */
    static ErrorResponse error(HttpServerRequest request) {
        var error = request.headers().get(ERROR);
        if (error == null) {
            return null;
        }
        return switch (error) {
            case TOO_LONG_LINE -> ErrorResponse.of(414, "RATE_4141",
                    "Request line too long (QUARKUS_HTTP_LIMITS_MAX_INITIAL_LINE_LENGTH)");
            case TOO_LONG_HEADERS -> ErrorResponse.of(431, "RATE_4311",
                    "Request headers too large (QUARKUS_HTTP_LIMITS_MAX_HEADER_SIZE)");
            default -> ErrorResponse.badRequest(request.headers().get(FIELD), request.headers().get(MESSAGE));
        };
    }
}
