package dev.sluice.http;

import jakarta.ws.rs.core.Response;

import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

import dev.sluice.api.RateLimitExceededException;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.identity.CredentialsRejectedException;
import io.vertx.ext.web.RoutingContext;

/** Maps the exceptions of Sluice that a JAX-RS resource throws to 429, 503 and 401. */
public class RateLimitExceptionMappers {

    private final RateLimitHeaders headers;

    RateLimitExceptionMappers(RateLimitHeaders headers) {
        this.headers = headers;
    }

    @ServerExceptionMapper
    public Response mapRateLimitExceeded(RateLimitExceededException exceeded, RoutingContext request) {
        headers.write(request.response().headers(), exceeded.decision());
        return ErrorResponse.rateLimitExceeded(exceeded.decision()).toResponse(request);
    }

    @ServerExceptionMapper
    public Response mapStoreUnavailable(StoreUnavailableException unavailable, RoutingContext request) {
        return ErrorResponse.storeUnavailable().toResponse(request);
    }

    @ServerExceptionMapper
    public Response mapCredentialsRejected(CredentialsRejectedException rejected, RoutingContext request) {
        return ErrorResponse.unauthorized(rejected.getMessage()).toResponse(request);
    }
}
