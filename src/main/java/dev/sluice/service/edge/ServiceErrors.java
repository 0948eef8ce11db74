package dev.sluice.service.edge;

import java.io.IOException;

import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Response;

import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

import dev.sluice.http.ErrorResponse;
import io.vertx.ext.web.RoutingContext;

/** Maps exceptions of the service's own endpoints to error responses that reveal nothing internal. */
public class ServiceErrors {

    private static final Logger LOG = Logger.getLogger(ServiceErrors.class);

    @ServerExceptionMapper
    Response http(WebApplicationException failure, RoutingContext context) {
        return forStatus(failure.getResponse().getStatus()).toResponse(context);
    }

    @ServerExceptionMapper
    Response unexpected(Exception failure, RoutingContext context) {
        LOG.logf(failure instanceof IOException ? Logger.Level.DEBUG : Logger.Level.ERROR, failure, "%s %s failed",
                context.request().method(), context.normalizedPath());
        return forStatus(500).toResponse(context);
    }

    public static ErrorResponse forStatus(int status) {
        return switch (status) {
            case 400 -> ErrorResponse.badRequest("request", "Malformed request");
            case 404 -> ErrorResponse.notFound();
            case 405 -> ErrorResponse.of(405, "RATE_4051", "Method not allowed");
            case 406 -> ErrorResponse.of(406, "RATE_4061", "Not acceptable");
            case 413 -> ErrorResponse.of(413, "RATE_4131", "Request body too large");
            default -> status >= 500
                    ? ErrorResponse.of(500, "RATE_5000", "Internal error")
                    : ErrorResponse.of(status, "RATE_4001", "Malformed request");
        };
    }
}
