package dev.sluice.service.edge;

import java.io.IOException;

import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Response;

import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

import dev.sluice.http.ErrorResponse;
import io.vertx.ext.web.RoutingContext;

/** Whatever goes wrong behind the service's own doors is answered in Sluice's shape, without a word of its inside. */
public class ServiceErrors {

    private static final Logger LOG = Logger.getLogger(ServiceErrors.class);

    @ServerExceptionMapper
    Response http(WebApplicationException failure, RoutingContext context) {
        return answer(failure.getResponse().getStatus()).response(context);
    }

    @ServerExceptionMapper
    Response unexpected(Exception failure, RoutingContext context) {
        LOG.logf(failure instanceof IOException ? Logger.Level.DEBUG : Logger.Level.ERROR, failure, "%s %s failed",
                context.request().method(), context.normalizedPath());
        return answer(500).response(context);
    }

    public static ErrorResponse answer(int status) {
        return switch (status) {
            case 400 -> ErrorResponse.unreadable("request", "The request cannot be read");
            case 404 -> ErrorResponse.notFound();
            case 405 -> ErrorResponse.of(405, "RATE_4051", "The method is not allowed here");
            case 406 -> ErrorResponse.of(406, "RATE_4061", "No such representation");
            case 413 -> ErrorResponse.of(413, "RATE_4131", "The body is too large");
            default -> status >= 500
                    ? ErrorResponse.of(500, "RATE_5000", "Something went wrong inside")
                    : ErrorResponse.of(status, "RATE_4001", "The request cannot be read");
        };
    }
}
