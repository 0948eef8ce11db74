package dev.sluice.service.gateway;

import dev.sluice.http.ErrorResponse;
import dev.sluice.service.proxy.connection.UpstreamException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/** Responds to requests that the upstream has not responded to. */
final class UpstreamErrors {

    private static final String RETRY_AFTER_SECONDS = "1";

    private UpstreamErrors() {
    }

    static void send(RoutingContext context, UpstreamException failure) {
        var request = context.request();
        switch (failure.kind()) {
            case NO_FREE_CONNECTION -> context.response().putHeader(HttpHeaders.RETRY_AFTER, RETRY_AFTER_SECONDS);
            case CLIENT_TIMEOUT, INVALID_REQUEST -> {
                if (request.version() != HttpVersion.HTTP_2) { // do not wait for the rest of the body
                    context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
                    context.addEndHandler(ended -> request.connection().close());
                }
            }
            default -> {
            }
        }
        GatewayErrors.send(context, errorFor(failure));
    }

    private static ErrorResponse errorFor(UpstreamException failure) {
        return switch (failure.kind()) {
            case NO_FREE_CONNECTION ->
                ErrorResponse.of(503, "RATE_5032", "No free connection to the upstream; try again later");
            case RESPONSE_TIMEOUT, IDLE_TIMEOUT, SHUTDOWN ->
                ErrorResponse.of(504, "RATE_5041", "The upstream did not respond in time");
            case CLIENT_TIMEOUT -> ErrorResponse.of(408, "RATE_4081", "Request body not received in time");
            case INVALID_REQUEST -> ErrorResponse.badRequest("body", "The chunked encoding of the body is malformed");
            case CLOSED, INVALID_RESPONSE -> ErrorResponse.of(502, "RATE_5021", "The upstream did not respond properly");
            default -> ErrorResponse.of(502, "RATE_5021", "The upstream cannot be reached");
        };
    }
}
