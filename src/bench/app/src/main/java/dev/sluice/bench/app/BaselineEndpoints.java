package dev.sluice.bench.app;

import java.util.concurrent.CompletionStage;

import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;

import dev.sluice.http.ServiceEndpoint;
import io.smallrye.common.annotation.NonBlocking;

/** Endpoints that the filter of Sluice ignores: a bare endpoint, and the same endpoint limited by Bucket4j. */
@Path("/bare")
@ServiceEndpoint
public class BaselineEndpoints {

    @Inject
    Bucket4jLimiter buckets;

    @GET
    @Path("ok")
    @NonBlocking
    public String ok() {
        return "ok";
    }

    @GET
    @Path("bucket4j")
    @NonBlocking
    public CompletionStage<Response> bucket4j(@HeaderParam("X-User-Id") String user) {
        return buckets.tryConsume(user).thenApply(allowed -> allowed
                ? Response.ok("ok").build()
                : Response.status(Response.Status.TOO_MANY_REQUESTS).build());
    }
}
